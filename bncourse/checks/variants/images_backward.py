"""Which of the mistakes of a backward are the same in instance and in group normalization?"""

from ..exercise import Exercise
from . import gradients


def add_parameter_sums(exercise: Exercise) -> None:
    """Add the sums over something else than images and pixels in dgamma and dbeta."""
    gradients.add_last_sample(exercise, "image")
    gradients.add_other_sums(
        exercise,
        "parameters_averaged",
        "backward-parameters",
        "You average in dgamma or dbeta. The loss is what dy says it is: if it is a mean over the batch, dy has its "
        "1/N already, and the gradients of gamma and beta are plain sums over the images and their pixels.",
        lambda at, values: values.mean(axis=(0, 2, 3)),
        lambda at, values: values.sum(axis=(0, 2, 3)) / len(values),
        lambda at, values: values.sum(axis=(0, 2, 3)) / values[0, 0].size,
        about="dgamma N",
    )
    gradients.add_other_sums(
        exercise,
        "parameters_not_summed",
        "backward-shapes",
        "You do not sum in dgamma or dbeta. One gamma serves all pixels of its channel in all images, so its "
        "gradient is the sum of what each of them says, and has gamma's shape, (C,).",
        lambda at, values: values,
    )
    gradients.add_other_sums(
        exercise,
        "parameters_summed_over_pixels_only",
        "backward-shapes",
        "You sum over the pixels but not over the images in dgamma or dbeta, as for mean and variance. But the images "
        "share gamma and beta, as in batch normalization: sum over axes (0, 2, 3).",
        lambda at, values: values.sum(axis=(2, 3)),
    )
    gradients.add_other_sums(
        exercise,
        "parameters_not_summed_over_all_pixels",
        "backward-shapes",
        "You sum over the images but not over all pixels in dgamma or dbeta. One gamma serves all pixels of its "
        "channel: sum over axes (0, 2, 3), so that one number per channel is left.",
        lambda at, values: values.sum(axis=0),
        lambda at, values: values.sum(axis=(0, 2)),
        lambda at, values: values.sum(axis=(0, 3)),
    )
    gradients.add_other_sums(
        exercise,
        "parameters_summed_over_channels",
        "backward-shapes",
        "You sum over the channels in dgamma or dbeta. Each channel has its own gamma and beta, shared by the images "
        "and their pixels: sum over axes (0, 2, 3), and keep axis 1.",
        lambda at, values: values.sum(axis=(1, 2, 3)),
        lambda at, values: values.sum(axis=1),
        lambda at, values: values.sum(),
        lambda at, values: values.sum(axis=(0, 1, 2)),
    )
