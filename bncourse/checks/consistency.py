"""Is a backward right for the forward that it comes with?

Its truth is the reference's gradient. But a backward that is the exact derivative of a forward with a *known* mistake
has done its part; and beside a forward that is wrong in an unknown way nothing can be said about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..gradcheck import numerical_gradients
from .answers import Array
from .asking import Asked, Refused, Truth
from .diagnosis import Diagnosis, agree, by_value, look
from .draw import Draw
from .exercise import Arguments, Exercise, Problem

LOOSELY = 1e3
"""Richardson's extrapolation is right to about 1e-10; the tolerance for answers, 1e-9 of the scale, allows no more."""

SHAPES = (Problem(5, 3, eps=0.1), Problem(3, 3), Problem(3, 4, eps=0.3))
"""On these a backward is compared with the derivative of its forward: N > D, N = D, N < D."""


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


def is_its_derivative(exercise: Exercise, student: Asked, forward: Diagnosis, seed: int) -> bool:
    """Whether the student's backward is the exact derivative of a forward with this mistake."""
    asked = Asked(student.functions, exercise, derivative_of(exercise, forward), LOOSELY)
    try:
        for n, problem in enumerate(SHAPES):
            asked.agrees(exercise.problem(Draw(seed, f"consistent {n}"), problem))
    except Refused:
        return False
    return True


def its_own_truth(student: Asked, exercise: Exercise) -> Asked:
    """The student's functions, held against themselves: what is asked beside the numbers is still asked."""
    return Asked(student.functions, exercise, lambda arguments: student.outcome(arguments).arrays)


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
