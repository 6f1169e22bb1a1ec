"""How does a mistake of a dense layer look on images?

A channel is a feature, and each pixel of each image one more sample. So a wrong dense function, or a wrong step of one,
is a wrong one for images when the images are laid out as rows, (N·H·W, C), and its answer is put back.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..answers import Array
from ..chain import Step
from ..exercise import Exercise, Way

AXES = (0, 2, 3)
"""Of the images that share a channel's statistics: images, rows, columns."""


def spread(values: Any) -> Any:
    """One value a channel, in a shape that meets (N, C, H, W) at the channels; anything else as it is."""
    return values[:, None, None] if np.ndim(values) == 1 else values


def kept(values: Any) -> Any:
    """Statistics of whatever axes: (1, C, 1, 1) as (C,), others with the axes they were averaged over."""
    return values.reshape(-1) if values.shape[0] == values.shape[2] == values.shape[3] == 1 else values


def rows(value: Any, x: Array) -> Any:
    """Images, and what broadcasts against them, as (N·H·W, C); anything else as it is."""
    if not isinstance(value, np.ndarray) or value.ndim != 4:
        return value
    if value.shape != x.shape:
        value = np.broadcast_to(value, x.shape)
    return value.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])


def images(value: Any, x: Array) -> Any:
    """The way back: whatever has one row a pixel."""
    N, _, H, W = x.shape
    if not isinstance(value, np.ndarray) or value.ndim != 2 or len(value) != N * H * W:
        return value
    return value.reshape(N, H, W, -1).transpose(0, 3, 1, 2)


class AsRows:
    """The steps of an exercise on images, as a dense step reads them."""

    def __init__(self, at: Any) -> None:
        self.at = at

    def __getattr__(self, name: str) -> Any:
        return rows(getattr(self.at, name), self.at.x)


def over_channels(step: Step) -> Step:
    """A dense step, for images."""
    return lambda at: images(step(AsRows(at)), at.x)


def whole_over_channels(function: Callable[..., Any]) -> Callable[..., Any]:
    """A whole dense function of x, for images."""

    def answer(x: Array, *rest: Any) -> Any:
        value = function(rows(x, x), *rest)
        return tuple(images(one, x) for one in value) if isinstance(value, tuple) else images(value, x)

    return answer


def way_over_channels(exercise: Exercise, way: Way) -> Way:
    """A dense way to make a mistake, for images; of whole functions those whose first argument is x."""
    if not way.wrong:
        return Way(whole_over_channels(way.function), {})
    wrong = {name: over_channels(step) for name, step in way.wrong.items()}
    return Way(exercise.from_steps(wrong), wrong)


def copy_over_channels(
    exercise: Exercise,
    dense: Exercise,
    *names: str,
    sentences: Mapping[str, str] | None = None,
    about: Mapping[str, str] | None = None,
) -> None:
    """Take over these mistakes of a dense exercise with the same steps.

    ``sentences`` where images need other words; ``about`` names further quantities that a mistake gets wrong, with
    which it is not combined.
    """
    unknown = set(names) - {entry.identifier for entry in dense.misconceptions}
    if unknown:
        raise ValueError(f"{dense.name} has no {', '.join(sorted(unknown))} for {exercise.name} to take over")
    for entry in dense.misconceptions:
        if entry.identifier in names:
            ways = tuple(way_over_channels(exercise, way) for way in entry.ways)
            sentence = (sentences or {}).get(entry.identifier, entry.sentence)
            quantities = entry.about | frozenset((about or {}).get(entry.identifier, "").split())
            exercise.misconceptions.append(replace(entry, ways=ways, sentence=sentence, about=quantities))


def another_way_of_steps(exercise: Exercise, identifier: str, wrong: Mapping[str, Step]) -> None:
    """Add a way to make a mistake in which several steps are wrong."""
    at = [entry.identifier for entry in exercise.misconceptions].index(identifier)
    entry = exercise.misconceptions[at]
    way = Way(exercise.from_steps(wrong), dict(wrong))
    exercise.misconceptions[at] = replace(entry, ways=(*entry.ways, way))
