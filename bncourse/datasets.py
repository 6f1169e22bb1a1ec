"""What do the experiments train on, when nothing may be downloaded?

:func:`digits` are small real images that come with the package, :func:`digits1d` are generated signals, harder for a
dense network. :func:`split` cuts either into training, validation and test part; :func:`standardize` scales them.
"""

from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]  # int64; in the browser int32, all that np.bincount and the like take there


def digits() -> tuple[NDArray[np.uint8], Integers]:
    """1,797 grey images of handwritten digits: images (1797, 8, 8), from 0 (paper) to 16 (ink), and labels (1797,).

    The test part of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, UCI Machine Learning
    Repository 1998, doi 10.24432/C50P49, CC BY 4.0; the same images in the same order as scikit-learn's
    ``load_digits``. ``data/LICENSE-digits.md`` says how they came here. Thirteen people wrote them and who wrote which
    is not recorded: a random split measures how well their *other* digits are read, not those of a stranger.

    Every call returns fresh arrays, uint8 and integers: change them as you like.

    >>> images, labels = digits()
    >>> images.shape, labels[:5]
    ((1797, 8, 8), array([0, 1, 2, 3, 4]))
    >>> print("\\n".join("".join(".:ox@"[pixel // 4] for pixel in row) for row in images[3]))
    ..:xx...
    .ox:x:..
    ...xx...
    ...xo...
    ....xx..
    .....oo.
    ..o::xo.
    ..:xxo..
    """
    packed = BytesIO((files("bncourse") / "data" / "digits.npz").read_bytes())
    with np.load(packed) as arrays:
        return arrays["images"], arrays["labels"].astype(np.intp)


# Row d is the digit d, read from top to bottom: how far right (+) of the middle its most telling edge is, in eighths.
_STROKES = np.array(
    [
        [+0, +4, +6, +7, +8, +8, +8, +8, +7, +6, +4, +0],  # the right half of the ring
        [-6, -2, +2, +3, +3, +3, +3, +3, +3, +3, +3, +3],  # a flag, then the stem
        [-5, +1, +5, +6, +6, +4, +1, -2, -5, -7, +0, +6],  # an arch, down to the left, a base to the right
        [-4, +3, +6, +6, +3, -2, +0, +4, +7, +7, +3, -4],  # two bellies
        [+3, +1, -1, -3, -5, -7, +7, +3, +3, +3, +3, +3],  # down to the left, the bar, the stem
        [+7, -5, -5, -5, -4, +1, +5, +7, +7, +5, +1, -5],  # a roof, the wall, a belly
        [+5, +1, -2, -4, -6, -7, -8, -8, -7, -6, -3, +1],  # the long back
        [-7, -2, +7, +6, +4, +3, +1, +0, -2, -3, -4, -5],  # a roof, then down to the left
        [+0, -4, -6, -6, -4, +0, -1, -5, -7, -7, -5, +0],  # the left halves of two rings
        [-1, -5, -7, -6, -2, +4, +5, +5, +5, +4, +2, -1],  # the left half of a ring, then the stem
    ]
)


def digits1d(count: int = 4000, seed: int = 0, *, length: int = 40) -> tuple[Floats, Integers]:
    """Digits drawn as noisy curves: signals (count, length) and labels (count,), where translation is the difficulty.

    In the manner of MNIST-1D (Greydanus & Kobak, "Scaling Down Deep Learning with MNIST-1D", arXiv:2011.14439), with
    strokes and ranges of our own, so accuracies do not compare with the paper's. A stroke of 12 points is placed
    anywhere, over 30 to 50 % of the signal, and scaled by 0.7 to 1.3; then the whole is sheared by up to ±0.8 at its
    ends and covered by smooth noise (sd 0.2) and white noise (sd 0.03).

    Standardized by one constant: over all signals the mean is near 0 and the standard deviation near 1 (0.05 and 1.00).
    It is not taken from the sample, so nothing leaks from a test part into training.

    How hard that is, with 2,000 signals to train on and 2,000 to test: a linear softmax classifier gets 35 %, the
    nearest neighbours 59 %, a dense network of two hidden layers of 100 units 69 %, and Bayes' rule with the recipe
    above 97 %. Of :func:`digits` the first three get 93, 98 and 98 %.

    The same seed gives the same signals; the classes occur equally often, or differ by one, in random order.

    Raises ``ValueError`` for a count below 1 or a length below 12, the points of a stroke.

    >>> signals, labels = digits1d(25, seed=1)
    >>> signals.shape, np.bincount(labels)
    ((25, 40), array([3, 3, 3, 3, 3, 2, 2, 2, 2, 2]))
    """
    _at_least(1, "count", count)
    _at_least(_STROKES.shape[1], "length", length)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count, dtype=np.intp) % len(_STROKES))
    places = np.linspace(0, 1, length)
    width = rng.uniform(0.3, 0.5, (count, 1))
    start = rng.uniform(0, 1 - width)
    stroke = _drawn(labels, (places - start) / width)
    scale = rng.uniform(0.7, 1.3, (count, 1))
    slope = rng.uniform(-0.8, 0.8, (count, 1))
    noise = 0.2 * _smooth_noise(rng, count, places) + 0.03 * rng.normal(size=(count, length))
    # The sum's standard deviation is 0.5, whatever the length.
    return (scale * stroke + slope * (2 * places - 1) + noise) / 0.5, labels


