"""An installation's packs, for the command line: found, loaded, printed."""

from pathlib import Path

import msgspec

from base.errors import SetupError
from rules.library import PackUnknownError, load_pack, read_pack
from rules.pack import Pack
from rules.pack_file import PackInvalidError
from server.settings_loader import load_settings


def pack_folders() -> tuple[Path, ...]:
    """Where an installation keeps packs of its own."""
    return (load_settings().home / "packs",)


def find_pack(name: str) -> Pack:
    """Load a pack by id, or from a file."""
    file = Path(name)
    try:
        return (
            read_pack(file) if file.suffix == ".toml" else load_pack(name, folders=pack_folders())
        )
    except PackInvalidError as error:
        raise SetupError(str(error), fix="./hotline packs check FILE") from error
    except FileNotFoundError as error:
        raise SetupError(f"there is no file {name}", fix="give an id or a file.toml") from error
    except PackUnknownError as error:
        raise SetupError(f"no pack is called {name}", fix="./hotline packs list") from error


def short(value: object) -> str:
    return msgspec.json.encode(value).decode().replace('"', "")


def print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode())
