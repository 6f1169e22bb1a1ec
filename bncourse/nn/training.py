"""How does a network learn? Loss, gradient step, and the loop around them."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from ..functional._arrays import Array
from .layers import Layer, Parameter


def softmax_cross_entropy(logits: ArrayLike, labels: ArrayLike) -> tuple[Array, Array]:
    r"""Mean cross-entropy of a softmax, and its gradient.

    .. math::
        L = -\frac{1}{N} \sum_n \log p_{n, \text{label}_n}, \qquad p_{nk} = \frac{e^{z_{nk}}}{\sum_l e^{z_{nl}}}, \qquad
        \frac{\partial L}{\partial z_{nk}} = \frac{p_{nk} - [k = \text{label}_n]}{N}

    logits: (N, classes), labels: (N,) whole numbers  ->  L, ∂L/∂logits (N, classes). The largest logit of a row is
    taken off first, which changes nothing but the overflow.

    Raises ``ValueError`` for other shapes, and for a label that is none of the classes 0, 1, ...

    >>> loss, dlogits = softmax_cross_entropy([[0.0, 0.0]], [1])
    >>> bool(np.isclose(loss, np.log(2))), dlogits
    (True, array([[ 0.5, -0.5]]))
    """
    logits, labels = np.asarray(logits), np.asarray(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(f"logits {logits.shape} and labels {labels.shape}: expected (N, classes) and (N,)")
    if labels.min(initial=0) < 0 or labels.max(initial=0) >= logits.shape[1]:
        raise ValueError(f"labels go from {labels.min()} to {labels.max()}, but there are {logits.shape[1]} classes")
    rows = np.arange(len(labels))
    shifted = logits - logits.real.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    loss = (np.log(sums[:, 0]) - shifted[rows, labels]).mean()
    dlogits = exponentials / sums
    dlogits[rows, labels] -= 1
    return loss, dlogits / len(labels)


class Group(TypedDict, total=False):
    """Parameters that share settings; what is left out is the optimizer's."""

    parameters: Sequence[Parameter]
    learning_rate: float
    weight_decay: float


class SGD:
    r"""Stochastic gradient descent with momentum and weight decay, as PyTorch has it.

    .. math:: v \leftarrow m v + (g + \lambda w), \qquad w \leftarrow w - \eta v

    parameters: a list of parameters or groups, which are dictionaries with ``parameters`` and any of ``learning_rate``
    η and ``weight_decay`` λ of their own. A schedule sets ``learning_rate`` before a step; the groups' own rates change
    in proportion.

    Raises ``ValueError`` for a learning_rate that is not above zero, for other settings below zero, for any that is not
    finite, and for a group with settings of another name.

    >>> from bncourse.nn import Linear
    >>> layer = Linear(1, 1, np.random.default_rng(0))
    >>> layer.weight[...], layer.dweight[...] = 1.0, 0.5
    >>> SGD(layer.parameters(), learning_rate=0.1).step()
    >>> layer.weight
    array([[0.95]])
    """

    def __init__(
        self,
        parameters: Sequence[Parameter | Group],
        learning_rate: float,
        *,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        refuse_other_than_rates(learning_rate, momentum, weight_decay)
        self.learning_rate = learning_rate
        self.momentum = momentum
        self._each: list[tuple[Parameter, Array, float, float]] = []
        for item in parameters:
            group: Group = {"parameters": [item]} if isinstance(item, Parameter) else item
            if unknown := group.keys() - Group.__annotations__:
                raise ValueError(f"a group has {sorted(unknown)}; expected {sorted(Group.__annotations__)}")
            own, decay = group.get("learning_rate", learning_rate), group.get("weight_decay", weight_decay)
            refuse_other_than_rates(learning_rate, own, decay)
            for one in group["parameters"]:
                self._each.append((one, np.zeros_like(one.value), own / learning_rate, decay))

    def step(self) -> None:
        """Change every parameter in place by its gradient of the last backward."""
        for parameter, velocity, rate, decay in self._each:
            value = parameter.value
            velocity *= self.momentum
            velocity += parameter.gradient
            if decay:
                velocity += decay * value
            value -= self.learning_rate * rate * velocity


def refuse_other_than_rates(learning_rate: float, *others: float) -> None:
    """Raises ``ValueError`` for settings with which no step can be made."""
    if not (0 < learning_rate < np.inf and all(0 <= other < np.inf for other in others)):
        raise ValueError("learning_rate is above zero; momentum and weight_decay are zero or more; all are finite")


def batches(count: int, size: int, rng: np.random.Generator) -> Iterator[Array]:
    """Indices of batch after batch, without end: each epoch in a new order, a last incomplete batch left out.

    >>> order = batches(5, 2, np.random.default_rng(0))
    >>> sorted(next(order).tolist() + next(order).tolist())[:1] != [5]
    True
    """
    if not 1 <= size <= count:
        raise ValueError(f"a batch of {size} cannot be drawn from {count} examples")
    while True:
        order = rng.permutation(count)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]


