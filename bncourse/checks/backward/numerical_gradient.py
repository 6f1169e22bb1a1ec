"""What is asked of `numerical_gradient`, and how is it got wrong?

It is judged by functions it has not seen, and by what a central difference with this h is, not by the true gradient:
from third degree on they differ, by h² f'''/6 and more, so h shows.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..callbacks import (
    Callback,
    batchnorm_loss,
    exponential,
    mixture,
    only_near,
    product,
    quadratic,
    refusing,
    waves,
)
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import ROUGHLY
from ..reading import Factor, Reading, Term

SECTION = "gradient-checking"
H = 1e-5
"""The default step that the course asks for."""


def of_shape(draw: Draw, shape: tuple[int, ...], whole: bool = False) -> Array:
    """A point, no element near 0."""
    size = int(np.prod(shape))
    if whole:
        return draw.random.choice([-1, 1], size).reshape(shape) * draw.random.integers(1, 4, size).reshape(shape)
    return draw.away_from_zero(size).reshape(shape)


def f_and_x(draw: Draw, problem: Problem) -> Arguments:
    """A smooth function of x of shape (N, D), or (N,) for D = 1; the problem's eps stands for h. D is 3 at most: f is
    called twice for each element."""
    x = of_shape(draw, (problem.N, min(problem.D, 3)) if problem.D > 1 else (problem.N,), problem.whole)
    return (waves(draw, x), x) if problem.eps is None else (mixture(draw, x), x, problem.eps)


def scale_of_difference(arguments: Arguments) -> Mapping[str, Array]:
    """Each value of f is off by a rounding, 1e-16 of its size for every few operations, and is divided by 2h: so is x
    itself. Ten thousand roundings are allowed."""
    f, _, *h = arguments
    return {"gradient": np.asarray(f.magnitude * (1.0 + 1e-5 / (h[0] if h else H)))}


def formula(text: str, value: Callable[[Array], Any], x: Array, *h: float) -> Arguments:
    """A small call that can be worked out by hand."""
    return (Callback(text, value, x.shape), x, *h)


def square(x: Array) -> Callback:
    """The sum of squares."""
    return Callback("x² (summed)", lambda x: float((x * x).sum()), x.shape)


THREE, TWO_THREE = np.array([3.0]), np.array([2.0, 3.0])
TABLE = np.array([[1.0, 2.0], [3.0, 4.0]])

numerical_gradient = Exercise(
    Signature(
        "numerical_gradient",
        ("f", "x", "h"),
        ("gradient",),
        reference.numerical_gradient,
        restored=frozenset({"x"}),
    ),
    problem=f_and_x,
    scale=scale_of_difference,
    section=SECTION,
    smallest=(
        (square(THREE), THREE, 1.0),
        formula("x³", lambda x: float((x * x * x).sum()), np.array([2.0]), 1.0),
        formula("-x²", lambda x: -float((x * x).sum()), np.array([1.0]), 0.5),
        formula("x[0] · x[1]", lambda x: float(x[0] * x[1]), TWO_THREE, 1.0),
        formula("x[0, 0] · x[0, 1] + x[1, 0] · x[1, 1]", lambda x: float(x[:, 0] @ x[:, 1]), TABLE, 1.0),
        formula("x² / 4", lambda x: float((x * x).sum()) / 4, np.array([3]), 0.5),
        (square(np.array(3.0)), np.array(3.0), 1.0),
        (only_near(square(THREE), THREE, 1.0), THREE, 1.0),
        formula("sin(10000 x) / 10000", lambda x: float(np.sin(1e4 * x).sum()) / 1e4, np.array([0.0])),
    ),
    probes=(
        Problem(3, 1, eps=0.1),
        Problem(2, 3, eps=0.2),
        Problem(3, 2, eps=0.05),
        Problem(4, 1),
        Problem(2, 2),
    ),
    whole_probes=(Problem(3, 1, eps=0.2, whole=True), Problem(2, 3, eps=0.3, whole=True)),
)
"""Without ``axes``: a function of six elements is none of five."""
exercise = numerical_gradient


@exercise.property(points=1, nudge="How many partial derivatives has f? Where in the answer does each of them belong?")
def gradient_has_the_shape_of_x(f: Asked, draw: Draw) -> None:
    """answers with an array of x's shape, whether that is (), (3,), (2, 3) or (2, 2, 2)"""
    for shape in ((), (3,), (2, 3), (2, 2, 2)):
        x = of_shape(draw, shape)
        f((quadratic(draw, x), x, 1e-3))


