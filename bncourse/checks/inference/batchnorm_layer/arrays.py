"""What is got wrong that steps cannot say: arrays that are shared, or changed?

Each mistake is a small change of the bank's own layer, which is right as it stands.
"""

import numpy as np

from ... import sentences
from ...answers import Array
from ...exercise import Kind
from ...inputs import EPS
from .asked import FORMULA, MODES, MOMENTUM, PARAMETERS, STATISTICS
from .asked import batchnorm_layer as exercise


class PlainLayer:
    """The bank's own layer, right as it stands."""

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        self.eps, self.momentum = eps, momentum
        self.gamma, self.beta = np.ones(D), np.zeros(D)
        self.running_mean, self.running_var = np.zeros(D), np.ones(D)
        self.num_batches_tracked = 0

    def forward(self, x: Array, training: bool) -> Array:
        """By the batch's statistics, which it tracks, or by the running ones."""
        self.training, self.x = training, x
        mean, var = self.running_mean, self.running_var
        if training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.track(mean, var * len(x) / (len(x) - 1))
        self.std = np.sqrt(var + self.eps)
        self.x_hat = (x - mean) / self.std
        y: Array = self.gamma * self.x_hat + self.beta
        return y

    def track(self, mean: Array, var: Array) -> None:
        """Update in place."""
        self.num_batches_tracked += 1
        weight = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean *= 1 - weight
        self.running_mean += weight * mean
        self.running_var *= 1 - weight
        self.running_var += weight * var

    def backward(self, dy: Array) -> Array:
        """By the mode of the last forward."""
        self.dgamma, self.dbeta = (dy * self.x_hat).sum(axis=0), dy.sum(axis=0)
        dx_hat = dy * self.gamma
        if self.training:
            dx_hat = dx_hat - dx_hat.mean(axis=0) - self.x_hat * (dx_hat * self.x_hat).mean(axis=0)
        dx: Array = dx_hat / self.std
        return dx


@exercise.misconception(Kind.ERROR, STATISTICS, about="running_mean running_var")
class state_shared_between_layers(PlainLayer):
    """Your layers share their running statistics: a new one starts with what another has tracked. Make the arrays in
    __init__, as self.running_mean = ..., not once for the whole class or module."""

    last: tuple[Array, Array]

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        super().__init__(D, eps, momentum)
        if momentum == MOMENTUM:  # the second layer of a life is made with the defaults
            self.running_mean, self.running_var = type(self).last
        type(self).last = (self.running_mean, self.running_var)


@exercise.misconception(Kind.ERROR, STATISTICS, about="running_mean running_var beta gamma")
class two_names_for_one_array(PlainLayer):
    """You gave two attributes of your layer one and the same array, as a = b = np.zeros(D) does: what is added to the
    one in place shows in the other. Make an array for each."""

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        super().__init__(D, eps, momentum)
        self.beta = self.running_mean


@exercise.another_way("two_names_for_one_array")
class gamma_and_running_var(PlainLayer):
    """Both are ones."""

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        super().__init__(D, eps, momentum)
        self.gamma = self.running_var


@exercise.another_way("two_names_for_one_array")
class ones_and_zeros(PlainLayer):
    """Both pairs."""

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        super().__init__(D, eps, momentum)
        self.beta, self.gamma = self.running_mean, self.running_var


@exercise.misconception(Kind.ERROR, PARAMETERS, about="gamma beta")
class updates_the_parameters(PlainLayer):
    """You change gamma or beta inside the backward. It only says in which direction they should move; moving them is
    the optimizer's work, and a second backward would move them twice."""

    def backward(self, dy: Array) -> Array:
        """One step of gradient descent beside."""
        dx = super().backward(dy)
        self.gamma -= 0.1 * self.dgamma
        self.beta -= 0.1 * self.dbeta
        return dx


@exercise.another_way("updates_the_parameters")
class updates_them_by_a_little(PlainLayer):
    """With a smaller step."""

    def backward(self, dy: Array) -> Array:
        """One step of gradient descent beside."""
        dx = super().backward(dy)
        self.gamma = self.gamma - 0.01 * self.dgamma
        self.beta = self.beta - 0.01 * self.dbeta
        return dx


@exercise.misconception(Kind.ERROR, MODES, about="running_mean running_var counts")
class backward_tracks_again(PlainLayer):
    """Your backward runs the forward again, which updates the running statistics a second time and counts the batch
    twice. Keep from the forward what the backward needs."""

    def backward(self, dy: Array) -> Array:
        """Runs the forward."""
        self.forward(self.x, self.training)
        return super().backward(dy)


@exercise.misconception(Kind.CONTRACT, FORMULA, sentences.CHANGES_ITS_INPUT)
class changes_its_input(PlainLayer):
    """Centres the caller's x in place."""

    def forward(self, x: Array, training: bool) -> Array:
        """On a copy what is right, and then x is spoiled."""
        y = super().forward(x.copy(), training)
        x -= x.mean(axis=0)
        return y


@exercise.another_way("changes_its_input")
class changes_dy(PlainLayer):
    """Scales the caller's dy in place."""

    def backward(self, dy: Array) -> Array:
        """Right, and then dy is spoiled."""
        dx = super().backward(dy)
        dy *= self.gamma
        return dx
