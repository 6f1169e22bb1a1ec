"""The exercises of `variants` whose reference stands beside their checks, as cases: two sets of axes, and a mask."""

import numpy as np

from .cases import CASES, EPSES, Case, Draw, Inputs, Quantities, named, plain, spread_out, statistics

LAYOUTS = {
    (3, 4, 5, 2): ((2, 3), (1,)),
    (2, 3, 4, 4): ((1, 2, 3), (1, 2, 3)),
    (3, 3, 3, 3): ((0, 2, 3), (1,)),
    (4, 4): ((1,), (1,)),
    (7, 3): ((0,), (1,)),
    (3, 7): ((1,), (1,)),
    (4, 3, 3): ((0, 1), (2,)),
    (2, 5, 4): ((2,), (2,)),
    (3, 2, 2, 4): ((0, 2), (1, 3)),
}
"""Shape of x: the reduced and the affine axes."""

SEQUENCES = ((4, 5, 3), (3, 4, 4), (5, 3, 2), (2, 6, 1), (6, 2, 5))
SPECIAL = ("low", "constant", "whole", "gamma")


def values_in_sets(random: np.random.Generator, draw: Draw, sets: tuple[int, ...]) -> np.ndarray:
    """x: what shares a mean has a mean and a deviation of its own; ``sets`` is the shape of the means."""
    if draw.special == "whole":
        return random.integers(-9, 10, draw.shape)
    sd, mean = random.uniform(0.3, 3.0, sets), 2 * spread_out(random, sets)
    last = (-1,) * len(sets)
    if draw.special == "low":
        sd[last] = 4e-3
    if draw.special == "constant":
        sd[last], mean[last] = 0.0, 2.5
    return mean + sd * random.standard_normal(draw.shape)


def laid_out_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """The arguments of normalize_over."""
    reduced, affine = LAYOUTS[draw.shape]
    x = values_in_sets(random, draw, tuple(1 if a in reduced else n for a, n in enumerate(draw.shape)))
    own = tuple(draw.shape[a] for a in affine)
    gamma, beta = spread_out(random, own), spread_out(random, own)
    if draw.special == "gamma":
        gamma[(-1,) * len(own)] = 0.0
    return {"x": x, "gamma": gamma, "beta": beta, "reduced": reduced, "affine": affine, "eps": draw.eps}


def masked_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """The arguments of batchnorm_masked: at least two real steps, any numbers in the padding."""
    N, T, D = draw.shape
    mask = np.arange(T) < random.integers(1, T + 1, N)[:, None]
    mask[0, :2], mask[-1, -1] = True, False
    x = values_in_sets(random, draw, (1, 1, D))
    x[~mask] = random.integers(-20, 21, ((~mask).sum(), D))
    gamma, beta = spread_out(random, D), spread_out(random, D)
    if draw.special == "gamma":
        gamma[-1] = 0.0
    return {"x": x, "mask": mask, "gamma": gamma, "beta": beta, "eps": draw.eps}


def laid_out_quantities(inputs: Inputs) -> Quantities:
    """The statistics over the reduced axes; gamma and beta along the affine ones."""
    x = np.asarray(inputs["x"], dtype=np.float64)
    known = statistics(x, inputs["reduced"], inputs["eps"])
    shape = [n if a in inputs["affine"] else 1 for a, n in enumerate(x.shape)]
    gamma, beta = inputs["gamma"].reshape(shape), inputs["beta"].reshape(shape)
    values = x.size // known["mean"].size
    return [*named(known, inputs["eps"], values), *lengths(x), *scaled(x, gamma, beta, known["x_hat"])]


def masked_quantities(inputs: Inputs) -> Quantities:
    """The statistics of the real steps."""
    x, mask = np.asarray(inputs["x"], dtype=np.float64), inputs["mask"]
    known = statistics(x[mask], (0,), inputs["eps"])
    everywhere = known | {"centred": x - known["mean"], "x_hat": (x - known["mean"]) / known["std"]}
    return [
        *named(known, inputs["eps"], int(mask.sum())),
        *named(everywhere, inputs["eps"], mask.size),
        *lengths(x),
        *scaled(x, inputs["gamma"], inputs["beta"], everywhere["x_hat"]),
        (("mask",), mask),
        (("mask", "x"), np.where(mask[:, :, None], x, 0.0)),
        (("padding", "mask"), ~mask),
    ]


def lengths(x: np.ndarray) -> Quantities:
    """Of the axes; a number by which one divides may be any of them."""
    return [(("N",), length) for length in x.shape]


def scaled(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, x_hat: np.ndarray) -> Quantities:
    """What is made of x_hat."""
    return [
        (("x",), x),
        (("gamma",), gamma),
        (("beta",), beta),
        (("gamma", "x_hat"), gamma * x_hat),
        (("y",), gamma * x_hat + beta),
    ]


for case in (
    Case(
        "normalize_over",
        ("normalize_over",),
        laid_out_inputs,
        plain("x", "gamma", "beta", "reduced", "affine", "eps", returns=("y",)),
        laid_out_quantities,
        tuple(LAYOUTS),
        ("y",),
        SPECIAL,
        epses=EPSES,
    ),
    Case(
        "batchnorm_masked",
        ("batchnorm_masked",),
        masked_inputs,
        plain("x", "mask", "gamma", "beta", "eps", returns=("y",)),
        masked_quantities,
        SEQUENCES,
        ("y",),
        SPECIAL,
        epses=EPSES,
    ),
):
    CASES[case.name] = case
