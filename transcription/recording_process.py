"""The inside of the process that hears recordings: one leg after another, only when the CPU idles.

``python -m transcription.recording_process ENGINE MODEL_DIR MODEL_NAME``, started by
``transcription.recording_ears`` alone: a line of JSON in, a line of JSON out. It runs in the
kernel's idle class, so that it gets what the live decoders leave over. Ends with its input.
"""

import contextlib
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from base.errors import HotlineError, SetupError
from transcription.audio_file import Recording, read_wav
from transcription.engine import Engine, SpeechEvent
from transcription.engines import open_engine
from transcription.transcribe import transcribe


class Ask(msgspec.Struct, frozen=True):
    """Hear one channel of a file, its last ``talk_s`` seconds."""

    path: str
    channel: int
    talk_s: float


class Answer(msgspec.Struct, frozen=True):
    """The words, with times since the conversation's begin; or why there are none."""

    utterances: tuple[SpeechEvent, ...] = ()
    failure: str = ""


def hear(engine: Engine, ask: Ask) -> Answer:
    """Recognise what one person said in a conversation."""
    try:
        whole = read_wav(Path(ask.path), channel=ask.channel)
        talk, shift_s = last_part(whole, ask.talk_s)
        heard = transcribe(engine, talk)
    except HotlineError as error:
        return Answer(failure=f"{error.code}: {error}")
    except Exception as error:  # The root of this file's work: one leg, not the process.
        return Answer(failure=f"{type(error).__name__}: {error}")
    return Answer(tuple(_moved(event, shift_s) for event in heard.segments))


def last_part(whole: Recording, talk_s: float) -> tuple[Recording, float]:
    """The conversation without the greeting and the waiting, and what its times are short of."""
    skipped_s = whole.seconds - talk_s
    if skipped_s <= 0:
        return whole, -skipped_s  # The recording began after the answer.
    skipped_bytes = round(skipped_s * whole.rate_hz) * 2
    return Recording(whole.pcm16[skipped_bytes:], whole.rate_hz), 0.0


def _moved(event: SpeechEvent, by_s: float) -> SpeechEvent:
    if by_s == 0.0:
        return event
    words = tuple(
        replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s) for word in event.words
    )
    return replace(event, start_s=event.start_s + by_s, end_s=event.end_s + by_s, words=words)


def serve(engine: Engine, asks: BinaryIO, answers: BinaryIO) -> None:
    """Answer each line."""
    for line in asks:
        answer = hear(engine, msgspec.json.decode(line, type=Ask))
        answers.write(msgspec.json.encode(answer) + b"\n")
        answers.flush()


def give_way() -> None:
    """Run only when nobody else wants the processor."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.nice(19)


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The speech role decides when we end.
    give_way()
    engine_name, model_dir, model = arguments
    # Engines talk on standard output as they like: it leads to the log, the answers elsewhere.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        engine = open_engine(engine_name, Path(model_dir), model)
    except SetupError as error:
        sys.stderr.write(f"{error.message}: {error.fix}\n")
        return 1
    with contextlib.suppress(BrokenPipeError):
        serve(engine, sys.stdin.buffer, answers)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
