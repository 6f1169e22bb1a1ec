"""Every layer, ready to be differentiated: how to make it, on which shape, and with parameters that hide no mistake."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from bncourse.nn import (
    BatchNorm,
    BatchNorm2d,
    Conv2d,
    Flatten,
    GroupNorm,
    InstanceNorm,
    Layer,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    RMSNorm,
    Sequential,
    Sigmoid,
    Tanh,
)

EPS = 0.1  # as large as the variance of some batches: a mistake about eps must show
DENSE, IMAGES = (7, 4), (3, 4, 2, 3)


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[np.random.Generator], Layer]
    shape: tuple[int, ...]

    def draw(self) -> tuple[Layer, np.ndarray, np.ndarray]:
        """A hardened layer, x and dy: means are not 0, deviations not 1, and dy has a part along x."""
        rng = np.random.default_rng([len(self.name), *map(ord, self.name)])
        layer = hardened(self.make(rng), rng)
        x = 0.6 + 1.3 * rng.normal(size=self.shape)
        y = layer.forward(x, training=False)
        return layer, x, rng.normal(size=y.shape) + 0.7 + 1.3 * y


def norms_in(layer: Layer) -> Iterator[BatchNorm]:
    if isinstance(layer, Sequential):
        for one in layer.layers:
            yield from norms_in(one)
    elif isinstance(layer, BatchNorm):
        yield layer


def hardened(layer: Layer, rng: np.random.Generator) -> Layer:
    """gamma is not 1, beta and the biases are not 0, and the running statistics are those of no batch."""
    for parameter in layer.parameters():
        if parameter.name != "weight":
            signs = rng.choice([-1.0, 1.0], parameter.value.shape)
            parameter.value[...] = signs * rng.uniform(0.4, 1.8, parameter.value.shape)
    for norm in norms_in(layer):
        norm.running_mean = rng.normal(size=norm.gamma.shape)
        norm.running_var = rng.uniform(0.3, 2.0, norm.gamma.shape)
    return layer


def convolution(kernel: int, stride: int, padding: int, bias: bool) -> Case:
    name = f"Conv2d kernel {kernel} stride {stride} padding {padding}{'' if bias else ' no bias'}"
    settings = {"kernel": kernel, "stride": stride, "padding": padding, "bias": bias}
    return Case(name, lambda rng: Conv2d(2, 3, rng, **settings), (2, 2, 5, 4))  # 5 and 4: one of them leaves a rest


def dense_network(rng: np.random.Generator) -> Layer:
    return Sequential(
        Linear(4, 6, rng, bias=False),
        BatchNorm(6, EPS),
        ReLU(),
        Linear(6, 6, rng),
        LayerNorm(6, EPS),
        Sigmoid(),
        Residual(Linear(6, 6, rng, gain=1.0), GroupNorm(2, 6, EPS), Tanh()),
        RMSNorm(6, EPS),
        BatchNorm(6, EPS),
        Linear(6, 3, rng),
    )


def image_network(rng: np.random.Generator) -> Layer:
    return Sequential(
        Conv2d(2, 4, rng, bias=False),
        BatchNorm2d(4, EPS),
        ReLU(),
        Residual(Conv2d(4, 4, rng), GroupNorm(2, 4, EPS), Tanh()),
        Conv2d(4, 3, rng, kernel=2, stride=2, padding=1),
        InstanceNorm(3, EPS),
        Sigmoid(),
        Flatten(),
        Linear(27, 2, rng),
    )


CONVOLUTIONS = [convolution(*settings) for settings in product((1, 2, 3), (1, 2), (0, 1), (True, False))]
NETWORKS = [
    Case("Sequential, dense", dense_network, DENSE),
    Case("Sequential, images", image_network, (3, 2, 4, 5)),
]
SINGLE = [
    Case("Linear", lambda rng: Linear(4, 3, rng), DENSE),
    Case("Linear no bias", lambda rng: Linear(4, 3, rng, bias=False), DENSE),
    Case("Conv2d", lambda rng: Conv2d(4, 2, rng), IMAGES),
    *CONVOLUTIONS,
    Case("ReLU", lambda _: ReLU(), DENSE),
    Case("ReLU, images", lambda _: ReLU(), IMAGES),
    Case("Sigmoid", lambda _: Sigmoid(), DENSE),
    Case("Tanh", lambda _: Tanh(), DENSE),
    Case("Flatten", lambda _: Flatten(), IMAGES),
    Case("BatchNorm", lambda _: BatchNorm(4, EPS), DENSE),
    Case("BatchNorm2d", lambda _: BatchNorm2d(4, EPS), IMAGES),
    Case("LayerNorm", lambda _: LayerNorm(4, EPS), DENSE),
    Case("GroupNorm, dense", lambda _: GroupNorm(2, 6, EPS), (7, 6)),
    Case("GroupNorm, images", lambda _: GroupNorm(2, 4, EPS), IMAGES),
    Case("InstanceNorm", lambda _: InstanceNorm(4, EPS), IMAGES),
    Case("RMSNorm", lambda _: RMSNorm(4, EPS), DENSE),
]
CASES = [
    *SINGLE,
    *NETWORKS,
    Case("Residual", lambda rng: Residual(Linear(4, 4, rng), BatchNorm(4, EPS), Tanh()), DENSE),
]
