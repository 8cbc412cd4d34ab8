"""Ed25519 signatures by OpenSSL's own program: anybody can check them without a line of ours.

OpenSSL comes with PostgreSQL's packages; a library for one signature an hour is not worth its
weight, and a secret shared by signer and checker (HMAC) would let the checker forge. The key is one
of the installation's secrets; the public half lies beside what is signed.
"""

import subprocess
import tempfile
from pathlib import Path

from base.errors import SetupError

KEY = "ledger_signing_key"
PUBLIC = "public.pem"
_TIMEOUT_S = 10.0


class Signer:
    """Signs with the installation's key, made at its first use."""

    def __init__(self, secrets_dir: Path, folder: Path) -> None:
        self._key = secrets_dir / KEY
        self._public = folder / PUBLIC

    def ensure_key(self) -> None:
        """Make the key where there is none, and the public half beside what is signed."""
        if not self._key.exists():
            self._key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self._key.with_suffix(".new")
            new.touch(mode=0o600)
            new.write_bytes(_openssl("genpkey", "-algorithm", "ed25519"))
            new.rename(self._key)
        if not self._public.exists():
            self._public.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._public.write_bytes(_openssl("pkey", "-in", str(self._key), "-pubout"))

    def sign(self, message: bytes) -> bytes:
        with tempfile.NamedTemporaryFile() as file:  # OpenSSL 3.0 signs no pipe with Ed25519
            file.write(message)
            file.flush()
            return _openssl(
                "pkeyutl", "-sign", "-inkey", str(self._key), "-rawin", "-in", file.name
            )


class Checker:
    """Checks with the public half alone."""

    def __init__(self, public: Path) -> None:
        self._public = public

    def is_signed(self, message: bytes, signature: bytes) -> bool:
        if not self._public.exists():
            return False
        with tempfile.NamedTemporaryFile() as file, tempfile.NamedTemporaryFile() as by:
            file.write(message)
            file.flush()
            by.write(signature)
            by.flush()
            done = subprocess.run(
                [
                    "openssl",
                    "pkeyutl",
                    "-verify",
                    "-pubin",
                    "-inkey",
                    str(self._public),
                    "-rawin",
                    "-in",
                    file.name,
                    "-sigfile",
                    by.name,
                ],
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        return done.returncode == 0


def _openssl(*arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["openssl", *arguments], capture_output=True, timeout=_TIMEOUT_S, check=True
        )
    except FileNotFoundError as error:
        raise SetupError("openssl is not installed", fix="apt-get install openssl") from error
    except subprocess.SubprocessError as error:
        raise SetupError(f"openssl {arguments[0]} failed", fix="openssl version") from error
    return done.stdout
