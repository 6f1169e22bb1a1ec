"""Every derivative agrees with HIPS autograd's of the obvious formula: forwards, backwards, and their derivatives."""

import numpy as np
import pytest
from functional_cases import ALL_CASES, FORWARD_OF, PAIR_CASES, leaves, obvious

autograd = pytest.importorskip("autograd", reason="HIPS autograd comes with the extra `test`")
import autograd.numpy as anp  # noqa: E402

OBVIOUS = obvious(anp)


def obvious_backward(name):
    """The gradient that autograd takes of the obvious forward, as a function of (dy, *inputs)."""
    forward = OBVIOUS[FORWARD_OF[name]]

    def backward(dy, *inputs):
        def loss(*xs):
            return anp.sum(dy * forward(*xs))

        return tuple(autograd.grad(loss, k)(*inputs) for k in range(len(inputs)))

    return backward


def flat(result):
    return anp.concatenate([anp.ravel(leaf) for leaf in leaves(result)])


def reference(case):
    return obvious_backward(case.name) if case.name in FORWARD_OF else OBVIOUS[case.name]


@pytest.mark.parametrize("case", PAIR_CASES, ids=lambda case: case.name)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-11), (np.float32, 5e-5)])
def test_backward_is_autograds_gradient(case, dtype, rtol):
    for seed in range(5):
        arguments = case.arguments(seed, dtype)
        expected = reference(case)(*(a.astype(np.float64) for a in arguments))
        for a, e in zip(case.call(*arguments), expected, strict=True):
            np.testing.assert_allclose(a, e, rtol=rtol, atol=rtol * (1 + np.abs(e).max()))


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.name)
def test_complex_step_through_our_code_is_autograds_derivative(case):
    """Holds only if we compute holomorphically; for the backwards it is the second derivative of the forward."""
    for seed in range(3):
        arguments, directions = case.arguments(seed), case.arguments(seed + 100)
        h = 1e-30
        stepped = case.call(*(a + 1j * h * d for a, d in zip(arguments, directions, strict=True)))
        ours = np.concatenate([np.imag(leaf).ravel() / h for leaf in leaves(stepped)])
        weights = np.random.default_rng(seed).normal(size=ours.size)
        f = reference(case)
        gradients = autograd.grad(lambda xs, f=f, w=weights: anp.dot(w, flat(f(*xs))))(arguments)
        expected = sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True))
        np.testing.assert_allclose(weights @ ours, expected, rtol=1e-9, atol=1e-9)
