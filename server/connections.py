"""How our roles reach PostgreSQL and Valkey: addresses with the password of the one who asks."""

from enum import StrEnum
from urllib.parse import quote, urlsplit, urlunsplit

from base.database_roles import DatabaseLogin
from server.secrets_store import secrets_of
from server.settings import Settings

DATABASE_NAME = "hotline"


class DatabaseRole(StrEnum):
    """Who asks; the value is also the suffix of the secret's name."""

    OWNER = "owner"
    """Owns the tables: migrations and set-up, never a running role."""
    BRIDGE = "bridge"
    """The single writer of live facts."""
    WEB = "web"
    """Sign-in, tickets, ledger."""
    UNIT = "unit"
    """What units are shown."""


def database_url(settings: Settings, role: DatabaseRole | str) -> str:
    """Return the DSN of ``role``."""
    login = DatabaseLogin(f"hotline_{DatabaseRole(role)}")
    base = settings.database_url or (
        f"postgresql://{settings.service_host}:{settings.ports.postgres}/{DATABASE_NAME}"
    )
    return _with_login(base, login, secrets_of(settings).read(database_secret(login)))


def database_secret(login: DatabaseLogin) -> str:
    """Return the name of the secret that is this login's password."""
    return "database_" + login.removeprefix("hotline_")


def redis_url(settings: Settings) -> str:
    """Return the URL of the Valkey or Redis that the roles share."""
    base = settings.redis_url or f"redis://{settings.service_host}:{settings.ports.redis}/0"
    return _with_login(base, "", secrets_of(settings).read("redis"))


def _with_login(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{parts.netloc}"))
