"""What does batch normalization really do? Twelve claims on trial, one module each.

``experiment``   what is declared before a run: claim, prediction, one primary outcome
``arms``         data, networks and tuned rates that experiments share
``record``       what is kept of a run, and whether it is older than its code (``fingerprint``)
``running``      runs seeds side by side
``statistics``   Student's interval, Holm's correction
``verdicts``     the one rule from numbers to verdicts
``table``        the verdicts as text

An experiment is a module with an ``EXPERIMENT``; ``bncourse evidence run`` runs it and keeps the result as
``results/<name>.json``, from which the book's pages draw.
"""

from importlib import import_module

from .experiment import Experiment

NAMES = (
    "learning_rate",
    "covariate_shift",
    "landscape",
    "regularization",
    "initialization",
    "gradient_flow",
    "saturation",
    "scale_invariance",
    "small_batches",
    "inference",
    "overhead",
    "panacea",
)
"""The experiments in the order of the book."""


def experiment(name: str) -> Experiment:
    """The experiment of that name. Raises ``KeyError`` with the names there are."""
    if name not in NAMES:
        raise KeyError(f"no experiment is called {name!r}; there are {', '.join(NAMES)}")
    found: Experiment = import_module(f"{__name__}.{name}").EXPERIMENT
    return found


def experiments() -> list[Experiment]:
    """All of them."""
    return [experiment(name) for name in NAMES]
