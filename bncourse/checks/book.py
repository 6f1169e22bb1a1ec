"""Where in the book is a thing explained?"""

import os

ADDRESS = ""
"""The published book's address. While it is empty, and BNCOURSE_BOOK_URL too, a place is named without a link."""

PAGES = {
    "batch-mean": "forward/statistics",
    "batch-variance": "forward/statistics",
    "float32-variance": "forward/layer",
    "identity-claims": "forward/scale-shift",
    "normalize-eps": "forward/normalize",
    "normalize-formula": "forward/normalize",
    "scale-shift": "forward/scale-shift",
    "whole-layer": "forward/layer",
}
"""The page of every section that a misconception points to."""


def place(section: str) -> str:
    """The section as the book knows it: ``forward/normalize#normalize-eps``."""
    return f"{PAGES[section]}#{section}"


def link(section: str) -> str:
    """Its address, or "" while the book has none."""
    address = os.environ.get("BNCOURSE_BOOK_URL", ADDRESS).rstrip("/")
    return f"{address}/{PAGES[section]}.html#{section}" if address.startswith(("https://", "http://")) else ""
