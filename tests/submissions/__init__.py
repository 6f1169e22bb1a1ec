"""What students hand in, one module an assignment, with the points a teacher would give.

``submission`` says what a submission is, ``running`` what its cells come to without Jupyter, ``grading`` what stock
nbgrader makes of it. The points were written down from the marking rules before anything was run.
"""

from importlib import import_module

from .submission import Submission

__all__ = ["Submission", "submissions_to"]


def submissions_to(assignment: str) -> tuple[Submission, ...]:
    """Those of one assignment; an assignment without any is an error."""
    submissions: tuple[Submission, ...] = import_module(f"{__name__}.{assignment}").SUBMISSIONS
    return submissions
