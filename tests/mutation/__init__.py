"""Wrong answers made by machine: how good is the checker at finding them, and at saying what is wrong with them?

The machine shares nothing with the checker but the reference, so that the two have no blind spot in common.

``cases``        every exercise as the machine sees it: inputs, how an answer is run, the quantities it is made of
                 (``evidence_cases``, ``inference_cases``: on inputs that the checker draws; ``variants_cases``)
``operators``    the slips: small changes of the syntax tree, fixed before the checker was tuned
``making``       mutants, from the source of right answers and of the reference
``equivalence``  which mutants are right answers after all, by wide sampling
``roles``        what a mutant is about, derived from the difference of the two syntax trees
``judging``      what the checker says of a mutant, and whether that is true
``simpler``      what simpler kinds of check would say
``trials``       the figures, counted
"""

from . import evidence_cases as evidence_cases  # these add their cases
from . import inference_cases as inference_cases
from . import variants_cases as variants_cases
