"""The demo tells of admission and queue from the roles' own logs."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from server.demo.log_watch import LogWatch, in_words
from server.settings import Settings

QUEUED = '{"event": "call_queued", "queue": "hotline", "position": 2, "call": "hotline-1.0"}'


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            '{"event": "call_admitted", "queue": "hotline", "priority": 0}',
            "  admission: queue hotline, priority 0",
        ),
        (QUEUED, "  queue: waits in hotline at place 2"),
        ('{"event": "call_queued", "queue": "hotline"}', None),
        ('{"event": "pop_shown"}', None),
        ("not JSON", None),
        ("[1]", None),
    ],
)
def test_a_line_in_words(line: str, words: str | None) -> None:
    assert in_words(line) == words


def test_only_what_is_written_from_now_on_is_told(tmp_path: Path) -> None:
    log = tmp_path / "bridge.log"
    log.write_text(QUEUED.replace("2", "9") + "\n")
    told: list[str] = []
    settings = cast(Settings, SimpleNamespace(logs_dir=tmp_path))
    watch = LogWatch(settings, told.append)
    with log.open("a") as file:
        file.write(QUEUED + "\n" + QUEUED[:20])
    watch.look()
    watch.look()
    assert told == ["  queue: waits in hotline at place 2"]
    with log.open("a") as file:
        file.write(QUEUED[20:] + "\n")
    watch.look()
    assert len(told) == 2
