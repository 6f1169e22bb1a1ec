"""What would simpler kinds of check say of the same wrong answers?

Each check returns True (it accepts the answer), False (it catches the mistake) or None (it does not apply: a gradient
check says nothing about an exercise without a gradient). An answer that raises is caught by all.

``golden``        one fixed x, gamma = 1, beta = 0, eps at its default, the answer compared with four printed decimals
``allclose``      one random problem, ``np.allclose`` at its usual rtol 1e-5, atol 1e-8, random gamma and beta
``loss = sum``    the gradient of sum(y) against central differences (h = 1e-5)
``central``       the same with a random dy, h = 1e-4, rtol 1e-3
``torch slow``, ``torch fast``   ``torch.autograd.gradcheck`` with its defaults, where torch can be imported; autograd
    itself sums a gradient that was not summed over the batch, so that it does not see this mistake
``ours``          ``bncourse.check``
"""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse import check, functional

from .cases import CASES, Case, Draw, Inputs
from .equivalence import TooLong, limited

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

Functions = tuple[Any, ...]
Forward = Callable[[Functions, Inputs], np.ndarray]


def of_pair(*names: str) -> Forward:
    """The student's own forward, the first of the two functions."""
    return lambda functions, inputs: functions[0](*(inputs[name] for name in names if inputs[name] is not None))[0]


def of_reference(function: Callable[..., Any], *names: str) -> Forward:
    """The course's forward, where the exercise is the backward alone."""
    return lambda functions, inputs: function(*(inputs[name] for name in names if inputs[name] is not None))


LAYER = ("x", "gamma", "beta", "eps")
PARAMETERS = {"dx": "x", "dgamma": "gamma", "dbeta": "beta"}
GRADIENTS: dict[str, tuple[Forward, dict[str, str], str]] = {
    "batchnorm_backward_graph": (of_pair(*LAYER), PARAMETERS, "dy"),
    "batchnorm_backward": (of_pair(*LAYER), PARAMETERS, "dy"),
    "batchnorm_inference_backward": (
        of_reference(functional.batchnorm_inference, "x", "gamma", "beta", "running_mean", "running_var", "eps"),
        PARAMETERS,
        "dy",
    ),
    "scale_shift_backward": (
        of_reference(functional.scale_shift, "x_hat", "gamma", "beta"),
        {"dx_hat": "x_hat", "dgamma": "gamma", "dbeta": "beta"},
        "dy",
    ),
    "normalize_backward": (
        of_reference(functional.normalize, "x", "mean", "var", "eps"),
        {"dx_direct": "x", "dmean": "mean", "dvar": "var"},
        "dx_hat",
    ),
}
"""Exercise -> its forward, which gradient belongs to which input, and what comes from above."""


def drawn(case: Case, seed: int, plain: bool = False) -> Inputs:
    """A problem of seven samples and three features; ``plain``: gamma = 1, beta = 0, eps left out."""
    draw = Draw(case.shapes[0], None, "", case.momenta[0])
    inputs = case.draw(np.random.default_rng([seed, zlib.crc32(case.name.encode())]), draw)
    if plain and "gamma" in inputs:
        inputs |= {"gamma": np.ones_like(inputs["gamma"]), "beta": np.zeros_like(inputs["gamma"])}
    return inputs


def answered(case: Case, functions: Functions, inputs: Inputs) -> dict[str, np.ndarray]:
    """The outputs, in arrays of their own."""
    given = {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in inputs.items()}
    with limited():
        outputs = case.run(functions, given)
    return {name: np.asarray(value, dtype=np.float64) for name, value in outputs.items() if "again" not in name}


def golden(case: Case, functions: Functions, seed: int) -> bool:
    """Printed numbers."""
    inputs = drawn(case, 0, plain=True)
    printed = {name: np.round(value, 4) for name, value in answered(case, case.reference, inputs).items()}
    outputs = answered(case, functions, inputs)
    return all(np.allclose(outputs[name], value, rtol=0, atol=1e-4) for name, value in printed.items())


