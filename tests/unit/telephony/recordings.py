"""Recorded manager streams as messages, and folding them into a picture."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from telephony.events import TelephonyEvent
from telephony.reducer import reduce
from telephony.snapshot import Snapshot
from telephony.wire import Message, MessageReader

DATA = Path(__file__).parent / "data"
NAMES = sorted(path.stem for path in DATA.glob("*.ami"))
NOW = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)


def now() -> datetime:
    """The clock of these tests; it stands."""
    return NOW


def raw(name: str) -> bytes:
    return (DATA / f"{name}.ami").read_bytes()


def messages(name: str) -> list[Message]:
    return list(MessageReader().feed(raw(name)))


def event(name: str, **headers: str) -> Message:
    """An event of our own making; ``_`` in a name stands for ``-``."""
    lines = [f"Event: {name}", *(f"{key}: {value}" for key, value in headers.items())]
    return Message("\r\n".join(lines).encode())


def run(
    stream: Iterable[Message], start: Snapshot | None = None
) -> tuple[Snapshot, list[TelephonyEvent]]:
    """Reduce a stream; the picture at its end and everything told on the way."""
    snapshot = start or Snapshot()
    told: list[TelephonyEvent] = []
    for message in stream:
        snapshot, events = reduce(snapshot, message, now=now)
        told += events
    return snapshot, told


def names(events: Iterable[TelephonyEvent]) -> list[str]:
    """What happened to calls, by name; agents' phones left out."""
    every = (type(event).__name__ for event in events)
    return [name for name in every if not name.startswith(("AgentPhone", "AgentPause"))]
