"""Opens an engine by name. Libraries load here, not on import: each costs seconds and memory."""

import importlib.util
from pathlib import Path
from typing import Final

from base.errors import SetupError
from transcription.engine import Engine

ENGINES: Final = ("vosk", "whisper")


def open_engine(name: str, model_dir: Path, model_name: str | None = None) -> Engine:
    """Load the engine ``name`` with the model in ``model_dir``; takes seconds."""
    match name:
        case "vosk":
            from transcription.vosk_engine import VoskEngine

            return VoskEngine(model_dir, model_name)
        case "whisper":
            if importlib.util.find_spec("faster_whisper") is None:
                raise SetupError(
                    "the engine whisper is not installed", fix="pip install 'hotline12345[whisper]'"
                )
            from transcription.whisper_engine import WhisperEngine

            return WhisperEngine(model_dir, model_name)
        case _:
            raise SetupError(f"no engine is called {name!r}", fix=f"one of: {', '.join(ENGINES)}")
