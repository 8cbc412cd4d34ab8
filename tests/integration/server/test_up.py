"""`up`, kill -9, `up`, `down`: the whole product on real services, as a person runs it."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from server.settings import Settings
from telephony.tree import find_installed, open_tree

pytestmark = pytest.mark.timeout(300)
SERVICES = ("postgres", "valkey", "asterisk")
ROLES = ("supervisor", "bridge", "web")


class Product:
    """One installation, driven by its command line alone."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        kept = {name: value for name, value in os.environ.items() if "HOTLINE_" not in name}
        self._environment: Mapping[str, str] = kept | {
            "HOTLINE_HOME": str(settings.home),
            "HOTLINE_TOOLS": str(settings.tools),
            "HOTLINE_PORT_BASE": str(settings.ports.http - 5),
            "HOTLINE_SPEECH_ENGINE": "off",
        }

    def run(self, *verb: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-P", "-m", "server.cli", *verb],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    def pids(self) -> dict[str, int | None]:
        report: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return {each["name"]: each["pid"] for each in report["processes"]}


@pytest.fixture
def product(make_settings: Callable[..., Settings]) -> Iterator[Product]:
    settings = make_settings()
    if open_tree(settings.tools / "asterisk") is None and find_installed() is None:
        pytest.skip(f"no Asterisk in {settings.tools}: ./hotline test unpacks it")
    made = Product(settings)
    yield made
    made.run("down")


def test_killed_product_leaves_its_services_and_the_next_up_adopts_them(product: Product) -> None:
    first = product.run("up", "--detach")
    assert first.returncode == 0, first.stderr
    before = product.pids()
    for name in ROLES:
        pid = before[name]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    while_dead = product.pids()
    assert [while_dead[name] for name in SERVICES] == [before[name] for name in SERVICES]
    assert [while_dead[name] for name in ROLES] == [None] * len(ROLES)

    second = product.run("up", "--detach")
    assert second.returncode == 0, second.stderr
    after = product.pids()
    assert [after[name] for name in SERVICES] == [before[name] for name in SERVICES]
    assert all(after[name] not in (None, before[name]) for name in ROLES)
    doctor = product.run("doctor")
    assert doctor.returncode == 0, doctor.stdout

    third = product.run("up", "--detach")
    assert third.returncode == 0
    assert "already up" in third.stderr
    assert product.pids() == after

    assert product.run("down", "--keep-services").returncode == 0
    kept = product.pids()
    assert [kept[name] for name in SERVICES] == [before[name] for name in SERVICES]
    assert [kept[name] for name in ROLES] == [None] * len(ROLES)
    assert product.run("down").returncode == 0
    assert set(product.pids().values()) == {None}


def test_taken_console_port_is_refused_with_its_fix(product: Product) -> None:
    with socket.create_server(("127.0.0.1", product.settings.ports.http)):
        refused = product.run("up", "--detach")
    assert refused.returncode == 1
    assert "(ports.http) is taken by process" in refused.stderr
    assert "\nfix: " in refused.stderr
