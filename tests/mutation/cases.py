"""What does each exercise compute, on which inputs, and which quantities is it made of?

A :class:`Case` knows how to draw inputs (wide: many shapes, features that are constant or hardly vary, whole numbers,
eps of any size), how to run an answer on them, and the value of every quantity of the course on them. A quantity has
a *role*, the word with which a diagnosis speaks about it (``about``); a value such as 1/√(σ² + ε) has the role ``std``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bncourse import functional, nn
from bncourse.checks.assignments import EXERCISES

Inputs = dict[str, Any]
Answer = dict[str, np.ndarray]
Quantities = list[tuple[tuple[str, ...], Any]]


@dataclass(frozen=True)
class Draw:
    """What kind of inputs: the size of the problem and what is special about it."""

    shape: tuple[int, ...]
    eps: float | None = None
    special: str = ""
    """``low``: a feature hardly varies; ``constant``: one never does; ``whole``: x holds integers; ``gamma``, ``dy``:
    these are 0; ``alike``: every feature the same; ``none``: the bias is None, the momentum too."""
    momentum: float | None = 0.3


@dataclass(frozen=True)
class Case:
    """One exercise."""

    name: str
    functions: tuple[str, ...]
    """The names of the functions that an answer consists of."""
    draw: Callable[[np.random.Generator, Draw], Inputs]
    run: Callable[[tuple[Any, ...], Inputs], dict[str, Any]]
    """An answer's outputs by name; may raise whatever the answer raises."""
    quantities: Callable[[Inputs], Quantities]
    shapes: tuple[tuple[int, ...], ...]
    returns: tuple[str, ...]
    special: tuple[str, ...] = ()
    momenta: tuple[float | None, ...] = (0.3,)
    epses: tuple[float | None, ...] = (None,)
    tolerance: float = 1e-9
    paths: Callable[[Inputs], "Paths"] | None = None
    """For a backward: the terms that dx is the sum of (:func:`paths_into_dx`)."""

    @property
    def reference(self) -> tuple[Any, ...]:
        """The right answer of the course."""
        if self.name in EXERCISES and not hasattr(functional, self.name) and not hasattr(nn, self.name):
            return EXERCISES[self.name].reference
        return tuple(getattr(functional, name, None) or getattr(nn, name) for name in self.functions)


DENSE = ((7, 3), (2, 3), (4, 4), (3, 5), (2, 2), (5, 1), (9, 2))
ROWS = ((7, 3), (2, 3), (4, 4), (3, 5), (2, 2), (1, 4), (9, 2))
IMAGES = ((3, 4, 5, 2), (2, 3, 2, 2), (2, 2, 2, 2), (1, 3, 2, 4), (4, 2, 1, 3), (5, 3, 1, 1), (2, 4, 3, 3))
PICTURES = ((3, 4, 5, 2), (2, 3, 2, 2), (2, 2, 2, 2), (1, 3, 2, 4), (4, 2, 1, 3), (2, 4, 3, 3))
RMS_ROWS = ((3, 7), *ROWS)
GROUPED = ((3, 4, 5, 2), (2, 6, 2, 2), (2, 2, 2, 2), (1, 4, 2, 4), (4, 2, 1, 3), (2, 6, 3, 3))
EPSES = (None, 0.1, 3.0, 1e-12)


# ------------------------------------------------------------------------------------------------ drawing


def spread_out(random: np.random.Generator, size: Any) -> np.ndarray:
    """Numbers of both signs, none near 0 or 1."""
    return random.choice([-1.0, 1.0], size) * random.uniform(0.4, 2.5, size)


def batch(random: np.random.Generator, draw: Draw) -> np.ndarray:
    """x: each feature (axis 1) with a mean and a deviation of its own."""
    shape = draw.shape
    if draw.special == "whole":
        return random.integers(-9, 10, shape)
    lined_up = (1, shape[1], *(1,) * (len(shape) - 2))
    sd, mean = random.uniform(0.3, 3.0, lined_up), 2 * spread_out(random, lined_up)
    if draw.special == "low":
        sd[0, -1] = 4e-3
    if draw.special == "constant":
        sd[0, -1] = 0.0
        mean[0, -1] = 2.5
    return mean + sd * random.standard_normal(shape)


