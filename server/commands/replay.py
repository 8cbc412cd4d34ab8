"""``./hotline replay FILE``: what became of every call in a recorded manager stream."""

import argparse
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from base.errors import SetupError
from telephony.replay import Replay, replay

CHUNK_BYTES = 256 * 1024
_GZIP = b"\x1f\x8b"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "replay",
        help="calls in a recorded manager stream",
        description=(
            "Read a recorded stream of Asterisk's manager port (raw bytes, gzip too; '-' is "
            "standard input) through the parser and reducer of the live bridge, and tell each "
            "caller's journey. ./hotline record makes such a file."
        ),
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the calls; a damaged stream is no failure."""
    told = replay(_chunks(args.file))
    if args.json:
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    else:
        print(as_table(told))
    return 0


def _chunks(name: str) -> Iterator[bytes]:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise SetupError(
            f"{name} cannot be read ({error})", fix="./hotline replay FILE, FILE a recorded stream"
        ) from error
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


def as_table(told: Replay) -> str:
    """One line a call, for people's eyes."""
    lines = []
    for call in told.calls:
        way = f"{call.caller or '-'} → {call.called or '-'}"
        queue = f" in {call.queue}" if call.queue else ""
        agent = f" by {call.agent}" if call.agent else ""
        lines.append(f"{call.id:<28} {way}{queue}: {call.outcome.value}{agent}")
        for hand in call.transfers:
            done = "completed" if hand.completed else "not completed"
            lines.append(f"{'':<28}   {hand.kind.value} {hand.from_} → {hand.to}: {done}")
    unknown = ", ".join(f"{name} × {count}" for name, count in told.unknown_events.items())
    lines.append(f"{len(told.calls)} calls; unknown events: {unknown or 'none'}")
    return "\n".join(lines)
