"""The installation's secrets: one 0600 file each in a 0700 folder, made at set-up.

No secret has a default, none is ever logged or printed by accident: callers ask by name.
"""

import os
import secrets
import string
from pathlib import Path

from base.errors import SetupError
from server.settings import Settings

SECRET_LENGTH = 32
PASSWORD_LENGTH = 12
"""Console passwords are typed by people once; 62^12 is still far out of reach."""
_LETTERS = string.ascii_letters + string.digits
"""Nothing that a URL, an INI file or a shell would have to escape."""

SERVICE_SECRETS = (
    "ami",
    "citizen_codes",
    "database_bridge",
    "database_owner",
    "database_superuser",
    "database_unit",
    "database_web",
    "dialplan",
    "number_key",
    "redis",
    "session_key",
)


class SecretsStore:
    """Reads and makes the secrets of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str:
        """Return the secret; a missing one is a fault of the set-up."""
        path = self._folder / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise SetupError(
                f"the secret {path} is missing", fix="./hotline up makes it"
            ) from error

    def read_or_empty(self, name: str) -> str:
        """Return the secret; empty where none is made yet."""
        return self.read(name) if (self._folder / name).exists() else ""

    def ensure(self, name: str, length: int = SECRET_LENGTH) -> str:
        """Return the secret, made now if it does not exist yet."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        path = self._folder / name
        value = "".join(secrets.choice(_LETTERS) for _ in range(length))
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return self.read(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(value + "\n")
        return value

    def loose_files(self) -> list[Path]:
        """Return what others on this machine could read; empty when all is well."""
        if not self._folder.is_dir():
            return []
        found = [self._folder, *self._folder.iterdir()]
        return [path for path in found if path.stat().st_mode & 0o077]


def secrets_of(settings: Settings) -> SecretsStore:
    return SecretsStore(settings.secrets_dir)


def secret_names(settings: Settings) -> tuple[str, ...]:
    """Return every secret that an installation with these settings needs."""
    phones = tuple(f"sip-{phone}" for phone in settings.phones)
    return (*SERVICE_SECRETS, *phones, *console_secret_names(settings))


def console_secret_names(settings: Settings) -> tuple[str, ...]:
    """Return the initial console passwords' names: each agent, a leader, an administrator."""
    people = (*(f"agent{agent}" for agent in settings.agents), "leader", "admin")
    return tuple(f"user-{person}" for person in people)


def ensure_secrets(settings: Settings) -> SecretsStore:
    """Make what is missing; existing secrets are kept as they are."""
    store = secrets_of(settings)
    for name in secret_names(settings):
        length = PASSWORD_LENGTH if name.startswith("user-") else SECRET_LENGTH
        store.ensure(name, length)
    return store
