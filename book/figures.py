"""How does a figure of this book look?

Black on a transparent ground, drawn as SVG, text as outlines (so no font is needed). The dark theme inverts the image
and turns the hues back, so that the ink becomes light and each colour stays itself. Colours are those of Okabe and
Ito, which people with any of the common colour deficiencies tell apart; no figure says anything by colour alone.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import set_matplotlib_formats

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#AA4499"
GREY = "#767676"
WIDTH = 4.6  # inches: about as wide as a phone shows at 3/4 size, so that its text stays legible there

STYLE: dict[str, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "legend.fontsize": 10,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=[BLUE, ORANGE, GREEN, PURPLE]),
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "bncourse",  # the same figure is the same file
}


def figure(rows: int = 1, columns: int = 1, *, height: float = 2.6, **options: Any) -> tuple[Figure, Any]:
    """A figure as wide as the book's figures are, and its axes."""
    set_matplotlib_formats("svg", metadata={"Date": None})
    mpl.rcParams.update(STYLE)
    return plt.subplots(rows, columns, figsize=(WIDTH, height), **options)


def dots(axes: Axes, values: Any, *, colour: str = BLUE, marker: str = "o", levels: int = 1) -> None:
    """Each value as a dot above a number line, with room for so many equal values on each other."""
    values = np.round(np.asarray(values, dtype=float), 9)
    heights = [int((values[:i] == value).sum()) for i, value in enumerate(values)]
    axes.scatter(values, heights, s=40, color=colour, marker=marker, zorder=3, clip_on=False)
    axes.set_ylim(-0.9, levels - 0.2)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