def allclose(case: Case, functions: Functions, seed: int) -> bool:
    """One random problem."""
    inputs = drawn(case, seed)
    right, outputs = answered(case, case.reference, inputs), answered(case, functions, inputs)
    return all(np.allclose(outputs[name], value) for name, value in right.items())


def differences(case: Case, functions: Functions, inputs: Inputs, h: float, rtol: float) -> bool | None:
    """Every gradient against central differences."""
    if case.name not in GRADIENTS:
        return None
    forward, belongs, above = GRADIENTS[case.name]
    outputs = answered(case, functions, inputs)
    for gradient, name in belongs.items():
        numeric = np.empty_like(inputs[name])
        for index in np.ndindex(numeric.shape):
            values = []
            for step in (h, -h):
                moved = inputs[name].copy()
                moved[index] += step
                values.append(np.sum(forward(functions, inputs | {name: moved}) * inputs[above]))
            numeric[index] = (values[0] - values[1]) / (2 * h)
        if not np.allclose(outputs[gradient], numeric, rtol=rtol, atol=1e-6):
            return False
    return True


def loss_is_sum(case: Case, functions: Functions, seed: int) -> bool | None:
    """dy = 1 everywhere."""
    inputs = drawn(case, seed)
    if case.name in GRADIENTS:
        above = GRADIENTS[case.name][2]
        inputs[above] = np.ones_like(inputs[above])
    return differences(case, functions, inputs, 1e-5, 1e-5)


def central(case: Case, functions: Functions, seed: int) -> bool | None:
    """A random dy, and a step that courses use."""
    return differences(case, functions, drawn(case, seed), 1e-4, 1e-3)


def by_torch(fast: bool) -> Callable[[Case, Functions, int], bool | None]:
    """torch's gradcheck, slow or fast, on the functions wrapped for autograd in float64."""

    def accepted(case: Case, functions: Functions, seed: int) -> bool | None:
        if case.name not in GRADIENTS or torch is None:
            return None
        forward, belongs, above = GRADIENTS[case.name]
        inputs = drawn(case, seed)

        class Wrapped(torch.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(context: Any, *tensors: Any) -> Any:
                context.save_for_backward(*tensors)
                arrays = {name: one.numpy() for name, one in zip(belongs.values(), tensors, strict=True)}
                return torch.from_numpy(np.asarray(forward(functions, inputs | arrays)))

            @staticmethod
            def backward(context: Any, upstream: Any) -> Any:
                arrays = {name: one.numpy() for name, one in zip(belongs.values(), context.saved_tensors, strict=True)}
                outputs = case.run(functions, inputs | arrays | {above: upstream.numpy()})
                return tuple(torch.from_numpy(np.array(outputs[gradient], dtype=np.float64)) for gradient in belongs)

        torch.manual_seed(seed)
        tensors = [torch.from_numpy(inputs[name].copy()).requires_grad_() for name in belongs.values()]
        with limited(20.0):
            return bool(torch.autograd.gradcheck(Wrapped.apply, tensors, fast_mode=fast, raise_exception=False))

    return accepted


def ours(case: Case, functions: Functions, seed: int) -> bool:
    """This course's checker."""
    return check(case.name, *functions, seed=seed).passed


CHECKS: dict[str, Callable[[Case, Functions, int], bool | None]] = {
    "golden": golden,
    "allclose": allclose,
    "loss = sum": loss_is_sum,
    "central": central,
    **({"torch slow": by_torch(False), "torch fast": by_torch(True)} if torch is not None else {}),
    "ours": ours,
}


ALWAYS = ("golden", "allclose", "ours")
"""The checks that apply to every exercise."""


def verdicts(exercise: str, functions: Functions, seed: int) -> dict[str, bool | None]:
    """What every check says of one answer."""
    case, found = CASES[exercise], {}
    for name, accepts in CHECKS.items():
        try:
            found[name] = accepts(case, functions, seed)
        except (TooLong, Exception):
            # What raises is caught, where the check applies at all; only ours has to give a report whatever comes.
            found[name] = name == "ours" if name in ALWAYS or exercise in GRADIENTS else None
    return found
