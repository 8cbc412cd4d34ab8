"""Recorded journeys: see data/journeys/README.md."""

import gzip
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "journeys"
JOURNEYS = sorted(path.name.removesuffix(".ami.gz") for path in FOLDER.glob("*.ami.gz"))


def stream(name: str) -> bytes:
    return gzip.decompress((FOLDER / f"{name}.ami.gz").read_bytes())
