"""One installation's private services together: started in order, stopped in reverse.

What `up`, `demo` and the tests share, so that each finds the same PostgreSQL, Valkey and
Asterisk whoever started them.
"""

import asyncio
from collections.abc import Callable

from server.secrets_store import ensure_secrets, secrets_of
from server.services.asterisk import asterisk_of
from server.services.database import prepare_database
from server.services.postgres import PrivatePostgres, postgres_of
from server.services.service import Begun, Service
from server.services.valkey import PrivateValkey, valkey_of
from server.settings import Settings

Say = Callable[[str], None]


class Installation:
    """The services that ``settings`` ask for; those named by an address are not ours."""

    def __init__(self, settings: Settings) -> None:
        """Look at the installation; nothing is made or started by looking."""
        self.settings = settings
        self.postgres: PrivatePostgres | None = None
        self.valkey: PrivateValkey | None = None
        self.asterisk: Service | None = None
        self._started: list[Service] = []
        self._name_services()

    def _name_services(self) -> None:
        # Before the first `up` there is no secret, and nothing that would ask for one.
        store, settings = secrets_of(self.settings), self.settings
        if settings.database_url is None:
            self.postgres = postgres_of(settings, store.read_or_empty("database_superuser"))
        if settings.redis_url is None:
            self.valkey = valkey_of(settings, store.read_or_empty("redis"))
        if settings.asterisk_address is None:
            self.asterisk = asterisk_of(settings)

    @property
    def services(self) -> list[Service]:
        """Ours, in the order of starting."""
        return [s for s in (self.postgres, self.valkey, self.asterisk) if s is not None]

    def start(self, say: Say) -> None:
        """Start or adopt every service and bring the database up to date, or leave all as it was.

        A service that ran before is never stopped: it may carry calls.
        """
        ensure_secrets(self.settings)
        self._name_services()
        self._started.clear()
        try:
            for service in self.services:
                begun = service.start()
                if begun is Begun.STARTED:
                    self._started.append(service)
                say(f"{service.name}: {begun} (process {service.pid()})")
                if service is self.postgres:
                    self._prepare_database(say)
            if self.postgres is None:
                self._prepare_database(say)
        except BaseException:
            self.stop_started(say)
            raise

    def stop_started(self, say: Say) -> None:
        """Stop what the last ``start`` started, and leave what it adopted."""
        while self._started:
            service = self._started.pop()
            if service.stop():
                say(f"{service.name}: stopped again")

    def _prepare_database(self, say: Say) -> None:
        applied = asyncio.run(prepare_database(self.settings, self.postgres))
        if applied:
            say(f"database: {len(applied)} migrations applied")

    def stop(self, say: Say) -> None:
        """Stop our services, last started first."""
        for service in reversed(self.services):
            if service.stop():
                say(f"{service.name}: stopped")
