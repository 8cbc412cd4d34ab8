"""Vosk's own loop, as its makers' server has it: a recogniser a stream, a guess after each piece.

``python -m bench.speech_reference MODEL_DIR VOICES STREAMS FIRST SECONDS`` plays to itself in real
time, one thread a stream, and prints ``bench.speech_talk.Heard`` as JSON. No sockets and no other
process: the least that can be done.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import vosk

from bench.speech_talk import FRAME_S, RATE_HZ, STAGGER_S, Text, frames, heard, talk


def listen(model: Any, sound: bytes, begin_mono: float, texts: list[Text]) -> None:
    """Recognise one stream as it is spoken."""
    recognizer = vosk.KaldiRecognizer(model, float(RATE_HZ))
    recognizer.SetWords(True)
    for number, piece in enumerate(frames(sound), 1):
        wait_s = begin_mono + number * FRAME_S - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        if recognizer.AcceptWaveform(piece):
            texts.append(_text(recognizer.Result(), begin_mono))
        else:
            texts.append(_text(recognizer.PartialResult(), begin_mono))
    texts.append(_text(recognizer.FinalResult(), begin_mono))


def _text(told: str, begin_mono: float) -> Text:
    found = json.loads(told)
    words = tuple((word["word"], float(word["end"])) for word in found.get("result", ()))
    text = found.get("partial") or found.get("text") or ""
    return Text(time.monotonic() - begin_mono, text.replace(" ", ""), words)


def main(arguments: list[str]) -> int:
    model_dir, voices, count, first, seconds_text = arguments
    vosk.SetLogLevel(-1)
    model, seconds = vosk.Model(model_dir), float(seconds_text)
    people = range(int(first), int(first) + int(count))
    sounds = [talk(Path(voices), person, seconds) for person in people]
    streams: list[list[Text]] = [[] for _ in sounds]
    began_cpu_s, begin_mono = time.process_time(), time.monotonic() + 0.1
    threads = [
        threading.Thread(
            target=listen, args=(model, sound, begin_mono + index * STAGGER_S, streams[index])
        )
        for index, sound in enumerate(sounds)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu_s = time.process_time() - began_cpu_s
    print(msgspec.json.encode(heard(streams, cpu_s=cpu_s, seconds=seconds)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