@exercise.property(points=2, nudge="Move one element of x by a little, all others held still: what does f do?")
def estimates_each_partial_derivative(f: Asked, draw: Draw) -> None:
    """estimates each partial derivative, whatever smooth function comes and however it gives its number"""
    x = of_shape(draw, (3,))
    for callback in (quadratic(draw, x, as_array=True), exponential(draw, x), product(x)):
        f.agrees((callback, x, 1e-4), within=ROUGHLY)
    x = draw.batch(4, 2)
    f.agrees((quadratic(draw, x), x, 1e-4), within=ROUGHLY)
    gradient = f((batchnorm_loss(draw, x), x, 1e-4))["gradient"]
    if not np.all(np.abs(gradient.sum(axis=0)) <= ROUGHLY * np.abs(gradient).sum(axis=0)):
        raise Refused("The gradient of a batch norm layer's loss does not sum to 0 over the batch.")


@exercise.property(points=1, nudge="For f = x², what is (f(x + h) - f(x)) / h? And with f(x - h) in place of f(x)?")
def differences_are_central(f: Asked, draw: Draw) -> None:
    """takes the central difference, which is exact for a polynomial of second degree, however large h is"""
    for shape in ((3,), (2, 2)):
        x = of_shape(draw, shape)
        f.agrees((mixture(draw, x), x, 1e-3), within=ROUGHLY)
        f.agrees((quadratic(draw, x), x, 0.5), within=ROUGHLY)


@exercise.property(points=1, nudge="Where in your function does h come in? How far apart are the two points?")
def steps_by_the_h_it_was_given(f: Asked, draw: Draw) -> None:
    """steps by the h it was given, to either side"""
    for problem in (Problem(3, 1, eps=0.1), Problem(2, 3, eps=0.2)):
        f.agrees(f_and_x(draw, problem))


@exercise.property(points=1, nudge="What is h in your function when nobody gives one?")
def default_step(f: Asked, draw: Draw) -> None:
    """uses h = 1e-5 when none is given"""
    f.agrees(f_and_x(draw, Problem(3, 1)))


