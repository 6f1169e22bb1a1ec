"""What is said about the mistakes that can be made in every exercise?"""

WHOLE_NUMBER_BUFFER = (
    "You put the result into an array of the input's own type. When the input holds whole numbers, everything behind "
    "the point is cut off: make the result a float array."
)

CHANGES_ITS_INPUT = (
    "You change an array you were given, by an in-place operation such as `x -= ...` or `x[...] = ...`. It belongs to "
    "the caller, who needs it again, as the backward pass does. Make a new array."
)

CANCELS_FAR_FROM_ZERO = (
    "Your answer is right near 0 and loses its digits far from it. That is what happens when two large numbers that "
    "nearly cancel are subtracted, as in the mean of the squares minus the square of the mean: at a mean of 1e8 "
    "nothing is left of the variance, and it can even be negative. Subtract the mean first, then square."
)

HALF_PRECISION = (
    "You compute in float16. It has three digits and ends at 65504, so sums over a batch are rounded at every step: "
    "compute in float64, or in float32 with care, and round at the end if you must."
)