def affine(random: np.random.Generator, size: int, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    """gamma and beta."""
    gamma, beta = spread_out(random, size), spread_out(random, size)
    if draw.special == "gamma":
        gamma[-1] = 0.0
    return gamma, beta


def upstream(random: np.random.Generator, draw: Draw) -> np.ndarray:
    """dy."""
    return random.standard_normal(draw.shape) * (draw.special != "dy") + 0.7 * (draw.special != "dy")


def layer_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """x, gamma, beta, eps, dy: what a pair needs; a forward alone leaves dy."""
    x = batch(random, draw)
    gamma, beta = affine(random, draw.shape[1], draw)
    return {"x": x, "gamma": gamma, "beta": beta, "eps": draw.eps, "dy": upstream(random, draw)}


def grouped_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """The same with a number of groups."""
    return layer_inputs(random, draw) | {"groups": 2}


def fixed_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """The same with running statistics that are not those of x."""
    inputs = layer_inputs(random, draw)
    size = draw.shape[1]
    variances = random.uniform(0.2, 4.0, size)
    if draw.special == "low":
        variances[-1] = 2e-5
    return inputs | {"running_mean": spread_out(random, size), "running_var": variances}


def stats_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """x and the running statistics before it."""
    fixed = fixed_inputs(random, draw)
    return {name: fixed[name] for name in ("running_mean", "running_var", "x")} | {"momentum": draw.momentum}


def merged_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """Shards of unequal size."""
    counts = random.integers(2, 40, draw.shape[0])
    if draw.special == "alike":
        counts[:] = 5
    means, variances = spread_out(random, draw.shape), random.uniform(0.2, 4.0, draw.shape)
    return {"counts": counts, "means": means, "variances": variances}


def device_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """One device's images, what three devices have sent, and the gradients that come back."""
    inputs = layer_inputs(random, draw)
    C, whole = draw.shape[1], draw.shape[0] * draw.shape[2] * draw.shape[3]
    sent = merged_inputs(random, Draw((3, C)))
    sent["counts"][0] = whole
    std = random.uniform(0.4, 2.5, C)
    x_hat = random.standard_normal(draw.shape)
    dy = inputs["dy"]
    sums_dy, sums_dy_x_hat = spread_out(random, (3, C)), spread_out(random, (3, C))
    sums_dy[0], sums_dy_x_hat[0] = dy.sum(axis=(0, 2, 3)), (dy * x_hat).sum(axis=(0, 2, 3))
    return inputs | sent | {"std": std, "x_hat": x_hat, "sums_dy": sums_dy, "sums_dy_x_hat": sums_dy_x_hat}


def folded_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """A layer's weight and bias, and the normalization behind it."""
    size = draw.shape[0]
    gamma, beta = affine(random, size, draw)
    return {
        "weight": random.standard_normal(draw.shape),
        "bias": None if draw.special == "none" else spread_out(random, size),
        "gamma": gamma,
        "beta": beta,
        "running_mean": spread_out(random, size),
        "running_var": random.uniform(0.2, 4.0, size),
        "eps": draw.eps,
    }


def scalar_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """A scalar function and a point; the function is smooth, none of its first three derivatives vanishes."""
    weight, x = spread_out(random, draw.shape), spread_out(random, draw.shape)
    as_array = draw.special == "alike"

    def f(point: Any) -> Any:
        point = np.asarray(point, dtype=np.float64)
        value = np.sum(weight * point**3 + np.sin(point)) + np.prod(point.ravel()[:2])
        return np.asarray(value) if as_array else float(value)

    return {"f": f, "x": x, "h": draw.eps, "weight": weight}


# ------------------------------------------------------------------------------------------------ running


def optional(*values: Any) -> tuple[Any, ...]:
    """The arguments, without those that are left at their default."""
    return tuple(value for value in values if value is not None)


def plain(*names: str, returns: tuple[str, ...]) -> Callable[[tuple[Any, ...], Inputs], dict[str, Any]]:
    """An answer of one function: call it with these inputs."""

    def run(functions: tuple[Any, ...], inputs: Inputs) -> dict[str, Any]:
        keep = [inputs[name] for name in names if inputs[name] is not None or name == "bias"]
        value = functions[0](*keep)
        return {returns[0]: value} if len(returns) == 1 else unpacked(value, returns)

    return run


def unpacked(value: Any, returns: tuple[str, ...]) -> dict[str, Any]:
    """Several outputs, without the cache."""
    parts = list(value)
    if len(parts) != len(returns):
        raise ValueError(f"{len(parts)} outputs for {len(returns)}")
    return {name: part for name, part in zip(returns, parts, strict=True) if name != "cache"}


def pair(returns: tuple[str, ...], *names: str) -> Callable[[tuple[Any, ...], Inputs], dict[str, Any]]:
    """A backward behind its forward, asked twice with the same cache."""

    def run(functions: tuple[Any, ...], inputs: Inputs) -> dict[str, Any]:
        forward, backward = functions
        _, cache = forward(*optional(*(inputs[name] for name in names)))
        first = copied(unpacked(backward(inputs["dy"], cache), returns))
        again = unpacked(backward(inputs["dy"], cache), returns)
        return first | {f"{name}, asked again": value for name, value in again.items()}

    return run


def copied(outputs: dict[str, Any]) -> dict[str, Any]:
    """Outputs that a later call cannot change."""
    return {name: np.array(value) for name, value in outputs.items()}


def by_effect(functions: tuple[Any, ...], inputs: Inputs) -> dict[str, Any]:
    """``identity_parameters`` is judged by what its gamma and beta do."""
    x = inputs["x"]
    gamma, beta = (np.asarray(part) for part in functions[0](*optional(x, inputs["eps"])))
    width = x.shape[1]
    if gamma.size != width or beta.size != width:
        raise ValueError("not one number per feature")
    return {"y": functional.batchnorm_forward(x, gamma.ravel(), beta.ravel(), *optional(inputs["eps"]))[0]}


def layer_program(functions: tuple[Any, ...], inputs: Inputs) -> dict[str, Any]:
    """A layer's life: fresh, two batches of training, evaluation, and a backward in both modes."""
    x, dy, options = inputs["x"], inputs["dy"], {}
    if inputs["eps"] is not None:
        options["eps"] = inputs["eps"]
    if inputs["momentum"] != "default":
        options["momentum"] = inputs["momentum"]
    layer = functions[0](x.shape[1], **options)
    outputs = {f"{name}, fresh": value for name, value in state(layer).items()}
    layer.gamma, layer.beta = inputs["gamma"].copy(), inputs["beta"].copy()
    for step, (data, training) in enumerate([(x, True), (x[::-1] * 1.5 + 1, True), (x * 0.5 - 1, False)]):
        outputs[f"y, step {step}"] = np.array(layer.forward(data, training))
        outputs |= {f"{name}, step {step}": value for name, value in state(layer).items()}
        outputs[f"dx, step {step}"] = np.array(layer.backward(dy))
        outputs |= {f"{name}, after backward {step}": value for name, value in state(layer, "dgamma", "dbeta").items()}
    outputs["y, step 3"] = np.array(layer.forward(x, training=True))
    return outputs


def state(layer: Any, *more: str) -> dict[str, Any]:
    """The attributes that the exercise names."""
    names = ("gamma", "beta", "running_mean", "running_var", "num_batches_tracked", *more)
    return {name: np.array(getattr(layer, name)) for name in names}


# ------------------------------------------------------------------------------------------------ quantities


def statistics(x: np.ndarray, axes: tuple[int, ...], eps: float | None) -> dict[str, np.ndarray]:
    """The quantities of a normalization over these axes."""
    eps = 1e-5 if eps is None else eps
    mean = x.mean(axis=axes, keepdims=True)
    var = x.var(axis=axes, keepdims=True)
    std = np.sqrt(var + eps)
    return {"mean": mean, "var": var, "std": std, "centred": x - mean, "x_hat": (x - mean) / std}


def named(known: Mapping[str, np.ndarray], eps: float | None, values: int) -> Quantities:
    """Statistics with their roles, and what is on the way to them."""
    eps = 1e-5 if eps is None else eps
    std, var, centred = known["std"], known["var"], known["centred"]
    return [
        (("mean",), known["mean"]),
        (("mean", "N"), known["mean"] * values),
        (("var",), var),
        (("var",), np.sqrt(var)),
        (("var", "N"), var * values),
        (("var", "N"), var * values / max(values - 1, 1)),
        (("var",), centred**2),
        (("std",), std),
        (("std",), 1 / std),
        (("std", "var", "eps"), std**2),
        (("std", "var", "eps"), 1 / std**2),
        (("std",), std**3),
        (("std",), 1 / std**3),
        (("centred", "mean", "x"), centred),
        (("x_hat",), known["x_hat"]),
        (("x_hat",), known["x_hat"] ** 2),
        (("eps",), eps),
        (("N",), values),
        (("N",), 1 / values),
        (("N",), max(values - 1, 0.5)),
    ]


def lined_up(vector: np.ndarray, x: np.ndarray) -> np.ndarray:
    """One number per feature, beside x."""
    return np.asarray(vector).reshape(1, -1, *[1] * (x.ndim - 2))


def normalization(axes_of: Callable[[np.ndarray], tuple[int, ...]]) -> Callable[[Inputs], Quantities]:
    """The quantities of a layer that normalizes over these axes, forward and backward."""

    def quantities(inputs: Inputs) -> Quantities:
        x = np.asarray(inputs["x"], dtype=np.float64)
        gamma, beta = lined_up(inputs["gamma"], x), lined_up(inputs.get("beta", inputs["gamma"]), x)
        dy = inputs.get("dy")
        groups = inputs.get("groups")
        split = (lambda a: a.reshape(len(a), groups, -1)) if groups else (lambda a: a)
        axes = axes_of(split(x))
        known = statistics(split(x), axes, inputs.get("eps"))
        values = split(x).size // known["mean"].size
        x_hat = known["x_hat"].reshape(x.shape)
        found = named(known, inputs.get("eps"), values) + sizes(x)
        found += [(("x",), x), (("gamma",), gamma), (("beta",), beta), (("gamma", "x_hat"), gamma * x_hat)]
        found += [(("y",), gamma * x_hat + beta), (("gamma", "std"), lined_up_product(gamma, known["std"], x))]
        if groups:
            found.append((("groups",), groups))
        return found + (backward(split, axes, known, values, gamma, x_hat, dy) if dy is not None else [])

    return quantities


Paths = tuple[np.ndarray, Quantities, tuple[float, ...]]


def paths_into_dx(inputs: Inputs, axes_of: Callable[[np.ndarray], tuple[int, ...]]) -> Paths:
    """Which elements of x share their statistics (as a number for each), the three paths, all shaped as x, and their
    coefficients in dx."""
    x, dy = np.asarray(inputs["x"], dtype=np.float64), inputs["dy"]
    groups = inputs.get("groups")
    rows = x.reshape(len(x), groups, -1) if groups else x
    axes = axes_of(rows)
    known = statistics(rows, axes, inputs["eps"])
    if "beta" not in inputs:  # RMS normalization
        found = [(roles, value) for roles, value in rms_quantities(inputs) if roles in (DIRECT, THROUGH_VAR)]
        rows = np.broadcast_to(np.arange(len(x))[:, None], x.shape)
        return rows, [*found, (("dx_mean", "mean"), np.ones_like(x))], (1.0, 1.0, 0.0)
    values = rows.size // known["mean"].size
    gamma, x_hat = lined_up(inputs["gamma"], x), known["x_hat"].reshape(x.shape)
    found = backward(lambda a: a.reshape(rows.shape), axes, known, values, gamma, x_hat, dy)
    paths = [next(value for roles, value in found if roles == path) for path in (DIRECT, THROUGH_VAR, THROUGH_MEAN)]
    label = np.arange(known["mean"].size).reshape(known["mean"].shape)
    labels, *shaped = (np.broadcast_to(one, rows.shape).reshape(x.shape) for one in (label, *paths))
    return labels, list(zip((DIRECT, THROUGH_VAR, THROUGH_MEAN), shaped, strict=True)), (1.0, 1.0, 1.0)


def lined_up_product(gamma: np.ndarray, std: np.ndarray, x: np.ndarray) -> np.ndarray:
    """gamma/std, where the two go together feature by feature."""
    return gamma / std if std.ndim == x.ndim else np.zeros(0)


def backward(
    split: Callable[[np.ndarray], np.ndarray],
    axes: tuple[int, ...],
    known: Mapping[str, np.ndarray],
    values: int,
    gamma: np.ndarray,
    x_hat: np.ndarray,
    dy: np.ndarray,
) -> Quantities:
    """The gradients, the three paths into x, and what is on the way."""
    kept = tuple(axis for axis in range(dy.ndim) if axis != 1)
    dgamma, dbeta = (dy * x_hat).sum(axis=kept), dy.sum(axis=kept)
    std, centred = known["std"], known["centred"]
    dx_hat = split(gamma * dy)

    def total(a: np.ndarray) -> np.ndarray:
        return a.sum(axis=axes, keepdims=True)

    direct, dmean = dx_hat / std, -total(dx_hat) / std
    dvar = -0.5 * total(dx_hat * centred) / std**3
    through_var, through_mean = dvar * 2 * centred / values, dmean / values
    return [
        (("dy",), dy),
        (("dgamma",), dgamma),
        (("dgamma", "dvar"), total(dx_hat * known["x_hat"])),
        (("dgamma",), dy * x_hat),
        (("dbeta",), dbeta),
        (("dbeta", "dmean"), total(dx_hat)),
        (("dx_hat",), dx_hat),
        (("dvar",), dvar),
        (("dvar",), dvar * 2 * std),
        (("dvar",), total(dx_hat * centred)),
        (("dvar",), dx_hat * centred),
        (("dvar", "N"), dvar / values),
        (("dmean",), dmean),
        (DIRECT, direct),
        (THROUGH_VAR, through_var),
        (THROUGH_MEAN, through_mean),
        ((*DIRECT, *THROUGH_VAR), direct + through_var),
        ((*DIRECT, *THROUGH_MEAN), direct + through_mean),
        (("dx",), direct + through_var + through_mean),
        *inside_the_bracket(split(dy), known, values, total),
        *inside_the_bracket(dx_hat, known, values, total),
    ]


def inside_the_bracket(base: np.ndarray, known: Mapping[str, np.ndarray], values: int, total: Any) -> Quantities:
    """The three terms of a closed form, before the factors that stand in front of its bracket."""
    x_hat, std = known["x_hat"], known["std"]
    shares = [scale * one for scale in (1.0, 1.0 / values) for one in (1.0, 1.0 / std)]
    return [
        (DIRECT, values * base),
        (("dgamma", *THROUGH_VAR), total(base * x_hat) / values),
        (("dbeta", *THROUGH_MEAN), total(base) / values),
        *((THROUGH_VAR, share * x_hat * total(base * x_hat)) for share in shares),
        *((THROUGH_MEAN, share * total(base)) for share in shares[1:]),
    ]


DIRECT = ("dx_direct",)
THROUGH_VAR = ("dx_var", "dvar", "dx_mean_square", "dmean_square")
THROUGH_MEAN = ("dx_mean", "dmean")
"""The roles of the three ways in which x reaches the loss; in RMS normalization the second is the mean square's."""


def sizes(x: np.ndarray) -> Quantities:
    """N and D, or N, C, H, W."""
    names = ("N", "D") if x.ndim == 2 else ("N", "D", "H", "W")
    return [((name,), size) for name, size in zip(names, x.shape, strict=True)] + [(("N",), len(x) - 1)]


def fixed_quantities(inputs: Inputs) -> Quantities:
    """Inference, and its backward."""
    x = np.asarray(inputs["x"], dtype=np.float64)
    gamma, beta, mean, var = (lined_up(inputs[n], x) for n in ("gamma", "beta", "running_mean", "running_var"))
    eps = 1e-5 if inputs["eps"] is None else inputs["eps"]
    std = np.sqrt(var + eps)
    x_hat, dy = (x - mean) / std, inputs["dy"]
    kept = tuple(axis for axis in range(x.ndim) if axis != 1)
    return [
        *sizes(x),
        (("x",), x),
        (("gamma",), gamma),
        (("beta",), beta),
        (("running_mean", "mean"), mean),
        (("running_var", "var"), var),
        (("running_var", "var"), np.sqrt(var)),
        (("eps",), eps),
        (("std", "eps", "running_var"), std**2),
        (("std",), std),
        (("std",), 1 / std),
        (("gamma", "std"), gamma / std),
        (("beta", "running_mean"), beta - gamma / std * mean),
        (("centred", "running_mean", "mean", "x"), x - mean),
        (("x_hat",), x_hat),
        (("gamma", "x_hat"), gamma * x_hat),
        (("y",), gamma * x_hat + beta),
        (("dy",), dy),
        (("dgamma",), (dy * x_hat).sum(axis=kept)),
        (("dgamma",), dy * x_hat),
        (("dbeta",), dy.sum(axis=kept)),
        (("dx_hat",), gamma * dy),
        (("dx",), gamma * dy / std),
    ]


def stats_quantities(inputs: Inputs) -> Quantities:
    """The running update."""
    x = np.asarray(inputs["x"], dtype=np.float64)
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    known = statistics(x, axes, None)
    values = x.size // x.shape[1]
    mean, var = known["mean"].ravel(), known["var"].ravel() * values / (values - 1)
    old_mean, old_var, momentum = inputs["running_mean"], inputs["running_var"], inputs["momentum"]
    momentum = 0.1 if momentum is None else momentum
    return [
        *(one for one in named(known, None, values) if "eps" not in one[0] and "std" not in one[0]),
        *sizes(x),
        (("x",), x),
        (("momentum",), momentum),
        (("momentum",), 1 - momentum),
        (("running_mean",), old_mean),
        (("running_var",), old_var),
        (("running_mean",), (1 - momentum) * old_mean + momentum * mean),
        (("running_var",), (1 - momentum) * old_var + momentum * var),
        (("N",), values / (values - 1)),
    ]


def merged_quantities(inputs: Inputs) -> Quantities:
    """Pooled statistics."""
    counts, means, variances = inputs["counts"], inputs["means"], inputs["variances"]
    weights = counts / counts.sum()
    mean = weights @ means
    return [
        (("counts",), counts),
        (("counts",), counts.sum()),
        (("counts",), weights),
        (("means", "mean"), means),
        (("variances", "var", "within"), variances),
        (("mean",), mean),
        (("mean", "means"), means - mean),
        (("var", "mean", "between"), (means - mean) ** 2),
        (("var",), weights @ (variances + (means - mean) ** 2)),
    ]


def device_quantities(inputs: Inputs) -> Quantities:
    """Synchronized batch normalization, forward."""
    x = np.asarray(inputs["x"], dtype=np.float64)
    merged = merged_quantities(inputs)
    (mean,) = (value for roles, value in merged if roles == ("mean",))
    (var,) = (value for roles, value in merged if roles == ("var",))
    eps = 1e-5 if inputs["eps"] is None else inputs["eps"]
    std, shaped = np.sqrt(var + eps), lined_up(mean, x)
    x_hat = (x - shaped) / lined_up(std, x)
    return [
        *merged,
        *sizes(x),
        (("x",), x),
        (("gamma",), lined_up(inputs["gamma"], x)),
        (("beta",), lined_up(inputs["beta"], x)),
        (("eps",), eps),
        (("std", "var", "eps"), var + eps),
        (("std",), std),
        (("centred", "mean", "x"), x - shaped),
        (("x_hat",), x_hat),
        (("y",), lined_up(inputs["gamma"], x) * x_hat + lined_up(inputs["beta"], x)),
    ]


def sums_quantities(inputs: Inputs) -> Quantities:
    """Synchronized batch normalization, backward."""
    dy, x_hat, n = inputs["dy"], inputs["x_hat"], inputs["counts"].sum()
    dbeta, dgamma = inputs["sums_dy"].sum(axis=0), inputs["sums_dy_x_hat"].sum(axis=0)
    scale = lined_up(inputs["gamma"] / inputs["std"], dy)
    through_mean, through_var = lined_up(dbeta, dy) / n, x_hat * lined_up(dgamma, dy) / n
    return [
        *sizes(dy),
        (("dy",), dy),
        (("x_hat",), x_hat),
        (("gamma",), inputs["gamma"]),
        (("std",), inputs["std"]),
        (("scale", "gamma", "std"), scale),
        (("n", "counts"), inputs["counts"]),
        (("n", "counts"), n),
        (("dbeta", "mean_dy"), inputs["sums_dy"]),
        (("dgamma", "mean_dy_x_hat"), inputs["sums_dy_x_hat"]),
        (("dbeta",), dbeta),
        (("dgamma",), dgamma),
        (("mean_dy", "n"), dbeta / n),
        (("mean_dy_x_hat", "n"), dgamma / n),
        (("dx_direct",), scale * dy),
        (("dx_mean", "mean_dy"), scale * through_mean),
        (("dx_var", "mean_dy_x_hat"), scale * through_var),
        (("dx",), scale * (dy - through_mean - through_var)),
    ]


def folded_quantities(inputs: Inputs) -> Quantities:
    """Folding."""
    eps = 1e-5 if inputs["eps"] is None else inputs["eps"]
    gamma, beta, mean, var = (inputs[n] for n in ("gamma", "beta", "running_mean", "running_var"))
    weight = inputs["weight"]
    bias = np.zeros(len(weight)) if inputs["bias"] is None else inputs["bias"]
    std = np.sqrt(var + eps)
    folded = weight * (gamma / std).reshape(-1, *[1] * (weight.ndim - 1))
    return [
        (("weight",), weight),
        (("weight",), folded),
        (("bias",), bias),
        (("bias",), gamma / std * (bias - mean) + beta),
        (("gamma",), gamma),
        (("beta",), beta),
        (("running_mean", "mean"), mean),
        (("running_mean", "mean", "bias"), bias - mean),
        (("running_var", "var"), var),
        (("eps",), eps),
        (("std", "eps", "running_var"), var + eps),
        (("std",), std),
        (("std",), 1 / std),
        (("gamma", "std"), gamma / std),
    ]


def rms_quantities(inputs: Inputs) -> Quantities:
    """RMS normalization."""
    x, gamma, dy = np.asarray(inputs["x"], dtype=np.float64), inputs["gamma"], inputs["dy"]
    eps = 1e-5 if inputs["eps"] is None else inputs["eps"]
    square = (x * x).mean(axis=1, keepdims=True)
    rms = np.sqrt(square + eps)
    x_hat, dx_hat = x / rms, gamma * dy
    through = -x_hat * (dx_hat * x_hat).mean(axis=1, keepdims=True) / rms
    return [
        *sizes(x),
        (("x",), x),
        (("var",), square),
        (("var",), x * x),
        (("eps",), eps),
        (("std", "var", "eps"), rms**2),
        (("std",), rms),
        (("std",), 1 / rms),
        (("x_hat",), x_hat),
        (("gamma",), gamma),
        (("y",), gamma * x_hat),
        (("dy",), dy),
        (("dgamma",), (dy * x_hat).sum(axis=0)),
        (("dgamma",), dy * x_hat),
        (("dx_hat",), dx_hat),
        (("dvar",), (dx_hat * x_hat).mean(axis=1)),
        (("dvar",), (dx_hat * x_hat).sum(axis=1)),
        (DIRECT, dx_hat / rms),
        (THROUGH_VAR, through),
        (("dx",), dx_hat / rms + through),
    ]


def layer_quantities(inputs: Inputs) -> Quantities:
    """The layer with state: one step of training from the fresh statistics, then evaluation."""
    x, momentum = inputs["x"], inputs["momentum"]
    momentum = 0.1 if momentum in ("default", None) else momentum
    fresh = {"running_mean": np.zeros(x.shape[1]), "running_var": np.ones(x.shape[1])}
    update = stats_quantities({**inputs, **fresh, "momentum": momentum})
    var = x.var(axis=0) * len(x) / (len(x) - 1)
    moved = {"running_mean": momentum * x.mean(axis=0), "running_var": 1 - momentum + momentum * var}
    return [*normalization(over_batch)(inputs), *update, *fixed_quantities({**inputs, **moved})]


def over_batch(x: np.ndarray) -> tuple[int, ...]:
    """All axes but that of the features."""
    return tuple(axis for axis in range(x.ndim) if axis != 1)


def over_features(x: np.ndarray) -> tuple[int, ...]:
    """All axes but the first."""
    return tuple(range(1, x.ndim))


def over_positions(x: np.ndarray) -> tuple[int, ...]:
    """All axes but the first two."""
    return tuple(range(2, x.ndim))


def affine_quantities(inputs: Inputs) -> Quantities:
    """scale_shift and its backward."""
    x_hat, gamma, beta, dy = (inputs[n] for n in ("x_hat", "gamma", "beta", "dy"))
    return [
        *sizes(x_hat),
        (("x_hat",), x_hat),
        (("gamma",), gamma),
        (("beta",), beta),
        (("gamma", "x_hat"), gamma * x_hat),
        (("y",), gamma * x_hat + beta),
        (("dy",), dy),
        (("dx_hat",), gamma * dy),
        (("dgamma",), (dy * x_hat).sum(axis=0)),
        (("dgamma",), dy * x_hat),
        (("dbeta",), dy.sum(axis=0)),
    ]


def scalar_quantities(inputs: Inputs) -> Quantities:
    """numerical_gradient."""
    x, weight, f = inputs["x"], inputs["weight"], inputs["f"]
    h = 1e-5 if inputs["h"] is None else inputs["h"]
    places = np.arange(x.size).reshape(x.shape)
    ahead = [f(np.where(places == k, x + h, x)) for k in range(x.size)]
    behind = [f(np.where(places == k, x - h, x)) for k in range(x.size)]
    rise = np.subtract(ahead, behind)
    return [
        (("x",), x),
        (("h", "run"), h),
        (("h", "run"), 2 * h),
        (("f",), ahead),
        (("f",), behind),
        (("f",), weight),
        (("rise",), rise),
        (("gradient", "rise"), rise / (2 * h)),
    ]


def directed_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """A direction, and a linear backward that turns it: of each feature the reverse order, and its mean, are in dx."""
    direction, scale = spread_out(random, draw.shape), spread_out(random, draw.shape[1])
    by_itself, by_reverse, by_mean = (spread_out(random, draw.shape[1]) for _ in range(3))

    def backward(dy: Any) -> Any:
        return by_itself * dy + by_reverse * np.asarray(dy)[::-1] + by_mean * np.mean(dy, axis=0)

    return {"backward": backward, "direction": direction, "scale": scale}


def directed_quantities(inputs: Inputs) -> Quantities:
    """factor_along."""
    direction, scale = inputs["direction"], inputs["scale"]
    dx = inputs["backward"](direction)
    along, length = (dx * direction).sum(axis=0), (direction**2).sum(axis=0)
    return [
        (("direction",), direction),
        (("scale",), scale),
        (("dx",), dx),
        (("along",), dx * direction),
        (("along",), along),
        (("length",), direction**2),
        (("length",), length),
        (("factor",), along / length / scale),
        (("N",), len(direction)),
    ]


# ------------------------------------------------------------------------------------------------ the exercises


def norm_at_statistics(random: np.random.Generator, draw: Draw) -> Inputs:
    """normalize and its backward at the batch's own statistics."""
    x = batch(random, draw)
    mean, var = x.mean(axis=0), x.var(axis=0)
    if len(x) == 1:
        mean, var = mean - 0.3, var + 0.5
    ones = np.ones(x.shape[1])
    return {
        "x": x,
        "mean": mean,
        "var": var,
        "eps": draw.eps,
        "dx_hat": upstream(random, draw),
        "gamma": ones,
        "beta": 0 * ones,
    }


def norm_at_any(random: np.random.Generator, draw: Draw) -> Inputs:
    """normalize at statistics that need not be the batch's."""
    inputs = norm_at_statistics(random, draw)
    if draw.special in ("low", "constant"):
        return inputs
    size = draw.shape[1]
    return inputs | {"mean": spread_out(random, size), "var": random.uniform(0.2, 4.0, size)}


def norm_quantities(inputs: Inputs) -> Quantities:
    """normalize, at whatever statistics."""
    x, mean, var = inputs["x"], inputs["mean"], inputs["var"]
    eps = 1e-5 if inputs["eps"] is None else inputs["eps"]
    std = np.sqrt(var + eps)
    known = {"mean": mean, "var": var, "std": std, "centred": x - mean, "x_hat": (x - mean) / std}
    dx_hat = inputs["dx_hat"]
    found = named(known, inputs["eps"], len(x)) + sizes(x)
    found += backward(lambda a: a, (0,), known, len(x), np.ones((1, x.shape[1])), known["x_hat"], dx_hat)
    gradients = {"dgamma", "dbeta", "dy", "dx"}
    return [(("x",), x)] + [
        (kept, value) for roles, value in found if (kept := tuple(r for r in roles if r not in gradients))
    ]


def affine_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """x_hat, gamma, beta, dy."""
    gamma, beta = affine(random, draw.shape[1], draw)
    x_hat = random.integers(-3, 4, draw.shape) if draw.special == "whole" else random.standard_normal(draw.shape)
    return {"x_hat": x_hat, "gamma": gamma, "beta": beta, "dy": upstream(random, draw)}


def only(*names: str) -> Callable[[np.random.Generator, Draw], Inputs]:
    """x alone, or x and eps, with the rest of the layer known beside it."""

    def draw_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
        return layer_inputs(random, draw)

    return draw_inputs


def stateful_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """The layer's data, and its momentum: a number, None, or the default."""
    momentum = {0.0: 0.0, -1.0: None, -2.0: "default"}.get(draw.momentum, draw.momentum)  # type: ignore[call-overload]
    return layer_inputs(random, draw) | {"momentum": momentum}


FORWARD_SPECIAL = ("low", "constant", "whole", "gamma")
BACKWARD_SPECIAL = ("low", "constant", "gamma", "dy")
GRADIENTS = ("dx", "dgamma", "dbeta")
FIXED = ("gamma", "beta", "running_mean", "running_var", "eps")
LAYER = ("x", "gamma", "beta", "eps")
FOLDS = ((4, 3), (3, 3), (2, 5), (1, 4))
FOLDS2D = ((4, 3, 2, 5), (3, 3, 3, 3), (2, 5, 1, 1), (2, 2, 2, 2))


def of_layer(
    kind: str,
    shapes: tuple[tuple[int, ...], ...],
    axes: Callable[[np.ndarray], tuple[int, ...]],
    draw: Callable[[np.random.Generator, Draw], Inputs] = layer_inputs,
    parameters: tuple[str, ...] = LAYER,
    quantities: Callable[[Inputs], Quantities] | None = None,
    gradients: tuple[str, ...] = GRADIENTS,
    backwards: tuple[str, ...] = ("_backward",),
) -> list[Case]:
    """A normalization's forward and its backwards."""
    forward = f"{kind}_forward"
    known = quantities or normalization(axes)
    run = plain(*parameters, returns=("y", "cache"))
    cases = [Case(forward, (forward,), draw, run, known, shapes, ("y", "cache"), FORWARD_SPECIAL, epses=EPSES)]
    for suffix in backwards:
        name = kind + suffix
        run = pair(gradients, *parameters)
        more = {"epses": EPSES, "paths": lambda inputs: paths_into_dx(inputs, axes)}
        cases.append(Case(name, (forward, name), draw, run, known, shapes, gradients, BACKWARD_SPECIAL, **more))
    return cases


def of_one(
    name: str,
    parameters: tuple[str, ...],
    returns: tuple[str, ...],
    draw: Callable[[np.random.Generator, Draw], Inputs],
    quantities: Callable[[Inputs], Quantities],
    shapes: tuple[tuple[int, ...], ...],
    special: tuple[str, ...] = (),
    **more: Any,
) -> Case:
    """An exercise of one function."""
    if "eps" in parameters:
        more.setdefault("epses", EPSES)
    return Case(name, (name,), draw, plain(*parameters, returns=returns), quantities, shapes, returns, special, **more)


def rms_inputs(random: np.random.Generator, draw: Draw) -> Inputs:
    """RMS normalization has no beta."""
    inputs = layer_inputs(random, draw)
    del inputs["beta"]
    return inputs


MOMENTA = (0.3, None, 0.0, 1.0)
BATCH = normalization(over_batch)

ALL = [
    of_one("batch_mean", ("x",), ("mean",), layer_inputs, BATCH, DENSE, ("low", "constant", "whole")),
    of_one("batch_variance", ("x",), ("var",), layer_inputs, BATCH, DENSE, ("low", "constant", "whole")),
    of_one("normalize", ("x", "mean", "var", "eps"), ("x_hat",), norm_at_any, norm_quantities, ROWS,
           ("low", "constant", "whole")),
    of_one("scale_shift", ("x_hat", "gamma", "beta"), ("y",), affine_inputs, affine_quantities, ROWS,
           ("whole", "gamma")),
    *of_layer("batchnorm", DENSE, over_batch, backwards=("_backward_graph", "_backward")),
    Case("identity_parameters", ("identity_parameters",), layer_inputs, by_effect, BATCH, DENSE, ("gamma", "beta"),
         ("low", "constant", "whole"), epses=EPSES),
    of_one("update_running_stats", ("running_mean", "running_var", "x", "momentum"), ("running_mean", "running_var"),
           stats_inputs, stats_quantities, DENSE, ("whole", "low"), momenta=MOMENTA),
    of_one("update_running_stats2d", ("running_mean", "running_var", "x", "momentum"), ("running_mean", "running_var"),
           stats_inputs, stats_quantities, IMAGES, ("whole", "low"), momenta=MOMENTA),
    of_one("merge_statistics", ("counts", "means", "variances"), ("mean", "var"), merged_inputs, merged_quantities,
           ((4, 3), (3, 3), (2, 5), (1, 2), (2, 2), (3, 1)), ("alike",)),
    of_one("batchnorm_inference", ("x", *FIXED), ("y",), fixed_inputs, fixed_quantities, ROWS,
           ("whole", "low", "gamma")),
    of_one("batchnorm2d_inference", ("x", *FIXED), ("y",), fixed_inputs, fixed_quantities, (*IMAGES, (1, 2, 1, 1)),
           ("whole", "low", "gamma")),
    of_one("fold_linear", ("weight", "bias", *FIXED), ("weight", "bias"), folded_inputs, folded_quantities, FOLDS,
           ("none", "gamma")),
    of_one("fold_conv2d", ("weight", "bias", *FIXED), ("weight", "bias"), folded_inputs, folded_quantities, FOLDS2D,
           ("none", "gamma")),
    of_one("scale_shift_backward", ("dy", "x_hat", "gamma"), ("dx_hat", "dgamma", "dbeta"), affine_inputs,
           affine_quantities, ROWS, ("gamma", "dy")),
    of_one("normalize_backward", ("dx_hat", "x", "mean", "var", "eps"), ("dx_direct", "dmean", "dvar"),
           norm_at_statistics, norm_quantities, DENSE, ("low", "constant", "dy")),
    of_one("batchnorm_inference_backward", ("dy", "x", "gamma", "running_mean", "running_var", "eps"), GRADIENTS,
           fixed_inputs, fixed_quantities, ROWS, ("whole", "low", "gamma", "dy")),
    of_one("numerical_gradient", ("f", "x", "h"), ("gradient",), scalar_inputs, scalar_quantities,
           ((3,), (2, 3), (), (2, 2)), ("alike",), epses=(None, 1e-3, 1e-4), tolerance=1e-7),
    of_one("factor_along", ("backward", "direction", "scale"), ("factor",), directed_inputs, directed_quantities, ROWS),
    *of_layer("batchnorm2d", IMAGES, over_batch),
    of_one("channel_statistics", ("x",), ("mean", "var"), layer_inputs, BATCH, IMAGES, ("low", "constant", "whole")),
    of_one("syncbn_forward", ("x", "counts", "means", "variances", "gamma", "beta", "eps"), ("y", "x_hat", "std"),
           device_inputs, device_quantities, IMAGES, ("whole", "gamma")),
    of_one("syncbn_backward", ("dy", "x_hat", "std", "gamma", "counts", "sums_dy", "sums_dy_x_hat"), GRADIENTS,
           device_inputs, sums_quantities, IMAGES, ("gamma",)),
    *of_layer("layernorm", ((3, 7), (2, 3), (4, 4), (7, 3), (2, 2), (1, 6)), over_features),
    *of_layer("instancenorm", PICTURES, over_positions),
    *of_layer("groupnorm", GROUPED, over_positions, grouped_inputs, ("x", "gamma", "beta", "groups", "eps")),
    *of_layer("rmsnorm", RMS_ROWS, over_features, rms_inputs, ("x", "gamma", "eps"), rms_quantities, ("dx", "dgamma")),
    Case("BatchNorm", ("BatchNorm",), stateful_inputs, layer_program, layer_quantities, DENSE, ("y",),
         ("low", "gamma", "dy"), (0.3, -2.0, -1.0, 0.0, 1.0), EPSES),
]  # fmt: skip

CASES = {case.name: case for case in ALL}