@exercise.property(points=1, nudge="What does x[0] += h do to an array of whole numbers? Print it.")
def takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes an x of whole numbers without losing what is behind the point"""
    x = of_shape(draw, (2, 3), whole=True)
    f.agrees((quadratic(draw, x), x, 0.1), within=ROUGHLY)


@exercise.property(points=1, nudge="At which points is f called? Print them: how far from x are they?")
def stays_within_h(f: Asked, draw: Draw) -> None:
    """calls f nowhere but within h of x, since f may have no value further away"""
    x = of_shape(draw, (2, 2))
    f.agrees((only_near(quadratic(draw, x), x, 0.1), x, 0.1), within=0.5)


@exercise.property(
    points=1, needs="estimates_each_partial_derivative", nudge="What becomes of an exception that f raises?"
)
def lets_exceptions_pass(f: Asked, draw: Draw) -> None:
    """lets an exception of f pass to the caller, rather than answer with some number"""
    x = of_shape(draw, (3,))
    outcome = f.outcome((refusing(x), x, 1e-3))
    if outcome.error != "OutOfReach":
        instead = f"raised {outcome.error}" if outcome.error else "answered with numbers"
        raise Refused(f"f raised OutOfReach (it has no value there), but numerical_gradient {instead}.")


@exercise.property(points=1, needs="estimates_each_partial_derivative", nudge="What is x after your function has run?")
def x_is_as_it_was(f: Asked, draw: Draw) -> None:
    """leaves x as it was: what was moved on the way is put back"""
    arguments = f_and_x(draw, Problem(2, 3, eps=0.1))
    f(arguments)
    if "x" in f.outcome(arguments).changed:
        raise Refused("x is not what it was before the call: put each element back, or work on a copy.")


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(h=H)


def values(at: Any, by: Any) -> Array:
    """f at x with one element after the other moved."""
    x = np.asarray(at.x, np.float64)
    result = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += np.broadcast_to(by, x.shape)[index]
        result[index] = at.f(moved)
    return result


@steps.step
def ahead(at: Any) -> Any:
    """how far the upper point lies from x: h"""
    return at.h


@steps.step
def back(at: Any) -> Any:
    """how far the lower point lies from x: h"""
    return at.h


@steps.step
def above(at: Any) -> Any:
    """f with one element of x raised, one after the other"""
    return values(at, at.ahead)


@steps.step
def below(at: Any) -> Any:
    """f with one element of x lowered, one after the other"""
    return values(at, -at.back)


@steps.step
def rise(at: Any) -> Any:
    """the difference of the two"""
    return at.above - at.below


@steps.step
def run(at: Any) -> Any:
    """how far apart the two points lie: 2h"""
    return at.ahead + at.back


@steps.step
def gradient(at: Any) -> Any:
    """rise over run"""
    return at.rise / at.run


# ----------------------------------------------------------------------------------------------------- the difference


@exercise.misconception(Kind.ERROR, SECTION, step="back", about="back")
def forward_difference(at: Any) -> Any:
    """You take a one-sided difference, from x to x + h. Its error shrinks like h, that of the central one like h²: for
    f = x² yours is off by h, and the central one by nothing."""
    return 0.0


@exercise.misconception(Kind.ERROR, SECTION, step="ahead", about="ahead")
def backward_difference(at: Any) -> Any:
    """You take a one-sided difference, from x - h to x. Its error shrinks like h, that of the central one like h²: for
    f = x² yours is off by h, and the central one by nothing."""
    return 0.0


@exercise.misconception(Kind.ERROR, SECTION, step="gradient", about="run back ahead")
def one_side_over_2h(at: Any) -> Any:
    """You move x to one side only but divide by 2h, so the result is half of the derivative. The lower point of a
    central difference is x - h, two steps below the upper one."""
    return (at.above - at.f(at.x)) / (2.0 * at.h)


@exercise.another_way("one_side_over_2h", step="gradient")
def lower_side_over_2h(at: Any) -> Any:
    """From x - h to x."""
    return (at.f(at.x) - at.below) / (2.0 * at.h)


@exercise.misconception(Kind.ERROR, SECTION, step="run")
def divides_by_one_step(at: Any) -> Any:
    """You divide by h where 2h belongs, so the result is twice the derivative: from x - h to x + h it is two steps."""
    return at.h


@exercise.misconception(Kind.ERROR, SECTION, step="gradient", about="run")
def not_divided(at: Any) -> Any:
    """You return the difference of the two values without dividing it by 2h. A derivative is a rise over a run: the
    difference alone goes to 0 with h."""
    return at.rise


@exercise.misconception(Kind.ERROR, SECTION, step="gradient", about="run")
def divides_by_2_and_multiplies_by_h(at: Any) -> Any:
    """You divide by 2 and then multiply by h, for `a / 2 * h` means (a / 2) * h. Put the run in parentheses:
    a / (2 * h)."""
    return at.rise / 2.0 * at.h


@exercise.misconception(Kind.ERROR, SECTION, step="gradient", about="rise")
def only_the_lower_value_divided(at: Any) -> Any:
    """You divide only the second value, for `a - b / c` means a - (b / c). Put the difference in parentheses:
    (f(x + h) - f(x - h)) / (2 * h)."""
    return at.above - at.below / (2.0 * at.h)


@exercise.misconception(Kind.ERROR, SECTION, step="rise")
def difference_the_other_way_round(at: Any) -> Any:
    """You subtract the upper value from the lower one, so every derivative has the wrong sign. For f that grows with x
    the derivative is positive: f(x + h) - f(x - h)."""
    return at.below - at.above


@exercise.misconception(Kind.ERROR, SECTION, step="rise")
def values_added(at: Any) -> Any:
    """You add the two values where their difference belongs. A derivative says how much f changes from one point to the
    other, so a constant added to f must not be seen."""
    return at.above + at.below


@exercise.misconception(Kind.ERROR, SECTION, step="rise")
def sign_lost(at: Any) -> Any:
    """You take the absolute value of the difference. A gradient has a sign, which says whether f grows or falls: yours
    is never negative."""
    return np.abs(at.above - at.below)


@exercise.misconception(Kind.ERROR, SECTION, step="gradient", about="rise run")
def second_derivative(at: Any) -> Any:
    """You compute the second derivative, f(x + h) - 2 f(x) + f(x - h) over h². It says how f bends; the gradient is how
    it climbs, (f(x + h) - f(x - h)) / (2h)."""
    return (at.above - 2.0 * at.f(at.x) + at.below) / at.h**2


@exercise.misconception(Kind.ERROR, SECTION, step="gradient", about="ahead back run")
def five_points(at: Any) -> Any:
    """You combine four values, at h and at 2h from x. That is a difference of higher order: more exact, but not the
    central one that is asked for, and it calls f where f may have no value, 2h away."""
    return (8.0 * at.rise - (values(at, 2.0 * at.h) - values(at, -2.0 * at.h))) / (12.0 * at.h)


@exercise.another_way("five_points", step="gradient")
def with_half_steps(at: Any) -> Any:
    """Richardson's extrapolation from h and h/2."""
    half = values(at, at.h / 2.0) - values(at, -at.h / 2.0)
    return (8.0 * half - at.rise) / (6.0 * at.h)


