"""Where in the book is a thing explained?"""

import os

from .unwritten import UNWRITTEN

ADDRESS = ""
"""The published book's address. While it is empty, and BNCOURSE_BOOK_URL too, a place is named without a link."""

PAGES = {
    "backward-closed-form": "backward/closed-form",
    "backward-inference": "backward/modes",
    "backward-mean-path": "backward/normalize",
    "backward-normalize": "backward/normalize",
    "backward-parameters": "backward/graph",
    "backward-shapes": "backward/graph",
    "backward-variance-path": "backward/normalize",
    "batch-mean": "forward/statistics",
    "batch-variance": "forward/statistics",
    "box-masks": "practice/boxes",
    "conv-axes": "backward/modes",
    "conv-folding": "inference/folding",
    "conv-unbiased": "backward/modes",
    "distributed-backward": "practice/distributed",
    "distributed-forward": "practice/distributed",
    "evidence-interval": "evidence/index",
    "evidence-rules": "evidence/index",
    "float32-variance": "forward/layer",
    "folding": "inference/folding",
    "folding-forward": "inference/folding",
    "gamma-inside": "limits/variants-backward",
    "geometry-factors": "backward/geometry",
    "gradient-checking": "backward/gradient-checking",
    "group-norm": "limits/axes",
    "identity-claims": "forward/scale-shift",
    "inference-formula": "inference/evaluation",
    "instance-norm": "limits/axes",
    "layer-modes": "inference/evaluation",
    "layer-norm": "limits/axes",
    "merging-shards": "inference/population",
    "normalize-eps": "forward/normalize",
    "normalize-formula": "forward/normalize",
    "rms-norm": "limits/axes",
    "running-conventions": "inference/running-statistics",
    "running-statistics": "inference/running-statistics",
    "scale-shift": "forward/scale-shift",
    "which-axes": "limits/axes",
    "whole-layer": "forward/layer",
}
"""The page of every section that a misconception points to, and that the book has."""


def written(section: str) -> bool:
    """Whether the book has the section already."""
    return section in PAGES


def place(section: str) -> str:
    """The section as the book knows it: ``forward/normalize#normalize-eps``; in words while it is not written."""
    return f"{PAGES[section]}#{section}" if written(section) else UNWRITTEN[section]


def address() -> str:
    """The published book's, or "" while it has none."""
    given = os.environ.get("BNCOURSE_BOOK_URL", ADDRESS).rstrip("/")
    return given if given.startswith(("https://", "http://")) else ""


def link(section: str) -> str:
    """Its address, or "" while the book has none, or has not the section."""
    return f"{address()}/{PAGES[section]}.html#{section}" if address() and written(section) else ""
