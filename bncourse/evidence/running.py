"""How are experiments run? Each trial in a process of its own pool, on one thread, with a bar that says how long."""

import os
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tqdm import tqdm

from . import experiment
from .experiment import Experiment
from .fingerprint import fingerprint
from .record import RESULTS, one_trial, reduced_run, result_of, save, tuning

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def tune_by_name(name: str) -> tuple[Any, float]:
    """In the pool: tune one experiment."""
    one = experiment(name)
    return tuning(one, one.full)


def trial_by_name(name: str, seed: int, tuned: Any) -> tuple[dict[str, Any], float]:
    """In the pool: one full trial."""
    one = experiment(name)
    return one_trial(one, seed, one.full, tuned)


def reduced_by_name(name: str) -> tuple[dict[str, Any], float]:
    """In the pool: one reduced run."""
    return reduced_run(experiment(name))


def run(names: Sequence[str], *, seeds: int | None = None, jobs: int = 1, folder: Path = RESULTS) -> list[Path]:
    """Run experiments and keep their results; gives the files written, each as soon as its experiment is whole.

    seeds: trials each, instead of the experiment's own number. jobs: processes side by side; the result does not depend
    on it. Whatever a trial raises ends the run, with the files of the experiments that were whole by then.
    """
    chosen = [experiment(name) for name in names]
    work = sum((seeds or one.seeds) + 1 + (one.tune is not None) for one in chosen)
    written: list[Path] = []
    for one in chosen:
        fingerprint(one.trial.__module__)  # remembered: a source that is edited during the run makes its result old
    for name in ONE_THREAD:
        os.environ[name] = "1"  # inherited by the pool's fresh processes, before they load NumPy
    with (
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool,
        tqdm(total=work, unit="trial", dynamic_ncols=True) as bar,
    ):
        for one in chosen:
            bar.set_description(one.name)
            written.append(run_one(one, range(seeds or one.seeds), pool, bar, folder))
    return written


def run_one(one: Experiment, seeds: Sequence[int], pool: Executor, bar: Any, folder: Path) -> Path:
    """One experiment: the reduced run beside the tuning, then all trials."""

    def submitted(function: Any, *arguments: Any) -> Future[Any]:
        future = pool.submit(function, *arguments)
        future.add_done_callback(lambda _: bar.update())
        return future

    reduced = submitted(reduced_by_name, one.name)
    tuned = (None, 0.0) if one.tune is None else submitted(tune_by_name, one.name).result()
    trials = [submitted(trial_by_name, one.name, seed, tuned[0]) for seed in seeds]
    for future in wait_for([reduced, *trials], return_when="FIRST_EXCEPTION").done:
        if future.exception() is not None:
            pool.shutdown(wait=False, cancel_futures=True)
            future.result()
    return save(result_of(one, list(seeds), tuned, [future.result() for future in trials], reduced.result()), folder)
