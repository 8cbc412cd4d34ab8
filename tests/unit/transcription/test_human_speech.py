"""People's Mandarin on a telephone line, through whisper. Needs data that is never committed."""

import csv
import re
from pathlib import Path

import cn2an
import pytest

from tests.fakes.speech_parts import need_model
from tests.fakes.telephone_line import RATE_HZ, bare, character_error_rate, noises, telephone_pcm16
from transcription.audio_file import Recording, read_wav
from transcription.engines import open_engine
from transcription.transcribe import transcribe

ERROR_RATE_MOST = 0.2


@pytest.mark.timeout(600)  # 40 utterances: 30 s on two free cores, minutes on busy ones
def test_people_on_a_telephone_line_are_understood(shared_folder: Path) -> None:
    model = need_model("whisper-base", "whisper")
    engine = open_engine(model.engine, model.path, model.name)
    folder = shared_folder / "data" / "speech"
    edits = characters = 0.0
    with (folder / "mandarin.tsv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    for row in rows:
        recording = read_wav(folder / "mandarin" / row["file"])
        sound = telephone_pcm16(recording.pcm16, recording.rate_hz)
        words = spelled_out(transcribe(engine, Recording(sound, RATE_HZ)).text)
        length = len(bare(row["text"]))
        edits += character_error_rate(row["text"], words) * length
        characters += length
    assert characters > 400
    assert edits / characters <= ERROR_RATE_MOST


def test_whisper_invents_nothing_over_silence_and_hiss() -> None:
    model = need_model("whisper-base", "whisper")
    engine = open_engine(model.engine, model.path, model.name)
    for name in ("silence", "hiss", "ringing tone"):
        assert transcribe(engine, Recording(noises()[name], RATE_HZ)).segments == (), name


def spelled_out(text: str) -> str:
    """Digits as they are said: numbers in full, long rows of digits one by one."""
    return re.sub(r"\d+", _number, text)


def _number(found: re.Match[str]) -> str:
    digits = found[0]
    if len(digits) < 7:
        return str(cn2an.an2cn(digits))
    return "".join("零一二三四五六七八九"[int(digit)] for digit in digits)
