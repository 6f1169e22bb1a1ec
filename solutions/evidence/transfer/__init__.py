"""What marks the last exercise of `evidence`? Never released: students have the exercise's text, not its answer."""

from .sign_flip_test import sign_flip_test

EXERCISES = (sign_flip_test,)
