"""Runs one piece of reading in a process of its own, which ends with it.

For what takes seconds of processor time now and then: a thread of it would hold up the role's loop
at every turn. (Measured in 2026-11: Asterisk's books of 3,200 calls take 2.5 to 3.5 s to read.)
"""

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

MOST_S: Final = 300.0
PR_SET_PDEATHSIG: Final = 1
"""Linux: prctl(2)."""


def apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What ``work``, a module's function, gives; blocking. ``OSError`` where it ended early."""
    fresh, others = multiprocessing.get_context("spawn"), set(multiprocessing.active_children())
    with ProcessPoolExecutor(1, fresh, _end_with, (os.getpid(),)) as pool:
        try:
            return pool.submit(work, *args, **kwargs).result(MOST_S)
        except (BrokenProcessPool, TimeoutError) as error:
            for process in set(multiprocessing.active_children()) - others:
                process.kill()
            raise OSError(f"the reading ended early: {type(error).__name__}") from error


def _end_with(parent: int) -> None:
    """Leave nobody behind when the role is killed: the worker would wait for work for ever."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
