"""What is asked of `batchnorm_backward`? The numbers of the graph, in closed form; the same is got wrong."""

from ... import functional as reference
from ..calling import Signature
from ..exercise import Exercise
from ..forward.batchnorm_forward import batchnorm_forward
from .batchnorm_backward_graph import GRADIENTS, batchnorm_backward_graph, smallest_pairs
from .inputs import dense_pair, scale_of_pair

batchnorm_backward = Exercise(
    Signature("batchnorm_backward", ("dy", "x", "gamma", "beta", "eps"), GRADIENTS, reference.batchnorm_backward),
    problem=dense_pair,
    scale=scale_of_pair,
    section="backward-closed-form",
    axes={"dy": "ND", "x": "ND", "gamma": "D", "beta": "D"},
    smallest=smallest_pairs(),
    forward=batchnorm_forward,
    whole_probes=(),
)
batchnorm_backward.asks_the_same_as(batchnorm_backward_graph)
