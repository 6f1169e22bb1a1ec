"""What is asked of `bug_1` to `bug_5`? The line that is wrong in a given backward, and what a test sees of it.

An answer is a line, an upstream gradient dy with which the suspect's gradients are wrong (``shows``), and one with
which they are right all the same (``hides``). There are many of both, so they are tried, not compared. The x, gamma and
eps that they are for are drawn: an answer is a recipe, not a list of numbers.
"""

from collections.abc import Callable

import numpy as np

from ... import functional as reference
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..comparing import worst
from ..draw import Draw
from ..exercise import Arguments, Exercise, Problem
from .inputs import scale_of_pair
from .suspects import SUSPECTS, Suspect

SECTION = "gradient-checking"
NAMES = ("dx", "dgamma", "dbeta")
CLEARLY = 1e-3
"""By which part of their size gradients have to be off: then a test sees it whose tolerance is as wide as that."""

PROBLEMS = (Problem(7, 3), Problem(5, 2), Problem(4, 4))

Answer = tuple[int, Array, Array]


def layer(draw: Draw, problem: Problem) -> Arguments:
    """x, a gamma of which no two are alike, and an eps that shows, at least beside the first feature's variance."""
    x = draw.batch(problem.N, problem.D)
    x[:, 0] = x[:, 0].mean() + 0.5 * (x[:, 0] - x[:, 0].mean()) / x[:, 0].std()
    gamma = draw.away_from_zero(problem.D, 1.0, 1.1) * draw.random.permutation(1.0 + 0.5 * np.arange(problem.D))
    return (x, gamma, float(draw.random.uniform(0.2, 0.5)))


def first_sample(x: Array) -> Array:
    """A dy that asks for the first sample alone: it has a sum, a part along x_hat, and a rest."""
    dy = np.zeros_like(x)
    dy[0] = 1.0
    return dy


def ones_across(x: Array, direction: Array) -> Array:
    """Ones without their part along a direction."""
    rest: Array = 1.0 - direction * direction.sum(axis=0) / (direction * direction).sum(axis=0)
    return rest


def normalized(x: Array, eps: float) -> Array:
    """x_hat."""
    x_hat: Array = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    return x_hat


HIDING: tuple[Callable[[Array, Array, float], Array], ...] = (
    lambda x, gamma, eps: x - x.mean(axis=0),  # nothing goes through the mean where dy sums to 0
    lambda x, gamma, eps: np.ones_like(x),  # nothing through the variance where dy is orthogonal to x_hat
    lambda x, gamma, eps: np.ones_like(x),  # dx is 0, whatever the common factor is
    lambda x, gamma, eps: ones_across(x, x - normalized(x, eps)),  # x and x_hat give the same sum
    lambda x, gamma, eps: np.ones_like(x) / gamma,  # all features have the same mean of dx_hat
)


def right_gradients(dy: Array, x: Array, gamma: Array, eps: float) -> tuple[Array, Array, Array]:
    """What the suspects should give."""
    _, cache = reference.batchnorm_forward(x, gamma, np.zeros_like(gamma), eps)
    return reference.batchnorm_backward(dy, cache)


class Tried:
    """A suspect, tried on one upstream gradient; nothing is tried where that is not finite."""

    def __init__(self, suspect: Suspect, dy: Array, arguments: Arguments) -> None:
        x, gamma, eps = arguments
        self.finite = bool(np.all(np.isfinite(dy)))
        self.empty = [int(j) for j in np.flatnonzero(~np.any(dy, axis=0))]
        dy = dy if self.finite else np.zeros_like(x)
        self.gradients = dict(zip(NAMES, suspect(dy, *arguments), strict=True))
        self.right = dict(zip(NAMES, right_gradients(dy, *arguments), strict=True))
        self.size = scale_of_pair((dy, x, gamma, gamma, eps))
        total = np.abs(dy).sum(axis=0)
        largest = np.abs(gamma) / np.sqrt(x.var(axis=0) + eps) * np.abs(dy).max(axis=0)
        self.natural = {"dx": largest, "dgamma": total, "dbeta": total}

    def shows(self) -> bool:
        """Whether some gradient is clearly off."""
        return any(
            np.any(np.abs(self.gradients[name] - self.right[name]) > CLEARLY * self.natural[name] + 1e-6 * size.max())
            for name, size in self.natural.items()
        )

    def difference(self) -> str:
        """The first gradient that is off at all, in words; "" when all are right to rounding."""
        for name in NAMES:
            tolerance = np.broadcast_to(1e-9 * self.size[name], self.right[name].shape)
            mismatch = worst(name, self.gradients[name], self.right[name], tolerance)
            if mismatch is not None:
                return str(mismatch)
        return ""


