"""Which sections does the checker point to that the book does not have yet?

Each label with the words that stand in its place until then. A label that the book gets moves to ``book.PAGES``.
"""

UNWRITTEN: dict[str, str] = {
    # backward
    "backward-parameters": "Backward: gradients of gamma and beta",
    "backward-normalize": "Backward: through normalize alone",
    "backward-mean-path": "Backward: the path through the mean",
    "backward-variance-path": "Backward: the path through the variance",
    "backward-closed-form": "Backward: the closed form",
    "backward-shapes": "Backward: which sums run over what",
    "backward-inference": "Backward: with fixed statistics",
    "gradient-checking": "Backward: checking a gradient by differences",
    # convolution
    "conv-axes": "Convolution: one statistic a channel",
    "conv-unbiased": "Convolution: N·H·W values a channel",
}
