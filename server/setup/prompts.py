"""The Mandarin prompts: a voice is fetched once, then Asterisk's texts are spoken into files."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from base.errors import SetupError
from server.settings import Settings
from server.settings_loader import REPOSITORY
from server.setup.locked_packages import install, is_installed
from server.setup.packages import ESPEAK, ensure_packages
from telephony.prompts import PROMPTS, check_prompts, prompt_path
from transcription.voice import render, voice_packages

STAMP = ".texts"
VOICE_LOCK = REPOSITORY / "requirements-voice.lock"


def prompts_folder(settings: Settings) -> Path:
    return settings.tools / "prompts"


def ensure_voice(settings: Settings, say: Callable[[str], None], *, needs_mandarin: bool) -> None:
    """Install the Mandarin voice; for prompts alone espeak-ng may stand in."""
    target = voice_packages(settings.tools)
    if is_installed(VOICE_LOCK, target):
        return
    say("installing the Mandarin voice (once) …")
    try:
        install(VOICE_LOCK, target)
    except SetupError as error:
        if needs_mandarin:
            raise
        say(f"{error.message}: espeak-ng speaks the prompts instead")
        ensure_packages([ESPEAK], say)


def ensure_prompts(settings: Settings, say: Callable[[str], None]) -> None:
    """Speak what is missing; recordings that the operator put there are kept."""
    folder = prompts_folder(settings)
    mark = prompts_mark()
    stamp = folder / STAMP
    are_there = all(prompt_path(folder, name).is_file() for name in PROMPTS)
    if are_there and stamp.is_file() and stamp.read_text() == mark:
        check_prompts(folder)
        return
    ensure_voice(settings, say, needs_mandarin=False)
    say(f"speaking {len(PROMPTS)} prompts (once) …")
    render(PROMPTS, folder, settings.tools)
    check_prompts(folder)
    stamp.write_text(mark)


def prompts_mark() -> str:
    """What the stamp holds of a folder whose prompts say the present texts."""
    return hashlib.sha256(json.dumps(PROMPTS, sort_keys=True).encode()).hexdigest()