def bug(
    number: int, suspect: Suspect, line: int, last: int, hiding: Callable[[Array, Array, float], Array]
) -> Exercise:
    """The exercise on one suspect."""
    name = suspect.__name__

    def answer(x: Array, gamma: Array, eps: float) -> Answer:
        return line, first_sample(x), hiding(x, gamma, eps)

    exercise = Exercise(
        Signature(f"bug_{number}", ("x", "gamma", "eps"), ("line", "shows", "hides"), answer),
        problem=layer,
        scale=lambda arguments: {"line": np.ones(()), "shows": np.ones(()), "hides": np.ones(())},
        section=SECTION,
        whole_probes=(),
        plain=True,
    )

    @exercise.property(points=1, nudge="Does a dy drawn at random show it? What is special about those that don't?")
    def shows_the_bug(f: Asked, draw: Draw) -> None:
        """finds a dy with which the suspect gives gradients that are clearly wrong"""
        missed = 0  # once in thousands of draws a dy that follows x hides what it shows on all others
        for problem in PROBLEMS:
            arguments = layer(draw, problem)
            tried = Tried(suspect, f(arguments, only=("shows",))["shows"], arguments)
            if not tried.finite:
                raise Refused("Your shows holds NaN or infinity: nothing can be tested with it.")
            missed += not tried.shows()
            if missed > 1:
                other = Tried(suspect, f(arguments, only=("hides",))["hides"], arguments)
                if other.shows() and not tried.difference():
                    raise Refused("Your shows hides the bug, and your hides shows it: are the two exchanged?")
                raise Refused(
                    f"With your shows, {name} gives the right gradients, or nearly, for x of shape "
                    f"{arguments[0].shape}: a test with a tolerance of {CLEARLY:g} passes."
                )

    @exercise.property(points=1, nudge="Which sum over the batch does the wrong line get wrong? When is that sum 0?")
    def hides_the_bug(f: Asked, draw: Draw) -> None:
        """finds a dy, not zero in any feature, with which all three of the suspect's gradients are right to rounding"""
        for problem in PROBLEMS:
            arguments = layer(draw, problem)
            tried = Tried(suspect, f(arguments, only=("hides",))["hides"], arguments)
            if not tried.finite:
                raise Refused("Your hides holds NaN or infinity: nothing can be tested with it.")
            if tried.empty:
                raise Refused(
                    f"Your hides is 0 throughout feature {tried.empty[0]}. Of dy = 0 every backward makes 0: that "
                    "hides all bugs, and nobody tests with it."
                )
            off = tried.difference()
            if off:
                raise Refused(f"With your hides the bug still shows, for x of shape {arguments[0].shape}: {off}.")

    @exercise.property(
        points=1, needs="shows_the_bug", nudge="Which is the first line that does not compute what its name says?"
    )
    def names_the_line(f: Asked, draw: Draw) -> None:
        """names the one line that is wrong, by the number behind it"""
        said = float(f(layer(draw, PROBLEMS[0]), only=("line",))["line"])
        if said not in range(1, last + 1):
            raise Refused(f"There is no line {said:g} in {name}: the numbers go from 1 to {last}.")
        if said != line:
            raise Refused(f"Line {said:g} of {name} is right: given what stands before it, it computes what it should.")

    return exercise


BUGS = tuple(
    bug(number, suspect, line, last, hiding)
    for number, ((suspect, line, last), hiding) in enumerate(zip(SUSPECTS, HIDING, strict=True), start=1)
)
