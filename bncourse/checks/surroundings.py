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

TICK = 0.1
"""Seconds between two rings. Rings are counted, not seconds: a machine that sleeps for an hour rings once."""


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
    left = max(1, round(seconds / TICK))

    def ring(signum: int, frame: FrameType | None) -> None:
        nonlocal left
        left -= 1
        if left <= 0 and (frame is None or frame.f_code not in OURS):
            raise TimeUp  # and again at the next ring, for code that caught this one (``except: pass`` in a loop)

    handler_before = signal.signal(signal.SIGALRM, ring)
    timer_before = signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer_before)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler_before is None else handler_before)


OURS = {
    time_limit.__wrapped__.__code__,  # type: ignore[attr-defined]  # functools.wraps sets it
    *(vars(type(time_limit(1.0)))[name].__code__ for name in ("__enter__", "__exit__")),
}
"""Code in which a ring must not raise, or the alarm would never be put back."""


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
