"""Which mistakes does the transfer exercise of `variants` know by name?"""

from typing import Any

import numpy as np

from bncourse.checks.exercise import Exercise, Kind

from .asked import CHANNELS, PIXELS


def add_mistakes(exercise: Exercise) -> None:
    """Add them all."""
    add_paths(exercise)
    add_threshold(exercise)
    add_sums(exercise)
    add_eps(exercise)


def add_paths(exercise: Exercise) -> None:
    """What can be wrong with the terms of dx."""

    @exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="dmean")
    def mean_path_kept(at: Any) -> Any:
        """You subtract the mean of dx_hat in dx, as in instance normalization. No mean was taken off in this forward,
        so none comes back: only the path through the mean square is left."""
        return (at.dx_hat - at.dx_hat.mean(axis=PIXELS, keepdims=True) - at.x_hat * at.along) / at.std

    @exercise.misconception(Kind.ERROR, "backward-variance-path", step="along", about="dvar")
    def square_path_missing(at: Any) -> Any:
        """You leave out the path through the mean square. Each pixel also moves the root that all pixels of its channel
        are divided by: that is the term with x_hat and the mean of dx_hat times x_hat."""
        return 0.0 * at.std

    @exercise.misconception(Kind.ERROR, "backward-variance-path", step="dx", about="dvar")
    def square_path_sign(at: Any) -> Any:
        """Your term through the mean square has the wrong sign. A larger root makes x_hat smaller, so it is taken off
        the direct term."""
        return (at.dx_hat + at.x_hat * at.along) / at.std

    @exercise.misconception(Kind.ERROR, "backward-closed-form", step="dx_hat", about="gamma")
    def gamma_missing_in_dx(at: Any) -> Any:
        """You leave gamma out of dx. y is gamma times x_hat plus beta, so what comes back to x_hat is gamma times what
        came to y."""
        return at.dy

    @exercise.misconception(Kind.ERROR, "rms-norm", step="centred", about="mean x_hat")
    def subtracts_the_mean(at: Any) -> Any:
        """You subtract the mean of each channel first, as instance normalization does. This norm divides by the root of
        the mean square of x itself."""
        return at.x - at.x.mean(axis=PIXELS, keepdims=True)


def add_threshold(exercise: Exercise) -> None:
    """What can be wrong with what the threshold does."""

    @exercise.misconception(Kind.ERROR, "rms-norm", step="dy", about="dy")
    def threshold_lets_all_pass(at: Any) -> Any:
        """You let all of dz pass back to y. Where y is below tau, tau comes out and y does not reach the loss: there
        its gradient is 0."""
        return at.dz

    @exercise.misconception(Kind.ERROR, "rms-norm", step="above", about="above")
    def threshold_at_zero(at: Any) -> Any:
        """You cut at 0, as a ReLU does. Here each channel has its own threshold: y passes where it is above tau."""
        return at.y > 0

    @exercise.misconception(Kind.ERROR, "rms-norm", step="above", about="above")
    def threshold_before_gamma_and_beta(at: Any) -> Any:
        """You compare x_hat, or x, with tau. What is compared is y, which has been scaled and shifted already."""
        return at.x_hat > np.reshape(at.tau, (-1, 1, 1))

    @exercise.another_way("threshold_before_gamma_and_beta", step="above")
    def threshold_on_x(at: Any) -> Any:
        """x itself."""
        return at.x > np.reshape(at.tau, (-1, 1, 1))

    @exercise.misconception(Kind.ERROR, "rms-norm", step="above", about="above")
    def threshold_the_other_way_round(at: Any) -> Any:
        """You take the smaller of y and tau. z is the larger one: y passes where it is above tau, and dtau collects
        the rest."""
        return ~(at.y > np.reshape(at.tau, (-1, 1, 1)))

    @exercise.misconception(Kind.ERROR, "backward-parameters", step="dtau", about="dtau")
    def dtau_of_everything(at: Any) -> Any:
        """You add up all of dz in dtau. tau reaches the loss only where it came out, that is where y is below it."""
        return at.dz.sum(axis=CHANNELS)

    @exercise.misconception(Kind.ERROR, "backward-parameters", step="dtau", about="dtau")
    def dtau_is_dbeta(at: Any) -> Any:
        """You add up in dtau what passes the threshold. It is the other way round: where y passes, tau has no say, and
        where tau came out, z grows just as tau does."""
        return at.dy.sum(axis=CHANNELS)

    @exercise.misconception(Kind.ERROR, "backward-parameters", step="dtau", about="dtau")
    def dtau_sign(at: Any) -> Any:
        """Your dtau has the wrong sign. Where tau came out, z is tau, so it grows with tau: dtau is the plain sum of dz
        there."""
        return -np.where(at.above, 0.0, at.dz).sum(axis=CHANNELS)


def add_sums(exercise: Exercise) -> None:
    """What can be wrong with the axes of the sums."""

    @exercise.misconception(Kind.ERROR, "instance-norm", step="along", about="dvar axis")
    def sums_over_the_batch(at: Any) -> Any:
        """You average over the images as well in dx. Each channel of each image was divided by a root of its own, so
        the sum of dx runs over its pixels only, axes (2, 3)."""
        return (at.dx_hat * at.x_hat).mean(axis=CHANNELS, keepdims=True)

    @exercise.misconception(Kind.ERROR, "instance-norm", step="along", about="dvar axis")
    def sums_over_the_channels(at: Any) -> Any:
        """You average over the channels as well in dx. Each channel of each image was divided by a root of its own, so
        the sum of dx runs over its pixels only, axes (2, 3)."""
        return (at.dx_hat * at.x_hat).mean(axis=(1, 2, 3), keepdims=True)

    @exercise.misconception(Kind.ERROR, "backward-variance-path", step="along", about="dvar N")
    def sum_not_averaged(at: Any) -> Any:
        """You do not divide the sum in dx by H·W. The root holds a mean square, so its derivative has 1/(H·W)."""
        return (at.dx_hat * at.x_hat).sum(axis=PIXELS, keepdims=True)

    @exercise.misconception(Kind.ERROR, "backward-parameters", step="dgamma", about="dgamma x_hat")
    def dgamma_with_x(at: Any) -> Any:
        """You multiply by x in dgamma. gamma is multiplied by x_hat, which is x over the root."""
        return (at.dy * at.x).sum(axis=CHANNELS)

    @exercise.misconception(Kind.ERROR, "rms-norm", step="mean_square", about="axis")
    def root_of_the_batch(at: Any) -> Any:
        """You take one mean square for a channel of the whole batch. Each image has its own here: average over the
        pixels only, axes (2, 3)."""
        return (at.centred**2).mean(axis=CHANNELS, keepdims=True)

    @exercise.another_way("root_of_the_batch", step="mean_square")
    def root_of_the_image(at: Any) -> Any:
        """Or over the channels of an image."""
        return (at.centred**2).mean(axis=(1, 2, 3), keepdims=True)


def add_eps(exercise: Exercise) -> None:
    """What can be wrong with eps."""

    @exercise.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
    def eps_missing(at: Any) -> Any:
        """You leave eps out. The forward divides by the root of the mean square plus eps, and so does the backward."""
        return np.sqrt(at.mean_square)

    @exercise.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
    def eps_outside_the_root(at: Any) -> Any:
        """You add eps to the root mean square. It belongs beside the mean square, under the root."""
        return np.sqrt(at.mean_square) + at.eps
