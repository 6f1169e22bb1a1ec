"""Does the code compute what the page defines?  Which function of `bncourse.functional` a definition must equal."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from bncourse import functional as F

from .arithmetic import Undefined
from .domains import Samples
from .evaluate import Definition, Scope, World, evaluate
from .polynomial import Index
from .prove import Disagreement, Entry, after
from .tex import TexError

SIZES = {"N": 5, "D": 3, "C": 2, "H": 2, "W": 3, "T": 3, "K": 2, "P": 2, "Q": 2, "B": 2, "G": 2}


class Values:
    """The drawn numbers as float64 arrays: v("x", "ND") has shape (5, 3)."""

    def __init__(self, world: World):
        self.world = world

    def __call__(self, name: str, form: str = "") -> np.ndarray:
        shape = tuple(SIZES[sort] for sort in form)
        array = np.empty(shape)
        for position in np.ndindex(shape):
            indices = tuple(Index(p + 1, sort) for p, sort in zip(position, form, strict=True))
            array[position] = float(self.world.lookup(name, indices))
        return array

    @property
    def column(self) -> np.ndarray:
        """The one feature of the pages that drop its index, shape (N, 1)."""
        return self("x", "N")[:, None]

    @property
    def eps(self) -> float:
        return float(self("\\varepsilon"))


def _one(array) -> np.ndarray:
    """The single feature without its axis."""
    return np.asarray(array)[..., 0]


def _images(v: Values):
    """(mean, biased variance) of each channel, from what batchnorm2d_forward keeps."""
    x = v("x", "NCHW")
    mean, _ = F.update_running_stats2d(np.zeros(x.shape[1]), np.ones(x.shape[1]), x, momentum=1.0)
    _, cache = F.batchnorm2d_forward(x, np.ones(x.shape[1]), np.zeros(x.shape[1]), v.eps)
    return mean, cache.inv_std**-2 - v.eps


def _image_layer(v: Values):
    """Output and cache of batch normalization of images."""
    return F.batchnorm2d_forward(v("x", "NCHW"), v("\\gamma", "C"), v("\\beta", "C"), v.eps)


def _merged(v: Values):
    """(mean, variance) of all parts of a list together."""
    return F.merge_statistics(v("\\nu", "P"), v("\\bar{x}", "P")[:, None], v("v", "P")[:, None])


def _running_mean(v: Values) -> np.ndarray:
    """One step of the running mean, from a batch whose mean is ξ."""
    batch = [[v("\\xi") - 1], [v("\\xi") + 1]]
    return _one(F.update_running_stats([v("r_old")], [1.0], batch, v("\\alpha"))[0])


def _population(v: Values):
    """(mean, variance) of all samples, merged from shards of drawn sizes."""
    sizes = [int(size) for size in v("\\nu", "P")]
    shards = [
        np.array([[float(v.world.lookup("x", (Index(i, "N"), Index(p, "P"))))] for i in range(1, size + 1)])
        for p, size in enumerate(sizes, start=1)
    ]
    return F.merge_statistics(sizes, [F.batch_mean(x) for x in shards], [F.batch_variance(x) for x in shards])


def _folded(v: Values):
    """(weight, bias) of a dense layer that has taken in the normalization behind it."""
    of_outputs = (v(name, "D") for name in ("b", "\\gamma", "\\beta", "\\bar{\\mu}", "\\bar{\\sigma}^2"))
    return F.fold_linear(v("w", "DQ"), *of_outputs, v.eps)


def _normalized(v: Values) -> np.ndarray:
    return F.normalize(v.column, F.batch_mean(v.column), F.batch_variance(v.column), v.eps)


def _layer(v: Values):
    return F.layernorm_forward(v("x", "ND"), v("\\gamma", "D"), v("\\beta", "D"), v.eps)


def _instance(v: Values):
    return F.instancenorm_forward(v("x", "NCHW"), v("\\gamma", "C"), v("\\beta", "C"), v.eps)


def _one_group(v: Values):
    return F.groupnorm_forward(v("x", "NCHW"), v("\\gamma", "C"), v("\\beta", "C"), 1, v.eps)


def _rms(v: Values):
    return F.rmsnorm_forward(v("x", "ND"), v("\\gamma", "D"), v.eps)


PINNED: dict[str, Callable[[Values], object]] = {
    "def-mean": lambda v: _one(F.batch_mean(v.column)),
    "def-mean-feature": lambda v: F.batch_mean(v("x", "ND")),
    "def-variance": lambda v: _one(F.batch_variance(v.column)),
    "def-variance-feature": lambda v: F.batch_variance(v("x", "ND")),
    "def-unbiased-variance": lambda v: _one(F.update_running_stats([0.0], [1.0], v.column, momentum=1.0)[1]),
    "def-s": lambda v: _one(F.identity_parameters(v.column, v.eps)[0]),
    "def-s-feature": lambda v: F.identity_parameters(v("x", "ND"), v.eps)[0],
    "def-grand-mean": lambda v: _one(F.batch_mean(v("x", "ND").reshape(-1, 1))),
    "def-x-hat-feature": lambda v: F.batchnorm_forward(v("x", "ND"), np.ones(SIZES["D"]), np.zeros(SIZES["D"]), v.eps)[
        0
    ],
    "def-x-hat": lambda v: _one(_normalized(v)),
    "def-normalize": lambda v: _one(_normalized(v)),
    "def-y": lambda v: _one(F.batchnorm_forward(v.column, [v("\\gamma")], [v("\\beta")], v.eps)[0]),
    "def-pooled-mean": lambda v: _one(_merged(v)[0]),
    "def-pooled-variance": lambda v: _one(_merged(v)[1]),
    "def-mean-channel": lambda v: _images(v)[0],
    "def-variance-channel": lambda v: _images(v)[1],
    "def-s-channel": lambda v: 1 / _image_layer(v)[1].inv_std,
    "def-x-hat-channel": lambda v: _image_layer(v)[1].x_hat,
    "def-y-channel": lambda v: _image_layer(v)[0],
    "def-y-feature": lambda v: F.batchnorm_forward(v("x", "ND"), v("\\gamma", "D"), v("\\beta", "D"), v.eps)[0],
    "def-running": _running_mean,
    "def-inference": lambda v: _one(
        F.batchnorm_inference(
            v.column, [v("\\gamma")], [v("\\beta")], [v("\\bar{\\mu}")], [v("\\bar{\\sigma}^2")], v.eps
        )
    ),
    "def-folded-weight": lambda v: _folded(v)[0],
    "def-folded-bias": lambda v: _folded(v)[1],
    "def-population-mean": lambda v: _one(_population(v)[0]),
    "def-population-variance": lambda v: _one(_population(v)[1]),
    "def-layer-variance": lambda v: _layer(v)[1].inv_std ** -2 - v.eps,
    "def-layer-hat": lambda v: _layer(v)[1].x_hat,
    "def-layer-y": lambda v: _layer(v)[0],
    "def-instance-hat": lambda v: _instance(v)[1].x_hat,
    "def-instance-y": lambda v: _instance(v)[0],
    "def-group-variance": lambda v: _one_group(v)[1].inv_std[:, 0] ** -2 - v.eps,
    "def-group-hat": lambda v: _one_group(v)[1].x_hat,
    "def-group-y": lambda v: _one_group(v)[0],
    "def-own-scale": lambda v: F.layernorm_forward(v.column.T, v("\\gamma", "N"), v("\\beta", "N"), v.eps)[0][0],
    "def-rms": lambda v: 1 / _rms(v)[1].inv_rms,
    "def-rms-hat": lambda v: _rms(v)[1].x_hat,
    "def-rms-y": lambda v: _rms(v)[0],
}


def agrees_with_code(entry: Entry) -> None:
    """Raise Disagreement unless the page's definition and the function give the same numbers."""
    label = entry.equation.label
    definition = entry.defines[0]
    context = after(entry)
    for draw in range(12):
        world = World(Samples(SIZES, draw), context.definitions, context.functions)
        try:
            page = _values_of(definition, world)
            break
        except Undefined:
            continue
    else:
        raise TexError("no draw gives a value")
    code = np.asarray(PINNED[label](Values(World(Samples(SIZES, draw), {}, {}))), float)
    if page.shape != code.shape or not np.allclose(page, code, rtol=1e-10, atol=1e-12):
        raise Disagreement(f"the page gives {page.ravel()[:3]}, the code {code.ravel()[:3]}")


def _values_of(definition: Definition, world: World) -> np.ndarray:
    """The defined symbol, or the function at its own letters, for every value of the indices."""
    shape = tuple(SIZES[sort] for sort in definition.sorts)
    array = np.empty(shape)
    for position in np.ndindex(shape):
        indices = tuple(Index(p + 1, sort) for p, sort in zip(position, definition.sorts, strict=True))
        letters = dict(zip(definition.letters, indices, strict=True))
        value = (
            evaluate(definition.body, Scope(world, letters))
            if definition.arguments
            else world.lookup(definition.name, indices)
        )
        array[position] = float(value) if isinstance(value, Fraction | int) else float(str(value))
    return array
