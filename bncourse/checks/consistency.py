"""Is a backward right for the forward that it comes with?

Its truth is the reference's gradient. But a backward that is the exact derivative of a forward with a *known* mistake
has done its part; and beside a forward that is wrong in an unknown way nothing can be said about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..gradcheck import numerical_gradients
from .answers import Array
from .asking import Asked, Truth
from .diagnosis import Diagnosis, agree, by_value, look
from .exercise import Arguments, Exercise

LOOSELY = 1e3
"""Richardson's extrapolation is right to about 1e-10; the tolerance for answers, 1e-9 of the scale, allows no more."""


@dataclass(frozen=True)
class ForwardVerdict:
    """What is to be said about the student's forward."""

    wrong: bool
    named: Sequence[Diagnosis] = ()
    """The mistakes that explain its numbers."""


def judge_forward(exercise: Exercise, functions: tuple[object, ...], seed: int) -> ForwardVerdict:
    """Whether the forward that a backward came with is right, and if not, why."""
    forward = exercise.forward
    if forward is None:
        return ForwardVerdict(False)
    student = Asked(functions[:1], forward)
    seen = look(forward, student, seed)
    if all(agree(one, right) for one, right in zip(seen.outcomes, seen.right, strict=True)):
        return ForwardVerdict(False)
    return ForwardVerdict(True, by_value(forward, student, seen, seed))


def derivative_of(exercise: Exercise, forward: Diagnosis) -> Truth:
    """The gradients of a forward with a known mistake, by finite differences."""

    def right(arguments: Arguments) -> Mapping[str, Array]:
        dy, *inputs = arguments
        count = len(exercise.signature.returns)
        rest = inputs[count:]

        def wrong(*moved: Array) -> tuple[Array, None]:
            assert forward.predict is not None
            return forward.predict((*moved, *rest))["y"], None

        gradients = numerical_gradients(wrong, inputs[:count], dy, method="richardson")
        return dict(zip(exercise.signature.returns, gradients, strict=True))

    return right
