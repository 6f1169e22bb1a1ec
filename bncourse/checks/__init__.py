"""Is this answer right, and if not, which mistake is it?

The door is :func:`check`. The rooms:

``forward``        the exercises of that assignment: properties, points, misconceptions. One module an assignment
``assignments``    which exercises there are
``marking``        runs the properties, makes the report
``diagnosis``      names the mistake; ``witness`` finds the smallest input that shows it
``exercise``       what an exercise is made of; ``asking`` how a property questions the student's function
``calling``        one guarded call; ``answers`` what came back; ``surroundings`` time limit, output, global state
``draw``           fresh inputs; ``comparing`` tolerances
``report``         the result; ``text`` and ``card`` show it; ``book`` knows where things are explained
"""

from .marking import check
from .report import Report

__all__ = ["Report", "check"]