# ------------------------------------------------------------------------------------------------------------------- h


@exercise.misconception(Kind.ERROR, SECTION, step="h", about="h")
def h_ignored(at: Any) -> Any:
    """You step by an h of your own and ignore the one that is given. How large a step is right depends on f, and who
    calls you knows f: use the argument."""
    return H


def with_fixed_h(constant: float) -> Callable[[Any], Any]:
    """A step of its own, whatever is given."""
    return lambda at: constant


for other in (1e-2, 1e-3, 1e-4, 1e-6, 1e-7, 1e-8):
    exercise.another_way("h_ignored", step="h")(with_fixed_h(other))


@exercise.misconception(Kind.CONVENTION, SECTION, step="h", about="h")
def another_default_h(at: Any) -> Any:
    """Your h is not 1e-5 when none is given. Other courses and libraries take another default; this one asks for 1e-5,
    which balances the error of the difference against rounding for values around 1."""
    return at.given.get("h", 1e-4)


def with_default_h(constant: float) -> Callable[[Any], Any]:
    """Another default."""
    return lambda at: at.given.get("h", constant)


for other in (1e-2, 1e-3, 1e-6, 1e-7, 1e-8, float(np.finfo(float).eps ** (1 / 3)), float(np.finfo(float).eps ** 0.5)):
    exercise.another_way("another_default_h", step="h")(with_default_h(other))


@exercise.misconception(Kind.ERROR, SECTION, step="h", about="h")
def half_the_step(at: Any) -> Any:
    """You step by h/2 to either side, so that the two points lie h apart. Some books define it so; here h is the step
    itself, to either side, and the points lie 2h apart."""
    return at.h / 2.0


@exercise.misconception(Kind.ERROR, SECTION, step="h", about="h")
def step_relative_to_x(at: Any) -> Any:
    """You make the step grow with x. Some libraries choose their own h so, but here h is the step itself: f may have no
    value further than h from x."""
    return at.h * np.maximum(1.0, np.abs(at.x))


@exercise.another_way("step_relative_to_x", step="h")
def step_times_x(at: Any) -> Any:
    """Proportional."""
    return at.h * np.abs(at.x)


@exercise.another_way("step_relative_to_x", step="h")
def step_times_one_plus_x(at: Any) -> Any:
    """With 1 + |x|."""
    return at.h * (1.0 + np.abs(at.x))


# --------------------------------------------------------------------------------------------------- the loop over x


@exercise.misconception(Kind.ERROR, SECTION, about="x gradient")
def all_elements_at_once(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """You move all elements of x at once, so what comes out is the sum of all partial derivatives. Move one element,
    hold the others still, and do so for each in turn."""
    return (f(x + h) - f(x - h)) / (2 * h)


@exercise.another_way("all_elements_at_once")
def all_elements_at_once_everywhere(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """The same number in each place."""
    return np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h))


