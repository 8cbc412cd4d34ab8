"""The Asterisk process itself: started, adopted, stopped; two side by side; clear refusals."""

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from base.errors import SetupError
from telephony import process
from telephony.config import AsteriskConfig, render
from telephony.phone import CallState, Phone, answer_after
from telephony.prompts import prompt_path
from telephony.tree import AsteriskTree
from tests.asterisk.switch import (
    Switch,
    make_config,
    start_switch,
    until,
    write_prompts,
)

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hotline-switch-") as folder:
        yield Path(folder)


@pytest.fixture
def config(asterisk_tree: AsteriskTree, home: Path) -> AsteriskConfig:
    made, _, _ = make_config(asterisk_tree, home, system_name="other")
    write_prompts(made.prompts_dir)
    render(made)
    return made


async def test_two_installations_carry_calls_side_by_side(
    asterisk: Switch, asterisk_tree: AsteriskTree, home: Path
) -> None:
    other = start_switch(asterisk_tree, home, system_name="other")
    try:
        for switch in (asterisk, other):
            secret = switch.agent_secret("1001")
            agent = Phone(("127.0.0.1", 0), switch.server, "1001", password=secret)
            agent.on_ring(answer_after(0))
            async with agent, Phone(("127.0.0.2", 0), switch.server, "13800000001") as citizen:
                await agent.register()
                call = await citizen.call("12345")
                taken = await agent.until_ringing(8)
                await taken.until(CallState.UP, timeout_s=5)
                await call.hangup()
                await until(lambda switch=switch: not switch.channels())  # type: ignore[misc]
    finally:
        process.stop(other.config)
    assert asterisk.cli("core show uptime")


def test_it_outlives_its_starter_and_is_adopted_by_the_next(config: AsteriskConfig) -> None:
    (config.folder.parent / "config.pickle").write_bytes(pickle.dumps(config))
    starter = subprocess.run(
        [sys.executable, "-c", STARTER, str(config.folder.parent)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert starter.returncode == -signal.SIGKILL, starter.stderr
    try:
        adopted = process.ensure_running(config)
        assert adopted.adopted
        assert os.getsid(adopted.pid) == adopted.pid
    finally:
        assert process.stop(config)
    assert process.adopt(config) is None
    assert not process.stop(config)


STARTER = """
import os, pickle, signal, sys
from pathlib import Path
from telephony import process
config = pickle.loads(Path(sys.argv[1], "config.pickle").read_bytes())
process.start(config)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("which", ["sip_port", "ami_port", "http_port"])
def test_taken_port_is_named(config: AsteriskConfig, which: str) -> None:
    with socket.socket() as holder:
        holder.bind((config.bind, getattr(config, which)))
        holder.listen()
        with pytest.raises(SetupError, match=str(getattr(config, which))) as refusal:
            process.start(config)
    assert "settings" in refusal.value.fix


def test_missing_prompt_fails_the_start(config: AsteriskConfig) -> None:
    prompt_path(config.prompts_dir, "pbx-transfer").unlink()
    with pytest.raises(SetupError, match="pbx-transfer"):
        render(config)


def test_module_that_is_missing_fails_the_start_with_its_name(
    config: AsteriskConfig, home: Path
) -> None:
    modules = home / "modules"
    shutil.copytree(config.tree.modules_dir, modules, copy_function=os.symlink)
    (modules / "app_queue.so").unlink()
    broken = replace(config, tree=replace(config.tree, modules_dir=modules))
    render(broken)
    with pytest.raises(SetupError, match="app_queue"):
        process.start(broken)


def test_rendered_files_are_private_and_rendering_again_changes_nothing(
    config: AsteriskConfig,
) -> None:
    before = {path: path.read_bytes() for path in config.etc.glob("*.conf")}
    render(config)
    assert {path: path.read_bytes() for path in config.etc.glob("*.conf")} == before
    for path in before:
        assert path.stat().st_mode & 0o077 == 0, path.name
    for folder in (config.etc, config.run_dir, config.log_dir, config.recordings_dir):
        assert folder.stat().st_mode & 0o077 == 0, folder.name


def test_nothing_listens_but_on_the_given_address(asterisk: Switch) -> None:
    """Apart from two sockets of random port: pjproject's name resolver asks from them."""
    sockets = psutil.Process(asterisk.running.pid).net_connections()
    listening = {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    config = asterisk.config
    wild = {
        each.laddr.port
        for each in sockets
        if each.type == socket.SOCK_DGRAM and each.laddr.ip != "127.0.0.1"
    }
    assert len(wild) <= 2
    assert not wild & {config.sip_port, *range(config.rtp_first, config.rtp_last + 1)}


async def test_a_call_with_the_product_dead_writes_no_number_into_the_log(asterisk: Switch) -> None:
    agent = Phone(("127.0.0.1", 0), asterisk.server, "1001", password=asterisk.agent_secret("1001"))
    log = asterisk.config.log_dir / "messages.log"
    before = len(log.read_text())
    async with agent, Phone(("127.0.0.2", 0), asterisk.server, "13812345678") as citizen:
        agent.on_ring(answer_after(0))
        await agent.register()
        call = await citizen.call("12345")
        taken = await agent.until_ringing(8)
        await taken.until(CallState.UP, timeout_s=5)
        await call.hangup()

    def written() -> str:
        return log.read_text()[before:]

    await until(lambda: not asterisk.channels() and "func_curl" in written(), why="it is written")
    assert "13812345678" not in written()