def split(count: int, seed: int, *, validation: float = 0.2, test: float = 0.2) -> tuple[Integers, Integers, Integers]:
    """Indices (train, validation, test) that share out range(count) at random: disjoint, and together all of it.

    validation, test: their parts of count, rounded; 0 leaves one out (an empty array). The same seed gives the same
    split, another seed another one: an experiment that repeats over seeds must not owe its result to one lucky split.
    Classes are not balanced: with hundreds of samples a random split does that well enough.

    Raises ``ValueError`` for fractions that are negative or leave nothing to train on, and for a count so small that a
    part that was asked for is empty.

    >>> train, validation, test = split(10, seed=0)
    >>> train, validation, test
    (array([3, 5, 9, 0, 8, 1]), array([4, 6]), array([2, 7]))
    """
    _at_least(1, "count", count)
    for name, fraction in [("validation", validation), ("test", test)]:
        if not 0 <= fraction < 1:
            raise ValueError(f"{name} is {fraction}; give the part of the samples that it gets, from 0 to below 1")
        if fraction > 0 and round(count * fraction) == 0:
            raise ValueError(f"{name} is {fraction}, which is no sample of {count}; take more samples, or {name}=0")
    end = round(count * validation)
    last = end + round(count * test)
    if last >= count:
        raise ValueError(f"validation={validation} and test={test} leave none of {count} to train on; lower one")
    shuffled = np.random.default_rng(seed).permutation(np.arange(count, dtype=np.intp))
    return shuffled[last:], shuffled[:end], shuffled[end:last]


def standardize(train: ArrayLike, *others: ArrayLike) -> tuple[Floats, ...]:
    """Flattens each part to (N, D), subtracts the training part's mean (D,), divides by *one* number.

    That number is the root of the training part's variance, averaged over the features. So the features keep their
    different spreads, which is what a normalization layer is there to deal with, and a feature that never varies (the
    corners of :func:`digits`) stays 0 where its own standard deviation would give 0/0. The other parts are treated
    exactly as the training part was: their statistics are not known when a network is used.

    Returns one float64 array for each argument, in their order. Raises ``ValueError`` when the training part is empty
    or constant, or another part's samples have another shape.

    >>> train, test = standardize([[0.0, 5.0], [4.0, 5.0]], [[2.0, 6.0]])
    >>> train, test.round(3)
    (array([[-1.41421356,  0.        ],
            [ 1.41421356,  0.        ]]), array([[0.   , 0.707]]))
    """
    first, *rest = (np.asarray(part, dtype=np.float64) for part in (train, *others))
    if first.ndim < 2 or first.size == 0:
        raise ValueError(f"train has shape {first.shape}; expected samples first, then their features, none empty")
    for number, part in enumerate(rest, start=2):
        if part.shape[1:] != first.shape[1:]:
            raise ValueError(f"part {number} has shape {part.shape}; its samples must be {first.shape[1:]} as train's")
    mean = first.mean(axis=0)
    spread = np.sqrt(np.mean((first - mean) ** 2))
    if not spread > 0:
        raise ValueError("train is constant or not finite, so there is no spread to divide by; look at the data")
    return tuple(((part - mean) / spread).reshape(len(part), first[0].size) for part in (first, *rest))


def _drawn(labels: Integers, where: Floats) -> Floats:
    """The height of each label's stroke, which reaches from where = 0 to where = 1; beside it, nothing."""
    strokes = np.pad(_STROKES / 8, ((0, 0), (1, 1)))  # a zero on each side: the ends are joined to the line beside them
    last = strokes.shape[1] - 1
    point = np.clip(where * (_STROKES.shape[1] - 1) + 1, 0, last)
    left = np.minimum(point.astype(np.intp), last - 1)
    row = labels[:, np.newaxis]
    drawn: Floats = strokes[row, left] + (point - left) * (strokes[row, left + 1] - strokes[row, left])
    return drawn


def _smooth_noise(rng: np.random.Generator, count: int, places: Floats) -> Floats:
    """Gaussian noise (count, length) of standard deviation 1 everywhere, correlated over a tenth of the signal."""
    kernel = np.exp(-(((places[:, np.newaxis] - places) / 0.05) ** 2) / 2)
    noise: Floats = rng.normal(size=(count, len(places))) @ (kernel / np.sqrt(np.sum(kernel**2, axis=0)))
    return noise


def _at_least(lowest: int, name: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < lowest:
        raise ValueError(f"{name} is {value!r}; expected a whole number, {lowest} or more")
