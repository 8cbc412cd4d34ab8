"""Fetches a Vosk model from its maker: checked against the maker's list, resumed, unpacked whole.

Used by ``hotline model install`` and by nobody else: a running hotline never goes to the network.
"""

import json
import shutil
import stat
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Final

from base.errors import SetupError
from transcription.models import CatalogueEntry, file_digest, fresh_dir, models_dir
from transcription.vosk_engine import check_model_dir

SOURCE_URL: Final = "https://alphacephei.com/vosk/models/"
"""The maker's site, as the engine itself names it."""
LIST_NAME: Final = "model-list.json"

ANSWER_TIMEOUT_S: Final = 20.0
PIECE_BYTES: Final = 1 << 18
LIST_MOST_BYTES: Final = 4 << 20
UNPACKED_MOST_BYTES: Final = 8 << 30

Progress = Callable[[int, int], None]
"""Told bytes done and bytes in all, after each piece."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What the maker says of a model's archive."""

    name: str
    md5: str
    size_bytes: int


def download_model(entry: CatalogueEntry, tools: Path, source_url: str, progress: Progress) -> Path:
    """Install a model of the maker's into ``tools``; a broken download goes on where it stopped."""
    base = source_url.rstrip("/") + "/"
    listed = read_list(base, entry.maker_name)
    target = models_dir(tools) / entry.name
    target.parent.mkdir(parents=True, exist_ok=True)
    archive = target.parent / f".{entry.maker_name}.zip.part"
    _fetch(f"{base}{entry.maker_name}.zip", archive, listed, progress)
    if file_digest(archive, "md5") != listed.md5:
        archive.unlink()
        raise SetupError(
            f"the archive of {entry.name} is not what its maker lists (checksum)",
            fix="try again; if it happens twice, something on the line changes the file",
        )
    unpack(archive, target, entry.maker_name)
    archive.unlink()
    return target


def read_list(base_url: str, maker_name: str) -> Listed:
    """Find the model in the maker's list."""
    url = base_url + LIST_NAME
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_S) as answer:
            raw = answer.read(LIST_MOST_BYTES)
        entries = json.loads(raw)
        for entry in entries:
            if entry["name"] == maker_name:
                return Listed(maker_name, str(entry["md5"]).lower(), int(entry["size"]))
    except (OSError, HTTPException) as error:
        raise _unreachable(url, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"{url} holds no list of models", fix="is something between here and the maker's site?"
        ) from error
    raise SetupError(
        f"the maker no longer lists {maker_name}",
        fix="download another model by hand and set speech.model to its directory",
    )


def _fetch(url: str, archive: Path, listed: Listed, progress: Progress) -> None:
    done = archive.stat().st_size if archive.exists() else 0
    if done > listed.size_bytes:
        archive.unlink()
        done = 0
    if done == listed.size_bytes:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as answer:
            if answer.status != 206:  # The server does not resume: from the beginning.
                done = 0
            with archive.open("ab" if done else "wb") as out:
                while piece := answer.read(PIECE_BYTES):
                    done += len(piece)
                    if done > listed.size_bytes:
                        break
                    out.write(piece)
                    progress(done, listed.size_bytes)
    except (OSError, HTTPException) as error:
        raise _unreachable(url, error) from error
    if done != listed.size_bytes:
        raise SetupError(
            f"the download ended at {done} of {listed.size_bytes} bytes",
            fix="run the same command again: it goes on where it stopped",
        )


def unpack(archive: Path, target: Path, top: str) -> None:
    """Unpack the model, whole or not at all; nothing may land outside ``target``."""
    try:
        with fresh_dir(target) as fresh, zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > UNPACKED_MOST_BYTES:
                raise SetupError("the archive unpacks to more than 8 GiB", fix="do not trust it")
            for member in members:
                place = fresh / _inside(member, top)
                place.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, place.open("wb") as out:
                    shutil.copyfileobj(source, out)
            check_model_dir(fresh)
    except (zipfile.BadZipFile, OSError) as error:
        raise SetupError(f"the archive cannot be unpacked: {error}", fix="try again") from error


def _inside(member: zipfile.ZipInfo, top: str) -> PurePosixPath:
    path = PurePosixPath(member.filename)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    if is_link or path.is_absolute() or ".." in path.parts or path.parts[0] != top:
        raise SetupError(
            f"the archive names a file outside its folder: {member.filename}", fix="do not trust it"
        )
    return path.relative_to(top)


def _unreachable(url: str, error: Exception) -> SetupError:
    reason = getattr(error, "reason", error)
    return SetupError(
        f"{url} cannot be reached: {reason}",
        fix="is this machine online? Else download the archive elsewhere, unpack it here and set "
        "speech.model to the directory",
    )