@exercise.misconception(Kind.ERROR, SECTION, about="x gradient")
def only_along_the_first_axis(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """You go along the first axis of x only and move whole rows, so each element gets the sum of its row. x may have
    any shape: go through all its indices, as np.ndindex(x.shape) does."""
    gradient = np.zeros(x.shape)
    for i in range(len(x)):
        above, below = x.astype(float), x.astype(float)
        above[i] += h
        below[i] -= h
        gradient[i] = (f(above) - f(below)) / (2 * h)
    return gradient


@exercise.another_way("only_along_the_first_axis")
def one_number_a_row(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """Of shape (N,)."""
    gradient = np.zeros(len(x))
    for i in range(len(x)):
        above, below = x.astype(float), x.astype(float)
        above[i] += h
        below[i] -= h
        gradient[i] = (f(above) - f(below)) / (2 * h)
    return gradient


@exercise.misconception(Kind.ERROR, SECTION, about="x gradient")
def only_the_first_element(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """You return after the first element, so all other derivatives are 0: is the return statement inside the loop? It
    belongs behind it."""
    gradient = np.zeros(x.shape)
    gradient.flat[0] = central(f, x, h).flat[0]
    return gradient


@exercise.misconception(Kind.ERROR, SECTION, about="x gradient")
def only_the_last_element(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """You keep the derivative by the last element only, since the array for the result is made anew in every round, or
    the assignment stands behind the loop."""
    gradient = np.zeros(x.shape)
    gradient.flat[-1] = central(f, x, h).flat[-1]
    return gradient


@exercise.misconception(Kind.ERROR, SECTION, about="gradient")
def gradient_left_flat(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """You return the gradient as one long row. It has a number for each element of x, in its place: reshape it to x's
    shape at the end."""
    return central(f, x, h).ravel()


@exercise.misconception(Kind.ERROR, SECTION, about="gradient")
def partial_derivatives_added_up(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """You add the partial derivatives up to one number. The gradient keeps them apart, one for each element of x, in
    its place."""
    return float(central(f, x, h).sum())


def central(f: Callable[[Array], Any], x: Array, h: float) -> Array:
    """The right gradient."""
    gradient: Array = exercise.from_steps({})(f, x, h)
    return gradient


# -------------------------------------------------------------------------------------------------------- the array x


@exercise.misconception(Kind.ERROR, SECTION, about="x")
def x_not_put_back(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """You do not put an element of x back before you move the next one. The later differences are taken at another
    point, and whoever called you gets x back changed: restore it after its two values, or work on a copy each time."""
    return moved_in_place(f, x.astype(float), h)


@exercise.another_way("x_not_put_back")
def callers_x_not_put_back(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """On the caller's array."""
    return moved_in_place(f, x, h)


@exercise.another_way("x_not_put_back")
def left_above(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """First down, then up."""
    x = x.astype(float)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        x[index] -= h
        below = f(x)
        x[index] += 2 * h
        gradient[index] = (f(x) - below) / (2 * h)
    return gradient


def moved_in_place(f: Callable[[Array], Any], x: Array, h: float) -> Array:
    """Each element stays where its second value was taken."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        x[index] += h
        above = f(x)
        x[index] -= 2 * h
        gradient[index] = (above - f(x)) / (2 * h)
    return gradient


@exercise.misconception(Kind.ERROR, SECTION, sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """The gradient is an array like x."""
    gradient = np.zeros_like(x)
    gradient[...] = central(f, x, h)
    return gradient


@exercise.misconception(Kind.ERROR, SECTION)
def step_lost_in_whole_numbers(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """You add h to an array of whole numbers, which cuts off what is behind the point: 3 + 0.1 stays 3, and 3 - 0.1
    becomes 2. Make a float array of x first."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] = above[index] + h
        below[index] = below[index] - h
        gradient[index] = (f(above) - f(below)) / (2 * h)
    return gradient


@exercise.another_way("step_lost_in_whole_numbers")
def step_and_gradient_lost(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """The gradient is an array like x, too."""
    gradient = np.zeros_like(x)
    gradient[...] = step_lost_in_whole_numbers(f, x, h)
    return gradient


@exercise.another_way("step_lost_in_whole_numbers")
def steps_there_and_back_lost(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """Moved in place: h up, 2h down, h up, each cut off."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        x[index] = x[index] + h
        above = f(x)
        x[index] = x[index] - 2 * h
        below = f(x)
        x[index] = x[index] + h
        gradient[index] = (above - below) / (2 * h)
    return gradient


@exercise.another_way("step_lost_in_whole_numbers")
def steps_there_and_back_and_gradient_lost(f: Callable[[Array], Any], x: Array, h: float = H) -> Any:
    """Moved in place, and the gradient is an array like x, too."""
    gradient = np.zeros_like(x)
    gradient[...] = steps_there_and_back_lost(f, x, h)
    return gradient


# ----------------------------------------------------------------------------------------------- what nobody foresaw

exercise.read(
    Reading(
        "gradient",
        terms=(
            Term("difference", "the central difference", lambda at: at.rise / at.run, SECTION, "", "rise run"),
            Term(
                "bend",
                "a part of f(x + h) - 2 f(x) + f(x - h)",
                lambda at: (at.above - 2.0 * at.f(at.x) + at.below) / at.run,
                SECTION,
                "It comes in when the two points do not lie equally far from x.",
                "above below back ahead",
                foreign=True,
            ),
            Term(
                "value",
                "a multiple of f(x) itself",
                lambda at: at.f(at.x) / at.run,
                SECTION,
                "A constant added to f must not be seen.",
                "above below rise",
                foreign=True,
            ),
        ),
        factors=(Factor("h", lambda at: at.h, "h run"), Factor("x.size", lambda at: at.x.size, "gradient x")),
        per="whole",
    )
)
