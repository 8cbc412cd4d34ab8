"""The machine itself goes wrong: a disk that is full, a clock that jumps.

The clock is stepped for our own processes only (libfaketime). A small tmpfs is the full disk; that
needs root.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


class SteppedClock:
    """A clock for processes started with ``environment``."""

    def __init__(self, folder: Path) -> None:
        self._file, self._fresh = folder / "clock", folder / "clock.new"
        self._file.write_text("+0")

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, by: str) -> None:
        """Seconds from the true time, e.g. ``+3600``."""
        self._fresh.write_text(by)
        self._fresh.replace(self._file)


def may_mount() -> bool:
    return os.geteuid() == 0


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[Path]:
    """A tmpfs of that size; ``mount`` needs root."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "tmpfs", str(disk)],
        check=True,
        capture_output=True,
    )
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            return ballast
