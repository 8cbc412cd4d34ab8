"""The inside of the process that reads drafts: the dictionary and the word tables live here alone.

``python -m transcription.draft_process``, started by ``transcription.draft_reader`` alone: a line
of JSON in, a line of JSON out, and an empty draft first of all, when the tables are loaded. Ends
with its input.
"""

import contextlib
import gc
import signal
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import BinaryIO

import msgspec

from transcription.draft import extract, warm_up
from transcription.draft_ticket import Draft, Utterance


class Ask(msgspec.Struct, frozen=True):
    """Read these words; the fields are those of ``transcription.draft.extract``."""

    utterances: tuple[Utterance, ...]
    caller_number: str
    now: datetime


def serve(asks: Iterable[bytes], answers: BinaryIO) -> None:
    """Answer each line."""
    _answer(answers, Draft({}))
    decoder = msgspec.json.Decoder(Ask)
    for line in asks:
        ask = decoder.decode(line)
        _answer(answers, extract(ask.utterances, caller_number=ask.caller_number, now=ask.now))


def _answer(answers: BinaryIO, draft: Draft) -> None:
    answers.write(msgspec.json.encode(draft) + b"\n")
    answers.flush()


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The bridge decides when we end.
    warm_up()
    gc.freeze()  # The tables stay: a collection over them takes up to 0.1 s.
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
