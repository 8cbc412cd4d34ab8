"""Private services on real processes: started, adopted, refused, side by side, never a stranger."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from base.database import connect
from base.errors import SetupError
from server.commands import status
from server.connections import database_url, redis_url
from server.doctor import examine
from server.installation import Installation
from server.services.identity import ProcessId, process_working_in, read_pid_file, write_pid_file
from server.services.port_check import is_free
from server.services.service import Begun
from server.settings import Settings
from server.setup.steps import make_folders
from tests.conftest import TestDatabase, TestValkey

MakeSettings = Callable[..., Settings]
STANDARD_PORTS = (5432, 6379, 5038, 5060, 8088)


@pytest.fixture
def started(make_settings: MakeSettings) -> Iterator[Callable[..., Installation]]:
    """Start installations without Asterisk; all are stopped at the end of the test."""
    installations: list[Installation] = []

    def start(settings: Settings | None = None) -> Installation:
        chosen = settings or make_settings(asterisk_address="127.0.0.1")
        installation = Installation(chosen)
        installations.append(installation)
        installation.start(lambda line: None)
        return installation

    yield start
    for installation in reversed(installations):
        installation.stop(lambda line: None)


def test_second_start_adopts_the_same_processes_at_once(
    started: Callable[..., Installation],
) -> None:
    first = started()
    pids = [service.pid() for service in first.services]
    begun_mono = time.monotonic()
    again = Installation(first.settings)
    assert [service.start() for service in again.services] == [Begun.ADOPTED] * 2
    assert time.monotonic() - begun_mono < 1
    assert [service.pid() for service in again.services] == pids


def test_services_survive_a_kill_of_who_started_them_and_are_adopted(
    make_settings: MakeSettings, started: Callable[..., Installation]
) -> None:
    settings = make_settings(asterisk_address="127.0.0.1")
    environment = os.environ | {
        "HOTLINE_HOME": str(settings.home),
        "HOTLINE_PORT_BASE": str(settings.ports.http - 5),
        "HOTLINE_ASTERISK_ADDRESS": "127.0.0.1",
    }
    script = (
        "import time; from server.installation import Installation;"
        "from server.settings_loader import load_settings;"
        "from server.logging_setup import configure_logging; configure_logging('test', 'error');"
        "Installation(load_settings()).start(lambda line: None); print('up', flush=True);"
        "time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        services = Installation(settings).services
        pids = [service.pid() for service in services]
        sessions = {os.getsid(pid) for pid in pids if pid}
        assert parent.pid not in sessions
        os.killpg(parent.pid, signal.SIGKILL)
    assert [service.start() for service in services] == [Begun.ADOPTED] * 2
    assert [service.pid() for service in services] == pids
    started(settings)  # so that it is stopped with the test


def test_two_installations_run_side_by_side(started: Callable[..., Installation]) -> None:
    one, two = started(), started()
    pids = {service.pid() for installation in (one, two) for service in installation.services}
    assert None not in pids
    assert len(pids) == 4
    one.stop(lambda line: None)
    assert all(service.pid() for service in two.services)


def test_no_standard_port_is_used_and_only_loopback_listens(
    started: Callable[..., Installation],
) -> None:
    for service in started().services:
        pid = service.pid()
        assert pid is not None
        listening = [c.laddr for c in psutil.Process(pid).net_connections("inet")]
        assert listening
        assert {address.ip for address in listening} == {"127.0.0.1"}
        assert not {address.port for address in listening} & set(STANDARD_PORTS)


@pytest.mark.parametrize("port_name", ["postgres", "redis"])
def test_taken_port_is_named_with_its_owner_and_the_setting(
    make_settings: MakeSettings, port_name: str
) -> None:
    settings = make_settings(asterisk_address="127.0.0.1")
    installation = Installation(settings)
    with socket.create_server(("127.0.0.1", getattr(settings.ports, port_name))):
        service = installation.postgres if port_name == "postgres" else installation.valkey
        assert service is not None
        with pytest.raises(SetupError) as caught:
            service.start()
    assert f"process {os.getpid()}" in caught.value.message
    assert f"ports.{port_name}" in caught.value.fix


def test_failed_start_stops_what_it_started_and_not_what_it_adopted(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(asterisk_address="127.0.0.1")
    installation = Installation(settings)
    make_folders(settings)
    try:
        with socket.create_server(("127.0.0.1", settings.ports.redis)):
            with pytest.raises(SetupError, match=r"ports\.redis"):
                installation.start(lambda line: None)
            assert [service.pid() for service in installation.services] == [None, None]
            assert installation.postgres is not None
            installation.postgres.start()
            with pytest.raises(SetupError, match=r"ports\.redis"):
                installation.start(lambda line: None)
            assert installation.postgres.pid() is not None
    finally:
        installation.stop(lambda line: None)


def test_looking_at_an_untouched_folder_makes_nothing(make_settings: MakeSettings) -> None:
    settings = make_settings()
    status.collect(settings)
    list(examine(settings))
    assert list(settings.home.iterdir()) == []


async def test_each_role_logs_in_with_its_own_password_and_superuser_never_by_tcp(
    settings: Settings, database: TestDatabase
) -> None:
    for role in ("owner", "bridge", "web"):
        connection = await connect(database_url(settings, role), name="test")
        assert await connection.fetchval("SELECT current_user") == f"hotline_{role}"
        await connection.close()
    postgres = database.cluster.postgres
    superuser = (
        f"postgresql://hotline_superuser:{postgres.superuser_password}"
        f"@127.0.0.1:{postgres.port}/{database.name}"
    )
    with pytest.raises(Exception, match="pg_hba"):
        await connect(superuser, name="test")


async def test_chinese_sorts_by_pinyin_and_trigrams_see_it(database: TestDatabase) -> None:
    connection = await connect(database.url(), name="test")
    try:
        words = "SELECT array_agg(w ORDER BY w) FROM unnest(ARRAY['重','阿','中','北']) w"
        assert await connection.fetchval(words) == ["阿", "北", "中", "重"]
    finally:
        await connection.close()


def test_roles_reach_valkey_by_their_url(settings: Settings, valkey: TestValkey) -> None:
    assert redis_url(settings) == valkey.url


def test_stale_pid_file_never_names_a_stranger(tmp_path: Path) -> None:
    mine = ProcessId.of(os.getpid())
    assert mine is not None
    write_pid_file(tmp_path / "x.pid", ProcessId(mine.pid, "another boot:1"))
    assert read_pid_file(tmp_path / "x.pid") is None
    assert process_working_in(tmp_path, mine.pid) is None


def test_ended_process_counts_as_gone_before_it_is_reaped() -> None:
    with subprocess.Popen(["true"]) as process:
        identity = ProcessId.of(process.pid)
        assert identity is None or identity.wait(timeout_s=5)


def test_port_is_free_again_at_once_after_its_server_ended() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        server.accept()[0].close()  # leaves the connection in TIME_WAIT on the server's side
        client.close()
        assert not is_free("127.0.0.1", port)
    assert is_free("127.0.0.1", port)
