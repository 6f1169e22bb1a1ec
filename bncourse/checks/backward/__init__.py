"""The assignment `backward`: from the gradients of the parameters to a layer that knows its mode.

The points stand in the decorators of the properties. The weights are a teacher's: in dx the idea, that x acts on three
paths, carries most; ε left out of the backward or N - 1 for N cost less than a quarter; dgamma and dbeta count by
themselves.
"""

from .batchnorm_backward import batchnorm_backward
from .batchnorm_backward_graph import batchnorm_backward_graph

EXERCISES = (batchnorm_backward_graph, batchnorm_backward)
