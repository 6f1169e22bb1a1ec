"""Which elements can be moved at once, because they share no output?

A colouring says which axes are independent. In batch norm a column of y depends on its own column of x only, so one
evaluation moves an element of every column: N evaluations give all N · D elements of dx (Curtis, Powell & Reid 1974).
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from .derivatives import Array, Derivative, Direction, Function

Coloring: TypeAlias = dict[int, int]  # axis of x -> axis of y: y at an index of it depends on x at that index only


def dependent_axes(a: Array, coloring: Coloring) -> tuple[int, ...]:
    """The axes along which elements share outputs: the batch axis in batch norm, the features in layer norm."""
    return tuple(axis for axis in range(a.ndim) if axis not in coloring)


def probe(f: Function, x: Sequence[Array], which: int, y: Array, rng: np.random.Generator) -> Coloring:
    """Moves single elements of an input, and sees along which axes the outputs that change keep their index.

    It asks two elements that change anything (where γ is 0, x doesn't), in different rows, columns and so on. Two are
    enough, since a projection has to confirm the gradient.
    """
    a, told = x[which], 0
    at = tuple(int(rng.integers(n)) for n in a.shape)
    pairs = {(i, j) for i in range(a.ndim) for j in range(y.ndim) if a.shape[i] == y.shape[j]}
    for _ in range(8):
        if told == 2 or not pairs:
            break
        at = tuple((i + int(rng.integers(1, max(n, 2)))) % n for i, n in zip(at, a.shape, strict=True))
        moved = [b.copy() for b in x]
        moved[which][at] += 1 + np.abs(moved[which][at])
        changed = np.nonzero(f(moved) != y)
        if len(changed[0]):
            pairs = {(i, j) for i, j in pairs if np.all(changed[j] == at[i])}
            told += 1
    coloring: Coloring = {}
    for i, j in sorted(pairs, key=lambda pair: abs((y.ndim - pair[1]) - (a.ndim - pair[0]))) if told else []:
        if i not in coloring and j not in coloring.values():  # where several fit, the one broadcasting would take
            coloring[i] = j
    return coloring


def prescribed(name: str, a: Array, y: Array) -> Coloring:
    """``columns``: along axis 1 of y; ``rows``: along axis 0; ``full``: none, every element is moved alone."""
    i, j = {"columns": (min(1, a.ndim - 1), 1), "rows": (0 if a.ndim == y.ndim else -1, 0), "full": (-1, 0)}[name]
    return {i: j} if i >= 0 and j < y.ndim and a.shape[i] == y.shape[j] else {}


def standardized(a: Array, coloring: Coloring) -> Array:
    """Mean 0 and deviation 1 over the elements that share outputs."""
    axes = dependent_axes(a, coloring) or None
    deviation = np.std(a, axis=axes, keepdims=True)
    return np.asarray((a - np.mean(a, axis=axes, keepdims=True)) / np.where(deviation > 0, deviation, 1.0))


def scale_of(a: Array, coloring: Coloring) -> Array:
    """How far an element is moved, times h: the deviation of those it shares outputs with, at least 1e-5 of their size.

    A step has to be small beside what the function divides by, and large beside the rounding of the input.
    """
    axes = dependent_axes(a, coloring) or None
    size = np.max(np.abs(a), axis=axes, keepdims=True, initial=0.0)
    scale = np.maximum(np.std(a, axis=axes, keepdims=True), 1e-5 * size)
    return np.broadcast_to(np.where(scale > 0, scale, 1.0), a.shape)


def contract(dy: Array, Jv: Array, a: Array, coloring: Coloring) -> Array:
    """Σ dy · Jv over the axes of y that are not independent: one number for each block of a."""
    axes = list(range(dy.ndim))
    return np.asarray(np.einsum(dy, axes, Jv, axes, [coloring[i] for i in range(a.ndim) if i in coloring]))


def alone(v: Array, which: int, count: int) -> Direction:
    """Moves one of the inputs only."""
    return [v if i == which else 0.0 for i in range(count)]


def gradient(
    derivative: Derivative, f: Function, x: Sequence[Array], which: int, scale: Array, dy: Array, coloring: Coloring
) -> tuple[Array, Array]:
    """dL/dx = Σ dy · ∂y/∂x of one input, and its uncertainty; one derivative for each set of elements moved at once."""
    a, axes = x[which], dependent_axes(x[which], coloring)
    total, uncertainty, v = np.zeros(a.shape), np.zeros(()), np.zeros(a.shape)
    for colour in np.ndindex(*(a.shape[axis] for axis in axes)):
        place = iter(colour)
        at = tuple(slice(None) if axis in coloring else next(place) for axis in range(a.ndim))
        v[at] = scale[at]
        Jv, doubt = derivative(f, x, alone(v, which, len(x)))
        v[at] = 0.0
        total[at] = contract(dy, Jv, a, coloring)
        if doubt.ndim:
            uncertainty = np.maximum(uncertainty, contract(np.abs(dy), doubt, a, coloring))
    uncertainty = np.expand_dims(uncertainty, axes) if uncertainty.ndim else uncertainty
    return total / scale, uncertainty / scale


def size_of_terms(Jv: Array, dy: Array, y: Array, a: Array, scale: Array, coloring: Coloring) -> Array:
    """How large dy · ∂y/∂x is, block by block: what the errors of a gradient are measured by.

    Its total may cancel; so the mean of |dy · Jv| is taken, where v moves each element by about its scale. At least

    - mean |dy| times the deviation of y over that of x, γ/s in batch norm: for N = 2 and ε = 0, y is ±1 whatever x is,
      and all of Jv cancels;
    - a thousandth of mean |dy · y| over the scale, below which Jv is lost in the rounding of y, as where γ = 0.
    """
    axes, weight = dependent_axes(a, coloring), np.abs(dy)
    together = int(np.prod([a.shape[axis] for axis in axes]))
    moved, whole = (contract(weight, np.abs(b), a, coloring) for b in (Jv, y))
    size = np.expand_dims(np.maximum(moved, 1e-3 * whole), axes) / (together * scale)
    if axes and a.shape == y.shape:
        spread_a, spread_y = (np.std(b, axis=axes, keepdims=True) for b in (a, y))
        exchanged = np.mean(weight, axis=axes, keepdims=True) * spread_y
        size = np.maximum(size, np.divide(exchanged, spread_a, out=np.zeros_like(exchanged), where=spread_a > 0))
    return np.asarray(size)
