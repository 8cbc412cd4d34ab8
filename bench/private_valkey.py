"""A Valkey of a bench's own, on a free port of loopback, gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from server.services.valkey import PrivateValkey
from tests.conftest import free_port

HOST: Final = "127.0.0.1"


@contextmanager
def private_valkey() -> Iterator[str]:
    """Its URL."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        valkey = PrivateValkey(
            folder=Path(folder) / "valkey",
            host=HOST,
            port=free_port(),
            password="x",
            log=Path(folder) / "valkey.log",
        )
        valkey.start()
        try:
            yield f"redis://:x@{HOST}:{valkey.port}/0"
        finally:
            valkey.stop()
