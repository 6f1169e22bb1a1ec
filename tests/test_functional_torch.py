"""Where torch has the same function, ours gives the same numbers, in float64 and float32."""

import numpy as np
import pytest
from functional_cases import CASES, EPS, PAIR_CASES, PAIRS, Case

from bncourse import functional as F
from bncourse import nn

torch = pytest.importorskip("torch", reason="torch is compared with only where it is installed")
TF = torch.nn.functional

TORCH = {
    "batchnorm_forward": lambda x, g, b: TF.batch_norm(x, None, None, g, b, True, eps=EPS),
    "batchnorm2d_forward": lambda x, g, b: TF.batch_norm(x, None, None, g, b, True, eps=EPS),
    "layernorm_forward": lambda x, g, b: TF.layer_norm(x, x.shape[1:], g, b, EPS),
    "instancenorm_forward": lambda x, g, b: TF.instance_norm(x, weight=g, bias=b, eps=EPS),
    "groupnorm_forward": lambda x, g, b: TF.group_norm(x, 2, g, b, EPS),
    "rmsnorm_forward": lambda x, g: TF.rms_norm(x, x.shape[1:], g, EPS),
    "batchnorm_inference": lambda x, g, b, m, v: TF.batch_norm(x, m, v, g, b, False, eps=EPS),
    "batchnorm2d_inference": lambda x, g, b, m, v: TF.batch_norm(x, m, v, g, b, False, eps=EPS),
}
precision = pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-11), (np.float32, 1e-4)])


def close(actual, expected, rtol):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * (1 + np.abs(expected).max()))


@precision
@pytest.mark.parametrize("case", [c for c in CASES if c.name in TORCH], ids=lambda case: case.name)
def test_forward_is_torchs(case: Case, dtype, rtol):
    arguments = case.arguments(0, dtype)
    close(case.call(*arguments), TORCH[case.name](*map(torch.tensor, arguments)).numpy(), rtol)


@precision
@pytest.mark.parametrize("case", PAIR_CASES, ids=lambda case: case.name)
def test_backward_is_torchs(case: Case, dtype, rtol):
    dy, *inputs = case.arguments(1, dtype)
    leaves = [torch.tensor(a, requires_grad=True) for a in inputs]
    TORCH[PAIRS[case.name][0]](*leaves).backward(torch.tensor(dy))
    for ours, leaf in zip(case.call(dy, *inputs), leaves, strict=True):
        close(ours, leaf.grad.numpy(), rtol)


@precision
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("momentum", [0.1, 0.9, None])
def test_layer_tracks_as_torchs(training, momentum, dtype, rtol):
    rng = np.random.default_rng(2)
    ours, theirs = nn.BatchNorm(4, momentum=momentum), torch.nn.BatchNorm1d(4, momentum=momentum)
    theirs = theirs.to(torch.float64 if dtype == np.float64 else torch.float32)
    for _ in range(3):
        x = rng.normal(3, 2, (7, 4)).astype(dtype)
        close(ours.forward(x, training=True), theirs(torch.tensor(x)).detach().numpy(), rtol)
    theirs.train(training)
    x, dy = rng.normal(3, 2, (2, 7, 4)).astype(dtype)
    leaf = torch.tensor(x, requires_grad=True)
    close(ours.forward(x, training), theirs(leaf).detach().numpy(), rtol)
    theirs(leaf).backward(torch.tensor(dy))
    close(ours.backward(dy), leaf.grad.numpy(), rtol)
    close(ours.dgamma, theirs.weight.grad.numpy(), rtol)
    close(ours.dbeta, theirs.bias.grad.numpy(), rtol)
    if not training:
        close(ours.running_mean, theirs.running_mean.numpy(), rtol)
        close(ours.running_var, theirs.running_var.numpy(), rtol)


@precision
def test_running_variance_of_images_counts_every_pixel_as_torch_does(dtype, rtol):
    x = np.random.default_rng(3).normal(3, 2, (2, 4, 3, 5)).astype(dtype)
    theirs = torch.nn.BatchNorm2d(4, momentum=0.3).to(torch.tensor(x).dtype)
    theirs(torch.tensor(x))
    mean, var = F.update_running_stats2d(np.zeros(4), np.ones(4), x, 0.3)
    close(mean, theirs.running_mean.numpy(), rtol)
    close(var, theirs.running_var.numpy(), rtol)
