"""What every test may ask for: a private PostgreSQL and Valkey, a database of its own, settings.

One cluster and one Valkey a run, on random ports of loopback, in memory where the machine has
/dev/shm, started by the product's own service code. A test gets a fresh database cloned from a
migrated template in about 10 ms.
"""

import asyncio
import logging
import os
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import hypothesis
import psutil
import pytest
import redis
import structlog
from xdist.remote import Producer

from base.database import connect
from base.database_roles import RUNNING, DatabaseLogin, create_database, create_roles
from base.migrate import migrate
from server.connections import database_secret
from server.secrets_store import SERVICE_SECRETS, ensure_secrets
from server.services.database import connect_as_superuser
from server.services.identity import ProcessId
from server.services.port_check import is_free
from server.services.postgres import WITHOUT_DURABILITY, PrivatePostgres
from server.services.unprivileged import unprivileged_account
from server.services.valkey import PrivateValkey
from server.settings import Settings
from server.settings_loader import REPOSITORY, load_settings
from server.settings_options import EMERGENCY_TRUNK_OFFSET, PORT_OFFSETS
from tests.lanes import Lanes, in_lanes, own_ports

HOST = "127.0.0.1"
TEMPLATE = "hotline_template"
FOLDER_PREFIX = "hotline-tests-"
MEMORY = Path("/dev/shm")
LEAST_MEMORY_BYTES = 1_000_000_000
TOOLS = Path(os.environ.get("HOTLINE_TOOLS") or REPOSITORY / ".hotline" / "tools")
"""Unpacked by `./hotline test` before pytest starts; the one thing tests share with a product."""

# How long one example takes says how busy the machine is, and nothing of what is tested.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

OWN_PORTS = own_ports(range(15000, 32000))
SINGLE_PORTS, INSTALLATION_PORTS = OWN_PORTS[:1500], OWN_PORTS[1500:]
"""Apart: a lone service must not stand where an installation's telephones speak."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    in_lanes(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    return Lanes(config, log)


@dataclass(frozen=True, slots=True)
class TestCluster:
    """The run's PostgreSQL; ``secrets`` are those of every installation made on it."""

    __test__ = False

    postgres: PrivatePostgres
    secrets: Mapping[str, str]

    def url(self, database: str, role: str = "owner") -> str:
        login = DatabaseLogin(f"hotline_{role}")
        password = self.secrets[database_secret(login)]
        return f"postgresql://{login}:{password}@{HOST}:{self.postgres.port}/{database}"


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """One test's own database, migrated and empty."""

    __test__ = False

    cluster: TestCluster
    name: str

    def url(self, role: str = "owner") -> str:
        """Return the DSN of ``owner``, ``bridge``, ``web`` or ``unit``."""
        return self.cluster.url(self.name, role)


@dataclass(frozen=True, slots=True)
class TestValkey:
    """The run's Valkey, emptied before each test that asks for it."""

    __test__ = False

    service: PrivateValkey

    @property
    def url(self) -> str:
        return f"redis://:{self.service.password}@{HOST}:{self.service.port}/0"


def free_port() -> int:
    """Return a port nobody listens on, below the range the kernel hands out by itself."""
    while True:
        port = random.choice(SINGLE_PORTS)
        if is_free(HOST, port) and is_free(HOST, port, udp=True):
            return port


def free_port_base() -> int:
    """Return a ``port_base`` whose ports, RTP's too, no other installation has.

    Another's services would be heard within one width of the block to either side. Where the
    machine is full of installations, blocks may overlap in their RTP ranges.
    """
    width = PORT_OFFSETS["rtp_last"] + 1
    tried = 0
    while True:
        base = random.choice(INSTALLATION_PORTS[:-width:20])
        apart = range(base - width, base + width) if tried < 100 else range(base, base + 20)
        if all(is_free(HOST, p) for p in apart) and all(
            is_free(HOST, p, udp=True) for p in range(base, base + EMERGENCY_TRUNK_OFFSET + 1)
        ):
            return base
        tried += 1


@pytest.fixture(scope="session")
def memory_folder() -> Iterator[Path]:
    """A folder in memory (else on disk) with a short path, removed at the end of the run."""
    parent = MEMORY if has_room(MEMORY) else Path(tempfile.gettempdir())
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=parent))
    # PostgreSQL's user must be able to pass; what lies inside guards itself.
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def has_room(folder: Path) -> bool:
    """A container's /dev/shm often holds 64 MB: less than two clusters of PostgreSQL."""
    if not os.access(folder, os.W_OK):
        return False
    return shutil.disk_usage(folder).free >= LEAST_MEMORY_BYTES


