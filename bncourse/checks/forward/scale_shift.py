"""What is asked of `scale_shift`, and how is it got wrong?"""

from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..inputs import ONE, WHOLE, leaves_alone
from ..reading import Reading, Term
from .inputs import scale_of_scale_shift, with_parameters

scale_shift = Exercise(
    Signature("scale_shift", ("x_hat", "gamma", "beta"), ("y",), reference.scale_shift),
    problem=with_parameters,
    scale=scale_of_scale_shift,
    smallest=(
        (np.array([[-1.0], [1.0]]), 2 * ONE, 3 * ONE),
        (WHOLE, 0.5 * ONE, ONE),
        (np.array([[-1.0, 1.0], [1.0, -1.0]]), np.array([2.0, 3.0]), np.array([0.0, 5.0])),
        (np.array([[-1.0, 1.0], [1.0, -1.0], [0.0, 0.0]]), np.array([2.0, 3.0]), np.array([0.0, 5.0])),
    ),
    section="scale-shift",
    axes={"x_hat": "ND", "gamma": "D", "beta": "D"},
)


@scale_shift.property(points=1)
def y_has_the_shape_of_x_hat(f: Asked, draw: Draw) -> None:
    """answers with an array of x_hat's shape, (N, D)"""
    f(with_parameters(draw, Problem(7, 3)))


@scale_shift.property(points=3)
def multiplies_by_gamma(f: Asked, draw: Draw) -> None:
    """multiplies each feature by its own gamma, also when N = D"""
    for N, D in ((7, 3), (4, 4)):
        x_hat, gamma, beta = with_parameters(draw, Problem(N, D))
        f.agrees((x_hat, gamma, 0 * beta))


@scale_shift.property(points=2)
def adds_beta(f: Asked, draw: Draw) -> None:
    """adds to each feature its own beta, also when N = D"""
    for N, D in ((7, 3), (4, 4)):
        x_hat, gamma, beta = with_parameters(draw, Problem(N, D))
        f.agrees((x_hat, np.ones_like(gamma), beta))


@scale_shift.property(points=2)
def scales_first(f: Asked, draw: Draw) -> None:
    """scales first and shifts afterwards"""
    for N, D in ((7, 3), (4, 4), (3, 5)):
        f.agrees(with_parameters(draw, Problem(N, D)))


@scale_shift.property(points=1)
def scales_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    x_hat, gamma, beta = with_parameters(draw, Problem(5, 3, whole=True))
    f.agrees((x_hat, np.ones_like(gamma), beta))


@scale_shift.property(points=1, needs="multiplies_by_gamma")
def scale_shift_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x_hat, gamma and beta as they were"""
    leaves_alone(f, with_parameters(draw, Problem(5, 3)))


steps = scale_shift.in_steps()


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta"""
    return at.gamma * at.x_hat + at.beta


@scale_shift.misconception(Kind.ERROR, "scale-shift", step="y", about="gamma beta")
def shifts_before_it_scales(at: Any) -> Any:
    """You add beta first and then multiply by gamma, so the shift is gamma * beta. Multiply first: beta is then the
    mean of the output, whatever gamma is."""
    return at.gamma * (at.x_hat + at.beta)


@scale_shift.misconception(Kind.ERROR, "scale-shift", step="y", about="gamma")
def gamma_ignored(at: Any) -> Any:
    """You leave gamma out. Without it every feature leaves with variance 1, and the layer cannot learn another
    scale."""
    return at.x_hat + at.beta


@scale_shift.misconception(Kind.ERROR, "scale-shift", step="y", about="beta")
def beta_ignored(at: Any) -> Any:
    """You leave beta out. Without it every feature leaves with mean 0, and the layer cannot learn another one."""
    return at.gamma * at.x_hat


@scale_shift.misconception(Kind.ERROR, "scale-shift", step="y", about="gamma beta")
def gamma_and_beta_ignored(at: Any) -> Any:
    """You leave gamma and beta out. They are what lets the layer learn another scale and another mean than 1 and 0."""
    return at.x_hat + 0.0


@scale_shift.misconception(Kind.ERROR, "scale-shift", step="y", about="gamma beta")
def gamma_and_beta_swapped(at: Any) -> Any:
    """You multiply by beta and add gamma. It is the other way round: gamma scales, beta shifts."""
    return at.beta * at.x_hat + at.gamma


@scale_shift.misconception(Kind.ERROR, "scale-shift")
def parameters_down_the_rows(x_hat: Array, gamma: Array, beta: Array) -> Any:
    """You spread gamma and beta down the rows, so that sample i gets the parameters of feature i. They belong to the
    columns: shape (D,) broadcasts against (N, D) by itself. Your version runs only when N = D."""
    return gamma[:, None] * x_hat + beta[:, None]


@scale_shift.misconception(Kind.ERROR, "scale-shift")
def matrix_product(x_hat: Array, gamma: Array, beta: Array) -> Any:
    """You take a matrix product, `@` or `dot`, which adds the features of a sample up. Each feature has a gamma of its
    own and stays by itself: multiply element by element, with `*`."""
    return x_hat @ gamma + beta


@scale_shift.another_way("matrix_product")
def matrix_product_in_a_column(x_hat: Array, gamma: Array, beta: Array) -> Any:
    """Spread over the features again."""
    return (x_hat @ gamma)[:, None] + beta


@scale_shift.misconception(Kind.ERROR, "scale-shift", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x_hat: Array, gamma: Array, beta: Array) -> Any:
    """The result is an array like x_hat."""
    y = np.empty_like(x_hat)
    y[:] = gamma * x_hat + beta
    return y


@scale_shift.misconception(Kind.CONTRACT, "scale-shift", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x_hat: Array, gamma: Array, beta: Array) -> Any:
    """Works in place throughout."""
    x_hat *= gamma
    x_hat += beta
    return x_hat


scale_shift.read(
    Reading(
        "y",
        terms=(
            Term(
                "x_hat",
                "the term with x_hat",
                lambda at: at.gamma * at.x_hat,
                "scale-shift",
                about="x_hat",
            ),
            Term("beta", "the term with beta", lambda at: at.beta, "scale-shift", "", "beta"),
        ),
        factors=(q.GAMMA, q.BETA),
    )
)
