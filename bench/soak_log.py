"""Reads the roles' own logs for the soak: which action was logged first after an instant, and how
often each warning came."""

import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

LOUD = ("warning", "error", "critical")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a role's log."""

    process: str
    action: str
    level: str
    at: datetime
    fields: dict[str, object]


class RoleLogs:
    """All logs of one installation; reads on from where it stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[Path, int] = {}
        self.loud: Counter[str] = Counter()
        """``process action`` of warnings and errors → how often."""
        self.lines: list[LogLine] = []
        """What was read since ``forget``."""

    def forget(self) -> None:
        """Begin anew: what comes from now on is of the next fault."""
        self.read()
        self.lines.clear()

    def read(self) -> None:
        """Take in what has been written meanwhile."""
        for path in self._folder.glob("*.log"):
            for line in self._new_lines(path):
                self.lines.append(line)
                if line.level in LOUD:
                    self.loud[f"{line.process} {line.action}"] += 1

    def first(self, actions: Collection[str]) -> LogLine | None:
        """The earliest of these actions since ``forget``."""
        found = [line for line in self.lines if line.action in actions]
        return min(found, key=lambda line: line.at, default=None)

    def _new_lines(self, path: Path) -> Iterator[LogLine]:
        with path.open("rb") as file:
            place = self._places.get(path, 0)
            if place > path.stat().st_size:
                place = 0  # it was rotated
            file.seek(place)
            whole = file.read().rpartition(b"\n")[0]
        self._places[path] = place + len(whole) + (1 if whole else 0)
        for raw in whole.splitlines():
            line = _line(path.stem, raw)
            if line is not None:
                yield line


def _line(process: str, raw: bytes) -> LogLine | None:
    try:
        fields = json.loads(raw)
        at = datetime.fromisoformat(fields["timestamp"])
        return LogLine(process, fields["event"], fields["level"], at, fields)
    except (ValueError, KeyError, TypeError):
        return None
