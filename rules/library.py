"""Where packs are found: those that come with the product, then a folder of the installation's own.

A pack is a file ``<id>.toml``. Earlier versions stay beside it in ``earlier/``: a ticket is decided
under the version it began with for its whole life.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from base.errors import HotlineError
from rules.pack import Pack
from rules.pack_file import Fault, PackInvalidError, parse_pack

OURS = Path(__file__).parent / "packs"
EARLIER = "earlier"


class PackUnknownError(HotlineError):
    """No such pack, or no such version of it."""

    code = "pack_unknown"
    http_status = 404


def load_packs(folders: Iterable[Path] = ()) -> dict[str, Pack]:
    """Load every current pack; a folder named later wins over ours by the pack's id."""
    return {name: read_current(file) for name, file in _files(folders).items()}


def load_pack(name: str, *, version: str | None = None, folders: Iterable[Path] = ()) -> Pack:
    """Load a pack by its id: the current one, or the version a ticket kept.

    A fault in one city's file is no other city's trouble: only this one's files are read.
    """
    folders = tuple(folders)
    files = _files(folders)
    if version is None:
        if name not in files:
            raise PackUnknownError(pack=name, known=sorted(files))
        return read_current(files[name])
    for pack in _versions(name, folders):
        if pack.version == version:
            return pack
    raise PackUnknownError(pack=name, version=version)


def read_pack(file: Path) -> Pack:
    """Read one file; the same text is parsed once."""
    return _parsed(file.read_text("utf-8"), file.name)


def read_current(file: Path) -> Pack:
    """Read a file of a folder of packs, where it is found by its name."""
    pack = read_pack(file)
    if pack.id != file.stem:
        fix = f"name the file {pack.id}.toml, or change the id"
        raise PackInvalidError(
            file.name, [Fault(1, f"the file is not named as its id {pack.id}", fix)]
        )
    return pack


def _files(folders: Iterable[Path]) -> dict[str, Path]:
    return {f.stem: f for folder in (OURS, *folders) for f in sorted(folder.glob("*.toml"))}


def _versions(name: str, folders: Iterable[Path]) -> Iterator[Pack]:
    for folder in (OURS, *folders):
        if (file := folder / f"{name}.toml").is_file():
            yield read_pack(file)
        for earlier in sorted((folder / EARLIER).glob("*.toml")):
            # Another city's, or one written for an older product: not what is looked for.
            with suppress(PackInvalidError):
                if (pack := read_pack(earlier)).id == name:
                    yield pack


@lru_cache(maxsize=64)
def _parsed(text: str, name: str) -> Pack:
    return parse_pack(text, name)
