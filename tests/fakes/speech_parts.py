"""The real models and voices, where set-up has put them; else a skip that says what lacks."""

import os
from pathlib import Path

import pytest

from base.errors import SetupError
from server.settings_loader import REPOSITORY
from transcription.audio_file import read_wav
from transcription.models import ModelInfo, best_model

TOOLS = Path(os.environ.get("HOTLINE_TOOLS") or REPOSITORY / ".hotline" / "tools")


def need_model(name: str, engine: str) -> ModelInfo:
    """An installed model, or a skip that says how to get it."""
    try:
        return best_model(TOOLS, name, engine=engine)
    except SetupError as error:
        pytest.skip(f"{error.message}; `hotline test` installs it")


def need_voice(name: str) -> bytes:
    """A demo sentence as 8 kHz samples."""
    file = TOOLS / "voice" / f"{name}.wav"
    if not file.is_file():
        pytest.skip("the demo's voices are not rendered; `hotline test` does it")
    return read_wav(file).pcm16
