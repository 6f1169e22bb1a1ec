"""How is a student's code kept from disturbing, or being disturbed by, what is around it?"""

import io
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import FrameType

import numpy as np

TIME_LIMIT = 5.0
"""Seconds that the student's function may take for one property."""

REPEAT = 0.2
"""Seconds after which the alarm rings again, for code that caught the first one (``except: pass`` in a loop)."""


class TimeUp(BaseException):
    """The time limit has passed. Not an Exception, so that ``except Exception`` in the student's code lets it pass."""


class Discarded(io.TextIOBase):
    """Takes what is printed, keeps nothing of it, so that megabytes cost no memory."""

    def writable(self) -> bool:
        """Print may write here."""
        return True

    def write(self, text: str) -> int:
        """Drop the text."""
        return len(text)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeUp` in the running code after so many seconds.

    It needs the main thread and ``signal.setitimer`` (Linux, macOS). Elsewhere, on Windows and in the browser, there
    is no limit here: the page stops its worker, the command line its child process.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def ring(signum: int, frame: FrameType | None) -> None:
        if armed:  # pragma: no branch - an alarm that comes a moment too late is rare
            raise TimeUp

    handler_before = signal.signal(signal.SIGALRM, ring)
    timer_before = signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT)
    try:
        yield
    finally:
        armed = False  # first, so that an alarm on the way does not interrupt the lines below
        signal.setitimer(signal.ITIMER_REAL, *timer_before)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler_before is None else handler_before)


@contextmanager
def quiet() -> Iterator[None]:
    """Swallow what is printed and every warning, and keep NumPy's error state as it was.

    A single word on stderr costs a student all points of a cell in nbgrader; a warning is such a word.
    """
    with (
        warnings.catch_warnings(),
        redirect_stdout(Discarded()),
        redirect_stderr(Discarded()),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """Restore the global state that a student's function may change: random generators, print options, recursion."""
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 - the state that students use
    print_options, depth = np.get_printoptions(), sys.getrecursionlimit()
    try:
        yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
        np.set_printoptions(**print_options)
        sys.setrecursionlimit(depth)