def fit(
    net: Layer,
    x: Array,
    labels: Array,
    optimizer: SGD,
    *,
    steps: int,
    batch_size: int,
    rng: np.random.Generator,
    after_step: Callable[[int, float], Any] | None = None,
    diverged_above: float = 1e3,
) -> Array:
    """Train for so many steps and give the loss of each, on its own batch, before its step: (steps,).

    ``after_step(step, loss)`` is called after each step; what it returns as True ends the training. A loss that is not
    finite, or above ``diverged_above``, ends it too: a step that overflowed is a result, not an error. The steps not
    taken have loss inf after a divergence, and nan when ``after_step`` ended it.

    >>> from bncourse.nn import Linear
    >>> rng = np.random.default_rng(0)
    >>> x, labels = rng.normal(size=(50, 2)), rng.integers(0, 2, 50)
    >>> net = Linear(2, 2, rng)
    >>> fit(net, x, labels, SGD(net.parameters(), 0.1), steps=3, batch_size=10, rng=rng).shape
    (3,)
    """
    losses = np.full(steps, np.nan)
    order = batches(len(x), batch_size, rng)
    for step in range(steps):
        chosen = next(order)
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                loss, dlogits = softmax_cross_entropy(net.forward(x[chosen], training=True), labels[chosen])
            except ValueError:
                if not overflown(net):
                    raise
                loss = np.asarray(np.inf)  # normalization refuses values without a finite variance
            losses[step] = loss
            if not loss <= diverged_above:
                losses[step:] = np.inf
                break
            net.backward(dlogits)
            optimizer.step()
        if after_step is not None and after_step(step, float(loss)):
            break
    return losses


def overflown(net: Layer) -> bool:
    """Whether the parameters are together so large that a variance behind them overflows, or one is no number any more.

    That happens above 1e154; from 1e100 on, the sums over features may have done the rest.
    """
    sizes = [np.abs(one.value).max(initial=1.0) for one in net.parameters()]
    return not np.log10(sizes).sum() < 100


def predict(net: Layer, x: Array, *, batch_size: int | None = None, training: bool = False) -> Array:
    """The class of the largest logit, (N,); in evaluation mode unless ``training``, then with each batch's statistics.

    Without a batch_size all examples are one batch. The network stays as it was: to look at it with the statistics of
    batches does not move its running ones.
    """
    net = deepcopy(net) if training else net
    size = batch_size or len(x)
    parts = [net.forward(x[start : start + size], training).argmax(axis=1) for start in range(0, len(x), size)]
    return np.concatenate(parts)


def accuracy(net: Layer, x: Array, labels: Array, *, batch_size: int | None = None, training: bool = False) -> float:
    """The share of examples whose class is found, from 0 to 1; arguments as :func:`predict`."""
    return float((predict(net, x, batch_size=batch_size, training=training) == labels).mean())