def _sweep(parent: Path) -> None:
    """Clear what a run that was killed left behind: its services, then its folder."""
    for folder in parent.glob(f"{FOLDER_PREFIX}*"):
        owner = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if not owner.isdecimal() or psutil.pid_exists(int(owner)):
            continue
        for process in psutil.process_iter():
            try:
                is_inside = Path(process.cwd()).is_relative_to(folder)
            except (psutil.Error, OSError):
                continue
            if is_inside and (identity := ProcessId.of(process.pid)):
                identity.stop(grace_s=3)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def test_secrets(memory_folder: Path) -> Mapping[str, str]:
    """Passwords made for this run."""
    home = memory_folder / "run"
    store = ensure_secrets(load_settings({"HOTLINE_HOME": str(home)}))
    return {name: store.read(name) for name in SERVICE_SECRETS}


@pytest.fixture(scope="session")
def postgres_cluster(memory_folder: Path, test_secrets: Mapping[str, str]) -> Iterator[TestCluster]:
    postgres = PrivatePostgres(
        root=memory_folder / "postgres",
        host=HOST,
        port=free_port(),
        superuser_password=test_secrets["database_superuser"],
        account=unprivileged_account(),
        extra=WITHOUT_DURABILITY,
    )
    postgres.start()
    try:
        cluster = TestCluster(postgres, test_secrets)
        asyncio.run(_make_template(cluster))
        yield cluster
    finally:
        postgres.stop()


async def _make_template(cluster: TestCluster) -> None:
    passwords = {login: cluster.secrets[database_secret(login)] for login in DatabaseLogin}
    superuser = await connect_as_superuser(cluster.postgres)
    try:
        await create_roles(superuser, passwords)
        await create_database(superuser, TEMPLATE)
    finally:
        await superuser.close()
    owner = await connect(cluster.url(TEMPLATE), name="tests")
    try:
        await migrate(owner)
    finally:
        await owner.close()


@pytest.fixture
async def database(postgres_cluster: TestCluster) -> AsyncIterator[TestDatabase]:
    """A database of this test alone."""
    name = f"test_{random.randrange(10**12)}"
    superuser = await connect_as_superuser(postgres_cluster.postgres)
    try:
        await superuser.execute(
            f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER {DatabaseLogin.OWNER}"
            " STRATEGY file_copy"
        )
        await superuser.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        await superuser.execute(f"GRANT CONNECT ON DATABASE {name} TO {', '.join(RUNNING)}")
        yield TestDatabase(postgres_cluster, name)
        if superuser.is_closed():  # the test stopped the cluster, and started it again
            superuser = await connect_as_superuser(postgres_cluster.postgres)
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await superuser.close()


@pytest.fixture(scope="session")
def valkey_service(memory_folder: Path, test_secrets: Mapping[str, str]) -> Iterator[PrivateValkey]:
    service = PrivateValkey(
        folder=memory_folder / "valkey",
        host=HOST,
        port=free_port(),
        password=test_secrets["redis"],
        log=memory_folder / "valkey.log",
    )
    service.start()
    try:
        yield service
    finally:
        service.stop()


@pytest.fixture
def valkey(valkey_service: PrivateValkey) -> TestValkey:
    """An empty Valkey."""
    with redis.Redis(port=valkey_service.port, password=valkey_service.password) as client:
        client.flushall()
    return TestValkey(valkey_service)


@pytest.fixture
def make_settings(memory_folder: Path) -> Iterator[Callable[..., Settings]]:
    """Return settings of a fresh installation: own folder, own free ports. No service runs yet."""
    homes: list[Path] = []

    def make(**overrides: object) -> Settings:
        home = Path(tempfile.mkdtemp(dir=memory_folder))
        home.chmod(0o755)
        homes.append(home)
        values: dict[str, object] = {
            "home": home,
            "tools": TOOLS,
            "port_base": free_port_base(),
        }
        return load_settings({}, values | overrides)

    yield make
    for home in homes:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def settings(
    make_settings: Callable[..., Settings], database: TestDatabase, valkey: TestValkey
) -> Settings:
    """Settings whose database and Valkey are the run's own, with their secrets in place."""
    made = make_settings()
    made.secrets_dir.mkdir(mode=0o700)
    for name, value in database.cluster.secrets.items():
        path = made.secrets_dir / name
        path.touch(mode=0o600)
        path.write_text(value)
    ensure_secrets(made)
    return replace(
        made,
        database_url=f"postgresql://{HOST}:{database.cluster.postgres.port}/{database.name}",
        redis_url=f"redis://{HOST}:{valkey.service.port}/0",
    )


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A verb run inside a test sets up the process's log: the next test must not inherit it.

    Seen on 2026-11-27: a handler of an ended test, writing to a closed stream, failed another's.
    """
    root = logging.getLogger()
    handlers, level, configuration = root.handlers[:], root.level, structlog.get_config()
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.configure(**configuration)


@pytest.fixture
def own_logging(_logging_as_before: None) -> Iterator[None]:
    """Let a test configure logging as it likes: pytest's own handlers are not its to close."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of data that is never committed; tests that need it say so when it is absent."""
    named = os.environ.get("HOTLINE_SHARED")
    if not named or not Path(named).is_dir():
        pytest.skip("HOTLINE_SHARED names no folder: the shared data is not here")
    return Path(named)
