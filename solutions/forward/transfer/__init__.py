"""What marks the last exercise of `forward`? Never released: students have the exercise's text, not its answer."""

from .leave_one_out_forward import leave_one_out_forward

EXERCISES = (leave_one_out_forward,)
