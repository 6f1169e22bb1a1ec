"""Batch normalization, derived and checked.

A student needs three names: ``check`` says whether an answer is right and, if not, which mistake it is; ``working``
stands in for an answer that is not right yet, where a later cell builds on it; ``gradcheck`` says whether a gradient is
right. The rest is in ``bncourse.functional`` (the mathematics) and ``bncourse.nn`` (layers).
"""

from .checks import check, working
from .gradcheck import gradcheck

__version__ = "0.1.0"

__all__ = ["__version__", "check", "gradcheck", "working"]
