"""What is said about the mistakes that can be made in every exercise?"""

WHOLE_NUMBER_BUFFER = (
    "You put the result into an array of the input's own type. When the input holds whole numbers, everything behind "
    "the point is cut off: make the result a float array."
)

CHANGES_ITS_INPUT = (
    "You change an array you were given, by an in-place operation such as `x -= ...` or `x[...] = ...`. It belongs to "
    "the caller, who needs it again, as the backward pass does. Make a new array."
)
