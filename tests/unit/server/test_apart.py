"""Heavy reading in a process of its own: its result or its error comes back, its end is told."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from server.apart import apart


def whose(parent: int) -> bool:
    return os.getppid() == parent and os.getpid() != parent


def fail() -> None:
    raise FileNotFoundError("no such book")


def vanish() -> None:
    os._exit(3)


def test_it_runs_in_a_child_of_ours() -> None:
    assert apart(whose, os.getpid())


def test_its_error_is_ours() -> None:
    with pytest.raises(FileNotFoundError):
        apart(fail)


def test_a_child_that_dies_is_an_error_and_no_hang() -> None:
    with pytest.raises(OSError, match="ended early"):
        apart(vanish)


def test_nobody_is_left_behind_when_the_one_who_asked_is_killed() -> None:
    asked = "import time; from server.apart import apart; apart(time.sleep, 60)"
    with subprocess.Popen([sys.executable, "-c", asked]) as role:
        asker, left = psutil.Process(role.pid), list[psutil.Process]()
        until_mono = time.monotonic() + 20
        while len(left) < 2 and time.monotonic() < until_mono:
            left = asker.children()
            time.sleep(0.05)
        role.kill()
    assert len(left) == 2  # the reader, and multiprocessing's own tracker
    _, alive = psutil.wait_procs(left, timeout=10)
    assert alive == []
