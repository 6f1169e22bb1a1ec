"""What is asked of the transfer exercise of `variants`, and how is it got wrong?

A norm of three choices that the assignment made one by one: the pixels of one channel of one image (as instance
normalization), their mean square without a mean (as RMS normalization), and a learned threshold behind it (filter
response normalization, Singh & Krishnan 2020). Its backward is not in the book.
"""

from .asked import filter_response_backward
from .mistakes import add_mistakes

add_mistakes(filter_response_backward)
EXERCISES = (filter_response_backward,)
