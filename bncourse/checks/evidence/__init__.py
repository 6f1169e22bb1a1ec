"""What is asked in the assignment `evidence`, and how is it got wrong?

The student plans, runs and judges experiments of their own. What is marked is how: the same seeds in both arms, every
run kept, an honest interval, a verdict that follows from it. Whether the claim holds is worth nothing. ``stand_ins``
are trained in place of networks, in no time and with planted numbers; ``student_t`` has the quantiles.
"""

from .best_rates import best_rates
from .experiment import experiment
from .interval import interval
from .paired_effects import paired_effects
from .predictions import predictions
from .verdict import verdict

EXERCISES = (experiment, paired_effects, interval, verdict, best_rates, predictions)
"""The exercises of the assignment, in its order."""
