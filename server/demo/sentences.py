"""Where the voices of the demo's people lie."""

from pathlib import Path

from server.settings import Settings
from server.setup.models import voice_dir
from transcription.demo_sentences import demo_sentences
from transcription.draft_ticket import Speaker


def complaints() -> tuple[str, ...]:
    """The ids of what citizens say."""
    return tuple(line.id for line in demo_sentences(Speaker.CITIZEN))


def spoken(settings: Settings, name: str) -> Path:
    """The rendered voice of one sentence."""
    return voice_dir(settings.tools) / f"{name}.wav"
