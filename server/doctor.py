"""Looks at one installation and says, for each thing it needs, ok or what to do about it.

Changes nothing and starts nothing: safe to run beside a live product.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import asyncpg

from base.database import Database, DatabaseUnavailable
from base.errors import HotlineError, SetupError
from base.outbox import Standing, standing
from server.connections import database_url
from server.installation import Installation
from server.live.trunk_tests import ANSWERED, TrunkTest
from server.processes import is_healthy, pid_file, roles_of, running
from server.records.trunk_tests import TrunkTests
from server.secrets_store import secret_names, secrets_of
from server.services.identity import listener_on
from server.services.port_check import is_free
from server.services.postgres import binaries_dir
from server.services.valkey import server_binary
from server.settings import Settings
from server.setup.asterisk import is_probed
from server.setup.prompts import prompts_folder
from telephony.prompts import check_prompts
from telephony.tree import find_installed, open_tree

LEAST_FREE_BYTES = 2_000_000_000
LEAST_MEMORY_BYTES = 1_500_000_000
DATABASE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome; ``fix`` is empty when it is ok."""

    name: str
    detail: str
    fix: str = ""

    @property
    def is_ok(self) -> bool:
        return not self.fix


Check = Callable[[Settings], str]
"""Returns a short detail, or raises ``SetupError`` with the fix."""


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield the findings one by one, in the order in which things depend on each other."""
    for name, check in CHECKS:
        yield _finding(name, partial(check, settings))
    services = Installation(settings).services
    roles = roles_of(settings)
    if not any(s.pid() for s in services) and not any(_has_run(settings, r) for r in roles):
        yield Finding("running", "nothing, as after ./hotline down; ./hotline up starts it")
        return
    for service in services:
        yield _finding(f"service {service.name}", partial(_service, service.pid()))
    for role in roles:
        yield _finding(f"role {role}", partial(_role, settings, role))


def _has_run(settings: Settings, role: str) -> bool:
    """Return whether the role runs, or was killed: an orderly end takes its pid file away."""
    return pid_file(settings, role).exists()


def _finding(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, check())
    except SetupError as error:
        return Finding(name, error.message, error.fix)
    except (HotlineError, OSError) as error:
        return Finding(name, str(error), "see the message; docs/OPERATIONS.md")


def _python(_settings: Settings) -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"


def _disk(settings: Settings) -> str:
    place = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        raise SetupError(
            f"only {free // 1_000_000} MB are free in {place}",
            fix="free 2 GB, or name another folder in HOTLINE_HOME",
        )
    return f"{free // 1_000_000_000} GB free"


def _memory(_settings: Settings) -> str:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size < LEAST_MEMORY_BYTES:
        raise SetupError(f"this machine has {size // 1_000_000} MB of memory", fix="give it 2 GB")
    return f"{size // 1_000_000_000} GB"


def _secrets(settings: Settings) -> str:
    store = secrets_of(settings)
    if loose := store.loose_files():
        raise SetupError(f"others can read {loose[0]}", fix=f"chmod -R go= {settings.secrets_dir}")
    for name in secret_names(settings):
        store.read(name)
    return f"{len(secret_names(settings))} in place, for the owner alone"


def _postgres(settings: Settings) -> str:
    return settings.database_url or str(binaries_dir())


def _valkey(settings: Settings) -> str:
    return settings.redis_url or server_binary().rpartition("/")[2]


def _asterisk(settings: Settings) -> str:
    if settings.asterisk_address:
        return f"at {settings.asterisk_address}"
    tree = open_tree(settings.tools / "asterisk") or find_installed()
    if tree is None:
        raise SetupError("Asterisk is not unpacked yet", fix="./hotline up")
    if not is_probed(tree, settings.tools):
        raise SetupError(
            f"no probe call has gone through Asterisk {tree.version} yet", fix="./hotline up"
        )
    return f"{tree.version}, {tree.source}, tried with a probe call"


def _prompts(settings: Settings) -> str:
    check_prompts(prompts_folder(settings))
    return str(prompts_folder(settings))


def _emergency_trunks(settings: Settings) -> str:
    """What the daily test calls found; without the database nothing is known."""
    if settings.emergency_test_number is None:
        return "not tested: emergency_test_number is not set"
    try:
        tests = asyncio.run(_trunk_tests(settings))
    except (DatabaseUnavailable, OSError, TimeoutError, asyncpg.PostgresError):
        return "not known: the database does not answer"
    silent = [test for test in tests if test.outcome != ANSWERED]
    if silent:
        raise SetupError(
            f"{silent[0].trunk}: the test call of {silent[0].ended_at:%F %R} UTC came to"
            f" {silent[0].outcome}",
            fix="check the trunk with the carrier; ./hotline logs bridge",
        )
    return ", ".join(f"{t.trunk} answered {t.ended_at:%F %R} UTC" for t in tests) or "no test yet"


async def _trunk_tests(settings: Settings) -> list[TrunkTest]:
    async with asyncio.timeout(DATABASE_TIMEOUT_S):
        database = await Database.open(database_url(settings, "web"), name="doctor")
        try:
            return await TrunkTests(database).latest()
        finally:
            await database.close()


def _outbox(settings: Settings) -> str:
    """Messages to the outside that were given up; without the database nothing is known."""
    try:
        channels = asyncio.run(_standing(settings))
    except (DatabaseUnavailable, OSError, TimeoutError, asyncpg.PostgresError):
        return "not known: the database does not answer"
    if dead := sum(each.dead for each in channels):
        raise SetupError(f"{dead} messages were given up", fix="./hotline outbox list")
    return f"{sum(each.pending + each.sending for each in channels)} messages wait"


async def _standing(settings: Settings) -> list[Standing]:
    async with asyncio.timeout(DATABASE_TIMEOUT_S):
        database = await Database.open(database_url(settings, "web"), name="doctor")
        try:
            return await standing(database)
        finally:
            await database.close()


def _ports(settings: Settings) -> str:
    """While nothing of ours runs, every port must be free; while it runs, it is ours."""
    installation = Installation(settings)
    owned = {
        "postgres": installation.postgres is None or installation.postgres.pid() is not None,
        "redis": installation.valkey is None or installation.valkey.pid() is not None,
        "http": running(settings, "web") is not None,
        "audio": running(settings, "speech") is not None,
    }
    asterisk_runs = installation.asterisk is None or installation.asterisk.pid() is not None
    owned |= dict.fromkeys(("sip", "ami", "asterisk_http"), asterisk_runs)
    for name, is_ours in owned.items():
        port: int = getattr(settings.ports, name)
        if not is_ours and not is_free(settings.bind, port):
            raise SetupError(
                f"port {port} (ports.{name}) is taken by {listener_on(port)}",
                fix=f"end it, or set ports.{name} or port_base (HOTLINE_PORT_BASE)",
            )
    return f"{settings.ports.http} and {len(owned) - 1} more"


def _service(pid: int | None) -> str:
    if pid is None:
        raise SetupError("does not run", fix="./hotline up")
    return f"process {pid}"


def _role(settings: Settings, role: str) -> str:
    identity = running(settings, role)
    if identity is None:
        raise SetupError("does not run", fix="./hotline up")
    if not is_healthy(settings, role):
        raise SetupError(f"process {identity.pid} does not answer", fix=f"./hotline logs {role}")
    return f"process {identity.pid}"


CHECKS: tuple[tuple[str, Check], ...] = (
    ("python", _python),
    ("disk", _disk),
    ("memory", _memory),
    ("secrets", _secrets),
    ("postgresql", _postgres),
    ("valkey", _valkey),
    ("asterisk", _asterisk),
    ("prompts", _prompts),
    ("ports", _ports),
    ("emergency trunks", _emergency_trunks),
    ("outbox", _outbox),
)
