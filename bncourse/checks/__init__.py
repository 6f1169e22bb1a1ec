"""Is this answer right, and if not, which mistake is it?

The door is :func:`check`. The rooms:

``forward``, ``inference``, ``backward``, ``convolution``, ``variants``, ``evidence``
                   the assignments: each exercise's properties, points, steps, misconceptions. One module an exercise
``assignments``    which exercises there are; ``transfer`` finds those whose answers are not published
``marking``        runs the properties, makes the report; ``consistency`` judges a backward beside a wrong forward;
                   ``given`` stands in where a cell builds on an answer that is not right yet
``diagnosis``      names the mistake, in layers: ``bank``, ``terms`` (with ``reading``), ``faults``, ``forms``, which
                   look at what was ``seen``
``witness``        the smallest input that shows it; ``hints`` the next step, for who asks
``exercise``       what an exercise is made of; ``chain`` its answer in steps; ``quantities`` what a term is off by
``asking``         how a property questions the student's functions; ``inputs`` and ``draw`` on what; ``comparing`` how
                   exactly
``calling``        one guarded call; ``pairs`` a forward and its backward; ``layers`` a layer's life; ``callbacks`` what
                   takes functions; ``answers`` what came back; ``surroundings`` time limit, output, global state
``report``         the result; ``text`` and ``card`` show it; ``book`` knows where things are explained, ``unwritten``
                   where they will be; ``sentences`` what several exercises say
``notebooks``      a whole notebook, without Jupyter; ``answering`` its child process
"""

from .given import working
from .marking import check
from .report import Report

__all__ = ["Report", "check", "working"]
