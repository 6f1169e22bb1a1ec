"""What is free?  The symbols that no equation of the book introduces, and the indices they may carry."""

from __future__ import annotations

#: the size that bounds an index letter
RANGES = {
    **dict.fromkeys("iklmn", "N"),
    "j": "D",
    "c": "C",
    "h": "H",
    "w": "W",
    "t": "T",
    "p": "P",
    "q": "Q",
    "b": "B",
}

SIZES = {"N", "D", "C", "H", "W", "T", "K", "P", "Q", "B", "G"}

#: name: (kind, ranges of its indices in each form that is free).  Kinds: data and real have any sign, positive is
#: above 0, fraction in (0, 1), count a whole number.
FREE: dict[str, tuple[str, tuple[str, ...]]] = {
    "x": ("data", ("N", "ND", "NCHW", "NP")),  # input of the layer
    "g": ("data", ("N", "ND", "NCHW", "NP")),  # upstream gradient ∂L/∂y
    "u": ("data", ("N", "NK", "NQ", "K")),  # a second series; input of the linear layer
    "\\gamma": ("real", ("", "N", "D", "C", "Q")),  # scale
    "\\beta": ("real", ("", "N", "D", "C", "Q")),  # shift
    "\\varepsilon": ("positive", ("",)),  # keeps the root away from 0
    "\\alpha": ("fraction", ("",)),  # momentum: weight of the new value
    "\\bar{\\mu}": ("real", ("", "D", "C", "T", "Q")),  # running mean
    "\\bar{\\sigma}^2": ("positive", ("", "D", "C", "T", "Q")),  # running variance
    "a": ("real", ("",)),  # factor that stretches the data
    "b": ("real", ("", "D", "C")),  # bias, shift of the data
    "w": ("real", ("", "K", "DK", "DQ", "T", "NK", "Q")),  # weight
    "t": ("real", ("",)),  # any point
    "z": ("real", ("",)),  # argument of a function
    # running statistics: what the batch of step t says, and where the averages start
    "\\xi": ("real", ("", "T")),
    "r_old": ("real", ("",)),
    "r": ("real", ("T",)),
    "\\bar{r}": ("real", ("T",)),
    # weights before batch normalization
    "q": ("real", ("", "K")),  # gradient of the loss by a weight
    "\\eta": ("positive", ("",)),  # learning rate
    "\\lambda": ("positive", ("",)),  # weight decay
    # a chain of layers: input, size of the input; variance of a weight, share that an activation lets through
    "\\ell": ("real", ("T",)),
    "\\chi": ("positive", ("T",)),
    "\\omega": ("positive", ("",)),
    "\\varphi": ("positive", ("",)),
    "\\rho": ("fraction", ("",)),  # correlation of two examples of a batch
    "\\kappa": ("fraction", ("",)),  # probability that dropout keeps a value
    # prerequisites only
    "h": ("real", ("", "N")),  # gradient of any later value
    "d": ("data", ("N",)),  # direction that is projected on
    "\\nu": ("count", ("P",)),  # sizes of the parts of a list
    "\\bar{x}": ("real", ("P",)),  # their means
    "v": ("positive", ("P",)),  # their variances
    "r_start": ("real", ("",)),  # what a moving average starts from
}


def kind_of(name: str, ranges: tuple[str | None, ...]) -> str | None:
    """The kind of a symbol whose indices have these ranges (x_1's has none: None); None if it is not free."""
    if name in SIZES:
        return "size" if not ranges else None
    kind, forms = FREE.get(name, ("", ()))
    fits = any(
        len(form) == len(ranges) and all(have in (None, want) for have, want in zip(ranges, form, strict=True))
        for form in forms
    )
    return kind if fits else None
