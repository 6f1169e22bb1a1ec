"""What is asked of the class `BatchNorm`, and how is it got wrong?

A layer is judged by its life (:mod:`...layers`): five forwards, of which the first four are one layer's, twice in
training, in evaluation and in training again, and the fifth is another layer's, made with the defaults. The rooms:

``asked``       the lives, their error analysis, the properties
``steps``       a life in steps, one row a forward; most mistakes are wrong steps
``statistics``  mistakes in the constructor and in the running statistics
``modes``       mistakes in the two modes, the formula and the backward
``arrays``      mistakes that steps cannot say, such as two layers that share an array
``readings``    what can be read where nobody foresaw the mistake
"""

from . import steps  # isort: skip  # the mistakes are made of them
from . import arrays, modes, readings, statistics
from .asked import batchnorm_layer

__all__ = ["arrays", "batchnorm_layer", "modes", "readings", "statistics", "steps"]
