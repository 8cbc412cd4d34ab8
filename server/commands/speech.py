"""``hotline transcribe`` and ``hotline model``: recordings to words, and the models for it."""

import argparse
import json
import sys
from pathlib import Path

from server.settings_loader import load_settings
from server.setup.models import install_model
from transcription.audio_file import AudioFileUnreadable, read_wav
from transcription.engine import SpeechEvent
from transcription.engines import ENGINES, open_engine
from transcription.model_download import SOURCE_URL
from transcription.models import CATALOGUE, ModelInfo, best_model, installed_models
from transcription.transcribe import Transcript, transcribe

UNREADABLE = 2
"""Exit code for a file that is no sound."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``transcribe`` and ``model`` to the command line."""
    parser = subparsers.add_parser("transcribe", help="turn a WAV recording into words")
    parser.add_argument("file", type=Path, metavar="FILE.wav")
    parser.add_argument("--engine", choices=ENGINES, default="vosk")
    parser.add_argument(
        "--model", default="auto", help="a model's name or directory; default: the best installed"
    )
    parser.add_argument("--json", action="store_true", help="print words, times and confidence")
    parser.set_defaults(run=run_transcribe)
    models = subparsers.add_parser("model", help="list and install speech models")
    verbs = models.add_subparsers(dest="model_verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="which models there are")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=run_list)
    installing = verbs.add_parser("install", help="install a model by name")
    installing.add_argument("name", metavar="NAME", help=", ".join(m.name for m in CATALOGUE))
    installing.add_argument("--from", dest="source_url", default=SOURCE_URL, metavar="URL")
    installing.set_defaults(run=run_install)


def run_transcribe(args: argparse.Namespace) -> int:
    """Print what was said; 2 where the file is no readable sound."""
    try:
        recording = read_wav(args.file)
    except AudioFileUnreadable as error:
        print(f"FAIL {error}\nfix: give a whole WAV file", file=sys.stderr)
        return UNREADABLE
    model = best_model(load_settings().tools, args.model, engine=args.engine)
    engine = open_engine(args.engine, model.path, model.name)
    done = transcribe(engine, recording)
    engine.close()
    if model.is_demo:
        print(f"note: {model.note}", file=sys.stderr)
    if args.json:
        print(json.dumps(as_json(done, args.file, model), ensure_ascii=False, indent=2))
    else:
        print(done.text)
    return 0


def as_json(done: Transcript, file: Path, model: ModelInfo) -> dict[str, object]:
    """A transcript as plain JSON values."""
    return {
        "file": str(file),
        "engine": done.engine,
        "model": done.model,
        "is_demo_model": model.is_demo,
        "note": model.note,
        "text": done.text,
        "segments": [_segment(segment) for segment in done.segments],
        "seconds": round(done.seconds, 3),
        "rtf": round(done.rtf, 3),
    }


def _segment(segment: SpeechEvent) -> dict[str, object]:
    return {
        "text": segment.text,
        "start_s": round(segment.start_s, 3),
        "end_s": round(segment.end_s, 3),
        "confidence": segment.confidence,
        "words": [
            {
                "text": word.text,
                "start_s": round(word.start_s, 3),
                "end_s": round(word.end_s, 3),
                "confidence": word.confidence,
            }
            for word in segment.words
        ],
    }


def run_list(args: argparse.Namespace) -> int:
    """Print the catalogue and what of it is installed."""
    installed = {model.name: model for model in installed_models(load_settings().tools)}
    rows = [
        {
            "name": entry.name,
            "engine": entry.engine,
            "size": entry.size,
            "is_installed": entry.name in installed,
            "is_demo": entry.is_demo,
            "note": entry.note,
        }
        for entry in CATALOGUE
    ]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    for row in rows:
        mark = "installed" if row["is_installed"] else "-"
        print(f"{row['name']:<13} {row['engine']:<8} {row['size']:<7} {mark:<10} {row['note']}")
    return 0


def run_install(args: argparse.Namespace) -> int:
    """Install one model, with a progress bar where a person looks on."""
    tools = load_settings().tools
    model = install_model(
        args.name, tools, _say, source_url=args.source_url, progress=show_progress
    )
    print(f"{model.name} is installed in {model.path}")
    if model.is_demo:
        print(f"note: {model.note}")
    return 0


def show_progress(done_bytes: int, total_bytes: int) -> None:
    """Draw the bar on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        return
    share = done_bytes / total_bytes if total_bytes else 1.0
    bar = "#" * int(share * 30)
    end = "\n" if done_bytes >= total_bytes else ""
    sys.stderr.write(f"\r[{bar:<30}] {share:4.0%} {done_bytes >> 20} MB{end}")
    sys.stderr.flush()


def _say(text: str) -> None:
    print(text, file=sys.stderr)
