"""What happens to a call before any desk sees it, read from the roles' logs as they are written."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from server.settings import Settings

LOOK_EVERY_S: Final = 0.1
ROLES: Final = ("web", "bridge")


class LogWatch:
    """Tells of admissions and queues from now on."""

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._tell = tell
        files = [settings.logs_dir / f"{role}.log" for role in ROLES]
        self._places = {file: _size(file) for file in files}

    def look(self) -> None:
        """Tell what has been written since the last look."""
        for file in self._places:
            for line in _added(file, self._places):
                if words := in_words(line):
                    self._tell(words)

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)


def in_words(line: str) -> str | None:
    """One log line as the terminal says it; None for anything else."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    match event:
        case {"event": "call_admitted", "queue": str(queue), "priority": int(priority)}:
            return f"  admission: queue {queue}, priority {priority}"
        case {"event": "call_queued", "queue": str(queue), "position": int(position)}:
            return f"  queue: waits in {queue} at place {position}"
        case _:
            return None


def _added(file: Path, places: dict[Path, int]) -> list[str]:
    """Whole lines written since the last look; a rotated file is read from its beginning."""
    size = _size(file)
    if size < places[file]:
        places[file] = 0
    if size == places[file]:
        return []
    with file.open("rb") as log:
        log.seek(places[file])
        whole = log.read(size - places[file]).rpartition(b"\n")[0]
    places[file] += len(whole) + 1 if whole else 0
    return whole.decode("utf-8", "replace").splitlines()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
