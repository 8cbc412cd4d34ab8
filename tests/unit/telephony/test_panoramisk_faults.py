"""The faults of plain panoramisk 1.4, each shown on it and gone from ours.

``on_panoramisk`` tests pin what the library does, so that a release that mends it is noticed. The
numbers: 1 characters cut in two, 2 line breaks in actions, 3 Originate, 4 and
17 handlers, 5 replay, 6 half lists, 7 time-outs and leaks, 8 AsyncAGI, 9 swallowed events, 10 wrong
password, 11 close, 12 FullyBooted, 13 silence, 14 empty headers, 15 and 16 fast_agi.
"""

import ast
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from telephony.actions import Action, UntilEvent, WholeList
from telephony.client import AmiClient
from telephony.events import LinkChanged
from telephony.failures import (
    ActionRefused,
    ActionTimedOut,
    LinkBroken,
    LinkClosed,
    LinkDown,
    LinkSilent,
    LoginRefused,
)
from telephony.inbox import InboxClosed, LinkFailed, LinkUp, Listed
from telephony.library import AMIProtocol, Manager
from telephony.link import Link
from telephony.switch import AsteriskSwitch
from telephony.wire import ActionUnsafe, Message
from tests.fakes.ami_server import AmiServer, Fields, Session, ami_server, event, until

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
async def server() -> AsyncIterator[AmiServer]:
    async with ami_server() as started:
        yield started


@asynccontextmanager
async def our_client(server: AmiServer, **options: Any) -> AsyncIterator[AmiClient]:
    defaults: dict[str, Any] = {"ping_every_s": 0.2}
    defaults |= {"secret": server.secret, "username": "hotline"}
    client = AmiClient(host="127.0.0.1", port=server.port, **(defaults | options))
    running = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        client.close()
        await asyncio.wait_for(running, 5)


@asynccontextmanager
async def up(server: AmiServer, **options: Any) -> AsyncIterator[AmiClient]:
    async with our_client(server, **options) as client:
        await client.wait_until_up(timeout_s=5)
        yield client


class PlainManager(Manager):  # type: ignore[misc]  # panoramisk is untyped
    """Plain panoramisk; it only remembers what it opened, so that a test can clear up."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config, protocol_factory=self._protocol)
        self.connecting: list[asyncio.Task[Any]] = []
        self.protocols: list[Any] = []
        self.is_over = False

    def _protocol(self) -> Any:
        self.protocols.append(AMIProtocol())
        return self.protocols[-1]

    def connect(self, *args: Any, **options: Any) -> Any:
        if not self.is_over:
            self.connecting.append(super().connect(*args, **options))
            return self.connecting[-1]
        return None

    async def clear_up(self) -> None:
        self.is_over = True
        await asyncio.gather(*self.connecting, return_exceptions=True)
        self.close()
        for protocol in self.protocols:
            protocol.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def panoramisk(server: AmiServer, **options: Any) -> AsyncIterator[Any]:
    """Plain panoramisk, logged in, as its documents say."""
    options = {"username": "hotline", "secret": server.secret, "reconnect_timeout": 0} | options
    manager = PlainManager(host="127.0.0.1", port=server.port, **options)
    await manager.connect()
    await until(lambda: manager.protocol is not None)
    if manager.authenticated_future is not None:
        await asyncio.wait({manager.authenticated_future}, timeout=1)
    try:
        yield manager
    finally:
        await manager.clear_up()


async def taken(client: AmiClient, name: str) -> Message:
    """The next event of that name."""
    async with asyncio.timeout(5):
        while True:
            item = await client.inbox.take()
            if isinstance(item, Message) and item.name == name:
                return item


# ----------------------------------------------------------------------- 1, 14: reading


CUT_NAME = event("Newchannel", CallerIDName="王小明", UserField="")


async def say_cut(server: AmiServer) -> None:
    inside = CUT_NAME.index("小".encode()) + 1
    server.session.say(CUT_NAME[:inside])
    await asyncio.sleep(0.05)
    server.session.say(CUT_NAME[inside:])


async def test_1_and_14_on_panoramisk_cut_names_and_empty_headers_are_lost(
    server: AmiServer,
) -> None:
    seen: list[Any] = []
    async with panoramisk(server) as manager:
        manager.register_event("Newchannel", lambda _, told: seen.append(told))
        await say_cut(server)
        await until(lambda: seen)
    assert seen[0]["CallerIDName"] == "王明"
    assert "UserField" not in seen[0]


async def test_1_and_14_names_cut_in_two_and_empty_headers_arrive_whole(server: AmiServer) -> None:
    async with up(server) as client:
        await say_cut(server)
        told = await taken(client, "Newchannel")
    assert told.get("CallerIDName") == "王小明"
    assert told.has("UserField")


# ------------------------------------------------------------------ 2, 3: sending


INJECTION = "x\r\n\r\nAction: Command\r\nCommand: core stop now"


async def test_2_on_panoramisk_a_value_can_carry_a_second_action(server: AmiServer) -> None:
    async with panoramisk(server) as manager:
        manager.send_action({"Action": "Setvar", "Variable": "A", "Value": INJECTION})
        await until(lambda: server.received("Command"))


async def test_2_a_value_with_a_line_break_is_refused_and_nothing_is_sent(
    server: AmiServer,
) -> None:
    async with up(server) as client:
        with pytest.raises(ActionUnsafe):
            await client.send(Action("Setvar", (("Value", INJECTION),)))
        await client.send(Action("Ping"))
        assert not server.received("Command")
        assert not server.received("Setvar")


def queued(session: Session, action: Fields) -> None:
    session.respond(action, Message="Originate successfully queued")


async def test_3_on_panoramisk_originate_without_async_drops_the_link(server: AmiServer) -> None:
    server.replies["Originate"] = queued
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with panoramisk(server) as manager:
        future = manager.send_action({"Action": "Originate", "Channel": "Local/1"})
        await until(lambda: errors)
        assert not future.done()
    assert isinstance(errors[0]["exception"], KeyError)


async def test_3_originate_without_async_is_answered(server: AmiServer) -> None:
    server.replies["Originate"] = queued
    async with up(server) as client:
        answer = await client.send(Action("Originate", (("Channel", "Local/1"),)))
        assert answer.response.get("Response") == "Success"
        assert client.is_up


# ----------------------------------------------------------------------- 4, 17: handlers


TWO_EVENTS = event("AgentConnect", Uniqueid="1") + event("Hangup", Uniqueid="1")


async def test_4_on_panoramisk_a_failing_handler_loses_the_rest_and_the_link(
    server: AmiServer,
) -> None:
    seen: list[str] = []

    def handle(_: Any, told: Any) -> None:
        seen.append(told.event)
        raise ValueError

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with panoramisk(server) as manager:
        manager.register_event("*", handle)
        sessions = len(server.sessions)
        server.session.say(TWO_EVENTS)
        await until(lambda: "AgentConnect" in seen and len(server.sessions) > sessions)
        assert "Hangup" not in seen


async def test_4_a_message_that_fails_costs_neither_the_next_nor_the_link(
    server: AmiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reduce(snapshot: Any, told: Message, **_: Any) -> Any:
        if told.get("Uniqueid") == "bad":
            raise ValueError
        seen.append(told.get("Uniqueid"))
        return snapshot, []

    seen: list[str] = []
    monkeypatch.setattr("telephony.follower.reduce", reduce)
    switch = AsteriskSwitch(host="127.0.0.1", port=server.port, username="u", secret="right")
    running = asyncio.create_task(switch.run())
    reading = asyncio.create_task(_read(switch, []))
    await switch.wait_until_up(timeout_s=5)
    server.session.say(event("Hangup", Uniqueid="bad") + event("Hangup", Uniqueid="good"))
    await until(lambda: "good" in seen)
    assert switch.is_up
    assert len(server.sessions) == 1
    switch.close()
    await asyncio.gather(running, reading)


async def _read(switch: AsteriskSwitch, told: list[Any]) -> None:
    async for each in switch.events():
        told.append(each)  # noqa: PERF401  # the test looks at the list while it grows


async def test_17_on_panoramisk_coroutine_handlers_finish_out_of_order(server: AmiServer) -> None:
    done: list[str] = []

    async def handle(_: Any, told: Any) -> None:
        await asyncio.sleep(0.1 if told.event == "AgentConnect" else 0)
        done.append(told.event)

    async with panoramisk(server) as manager:
        for name in ("AgentConnect", "Hangup"):
            manager.register_event(name, handle)
        server.session.say(TWO_EVENTS)
        await until(lambda: len(done) == 2)
    assert done == ["Hangup", "AgentConnect"]


async def test_17_events_are_taken_one_after_another_in_order(server: AmiServer) -> None:
    done: list[str] = []
    async with up(server) as client:
        server.session.say(TWO_EVENTS)
        async with asyncio.timeout(5):
            while len(done) < 2:
                item = await client.inbox.take()
                if isinstance(item, Message) and item.name != "FullyBooted":
                    await asyncio.sleep(0.05 if item.name == "AgentConnect" else 0)
                    done.append(item.name)
    assert done == ["AgentConnect", "Hangup"]


# ----------------------------------------------------------------------- 5: replay


async def test_5_on_panoramisk_an_unanswered_originate_is_sent_again(server: AmiServer) -> None:
    server.stay_silent_on("Originate")
    async with panoramisk(server) as manager:
        manager.send_action({"Action": "Originate", "Channel": "PJSIP/1", "Async": "true"})
        await until(lambda: server.received("Originate"))
        server.session.writer.close()
        await until(lambda: len(server.received("Originate")) == 2)


async def test_5_pending_actions_fail_at_once_and_are_never_sent_again(server: AmiServer) -> None:
    server.stay_silent_on("Originate")
    async with up(server) as client:
        asked = asyncio.create_task(
            client.send(Action("Originate", (("Channel", "PJSIP/1"),), timeout_s=60))
        )
        await until(lambda: server.received("Originate"))
        server.session.reset()
        with pytest.raises(LinkDown):
            await asyncio.wait_for(asked, 5)
        await until(lambda: len(server.sessions) == 2 and client.is_up)
        await client.send(Action("Ping"))
        assert len(server.received("Originate")) == 1


async def test_5_without_a_link_an_action_fails_at_once(server: AmiServer) -> None:
    client = AmiClient(host="127.0.0.1", port=server.port, username="u", secret="right")
    with pytest.raises(LinkDown):
        await client.send(Action("Ping"))


# ------------------------------------------------------------ 6, 7, 8, 9: completion


def half_a_list(session: Session, action: Fields) -> None:
    session.respond(action, EventList="start", Message="Queue status will follow")
    session.say(event("QueueMember", ActionID=action["ActionID"], Location="PJSIP/1"))


async def test_6_and_7_on_panoramisk_a_half_list_and_queue_add_never_end(
    server: AmiServer,
) -> None:
    server.replies["QueueStatus"] = half_a_list
    server.replies["QueueAdd"] = lambda s, a: s.respond(a, Message="Added interface to queue")
    async with panoramisk(server) as manager:
        for action in ({"Action": "QueueStatus"}, {"Action": "QueueAdd", "Queue": "q"}):
            future = manager.send_action(action)
            assert (await asyncio.wait({future}, timeout=0.3))[1]
        assert len(manager.protocol.responses) >= 2


async def test_6_a_half_list_times_out_and_is_forgotten(server: AmiServer) -> None:
    server.replies["QueueStatus"] = half_a_list
    async with up(server) as client:
        with pytest.raises(ActionTimedOut):
            await client.send(Action("QueueStatus", (), WholeList(), timeout_s=0.2))
        assert pending(client) == 0
        server.session.say(event("Hangup", Uniqueid="later"))
        assert (await taken(client, "Hangup")).get("Uniqueid") == "later"


async def test_6_a_whole_list_ends_at_its_completing_event(server: AmiServer) -> None:
    server.queues = [event("QueueMember", Location=f"PJSIP/{n}") for n in range(3)]
    async with up(server) as client:
        answer = await client.send(Action("QueueStatus", (), WholeList()))
        assert [item.get("Location") for item in answer.events] == ["PJSIP/0", "PJSIP/1", "PJSIP/2"]


async def test_7_queue_add_is_answered_by_its_response(server: AmiServer) -> None:
    server.replies["QueueAdd"] = lambda s, a: s.respond(a, Message="Added interface to queue")
    async with up(server) as client:
        answer = await client.send(Action("QueueAdd", (("Queue", "q"),)))
        assert answer.response.get("Response") == "Success"


async def test_7_on_panoramisk_cancelled_actions_stay_for_ever(server: AmiServer) -> None:
    server.stay_silent_on("Slow")
    async with panoramisk(server) as manager:
        for _ in range(50):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(manager.send_action({"Action": "Slow"}), 0.001)
        assert len(manager.protocol.responses) >= 50


async def test_7_cancelled_and_late_actions_are_forgotten(server: AmiServer) -> None:
    server.stay_silent_on("Slow")
    async with up(server) as client:
        asked = [asyncio.create_task(client.send(Action("Slow"))) for _ in range(50)]
        await until(lambda: len(server.received("Slow")) == 50)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        for action in server.received("Slow"):
            server.session.respond(action)
        await client.send(Action("Ping"))
        assert pending(client) == 0


async def test_7_a_refused_action_says_why(server: AmiServer) -> None:
    server.replies["QueuePause"] = lambda s, a: s.refuse(a, "Interface not found")
    async with up(server) as client:
        with pytest.raises(ActionRefused) as refused:
            await client.send(Action("QueuePause"))
        assert refused.value.params["reason"] == "Interface not found"


def run_agi(session: Session, action: Fields) -> None:
    session.respond(action, Message="Added AGI command to queue")
    session.say(event("AsyncAGIExec", CommandID=action["CommandID"], Result="200%20result=0"))


async def test_8_on_panoramisk_async_agi_commands_never_complete(server: AmiServer) -> None:
    server.replies["AGI"] = run_agi
    async with panoramisk(server) as manager:
        future = manager.send_agi_command("PJSIP/1-1", "ANSWER")
        assert (await asyncio.wait({future}, timeout=0.3))[1]


async def test_8_async_agi_commands_complete_with_their_event(server: AmiServer) -> None:
    server.replies["AGI"] = run_agi
    async with up(server) as client:
        completion = UntilEvent("AsyncAGIExec", id_header="CommandID")
        answer = await client.send(Action("AGI", (("Command", "ANSWER"),), completion))
        assert answer.events[0].get("Result") == "200%20result=0"


async def test_9_on_panoramisk_an_event_with_a_pending_id_is_swallowed(server: AmiServer) -> None:
    seen: list[Any] = []
    async with panoramisk(server) as manager:
        manager.register_event("OriginateResponse", lambda _, told: seen.append(told))
        manager.register_event("Hangup", lambda _, told: seen.append(told))
        manager.send_action({"Action": "Originate", "Channel": "PJSIP/1", "Async": "true"})
        await until(lambda: server.received("Originate"))
        server.session.say(event("Hangup", Uniqueid="1"))
        await until(lambda: seen)
        assert [told.event for told in seen] == ["Hangup"]


async def test_9_an_event_with_a_pending_id_reaches_both(server: AmiServer) -> None:
    async with up(server) as client:
        completion = UntilEvent("OriginateResponse")
        answer = await client.send(Action("Originate", (), completion))
        assert answer.events[0].get("Response") == "Success"
        assert (await taken(client, "OriginateResponse")).get("Reason") == "4"


def pending(client: AmiClient) -> int:
    """Actions without an answer yet; the watchdog's own ping may be among them."""
    link = client._link
    assert isinstance(link, Link)
    waiting = [each for each in link._pending.values() if each.action.name != "Ping"]
    return len(waiting)


# --------------------------------------------------- 10, 11, 12, 13: the link itself


async def test_10_on_panoramisk_a_wrong_password_reconnects_silently_for_ever(
    server: AmiServer,
) -> None:
    async with panoramisk(server, secret="wrong") as manager:
        await until(lambda: len(server.received("Login")) >= 3)
        assert not manager.authenticated


async def test_10_a_wrong_password_is_said_clearly_and_not_tried_again_soon(
    server: AmiServer,
) -> None:
    async with our_client(server, secret="wrong") as client:
        with pytest.raises(LoginRefused) as refused:
            await client.wait_until_up(timeout_s=5)
        assert "hotline" in str(refused.value)
        assert "wrong" not in str(refused.value)
        failed = await client.inbox.take()
        assert isinstance(failed, LinkFailed)
        await asyncio.sleep(0.6)  # plain panoramisk has been back several times by now
        assert len(server.received("Login")) == 1


async def test_10_a_password_that_was_mended_works_at_the_next_try(server: AmiServer) -> None:
    async with our_client(server, secret="wrong", refused_retry_s=0.05) as client:
        with pytest.raises(LoginRefused):
            await client.wait_until_up(timeout_s=5)
        server.secret = "wrong"
        await until(lambda: client.is_up)


@pytest.mark.parametrize("action", ["Login", "Ping"])
async def test_10_an_asterisk_that_shuts_down_is_tried_again_at_once(
    server: AmiServer, action: str
) -> None:
    answers = server.replies[action]
    server.replies[action] = lambda session, asked: session.refuse(
        asked, "Asterisk is shutting down"
    )
    async with our_client(server) as client:
        await until(lambda: len(server.sessions) >= 3)
        server.replies[action] = answers
        await until(lambda: client.is_up)


async def test_11_on_panoramisk_close_during_the_wait_still_reconnects(server: AmiServer) -> None:
    async with panoramisk(server, reconnect_timeout=1) as manager:
        server.session.writer.close()
        await until(lambda: not manager._connected)
        manager.close()
        await until(lambda: len(server.sessions) == 2)


async def test_11_close_is_final_at_every_moment(server: AmiServer) -> None:
    async with up(server) as client:
        server.session.reset()
        await until(lambda: not client.is_up)
        client.close()
        with pytest.raises(LinkClosed):
            await client.send(Action("Ping"))
    items = []
    while not isinstance(item := await client.inbox.take(), InboxClosed):
        items.append(item)
    await asyncio.sleep(0.5)
    assert len(server.sessions) == 1


async def test_11_close_while_logging_in_is_final(server: AmiServer) -> None:
    server.stay_silent_on("Login")
    async with our_client(server):
        await until(lambda: server.received("Login"))
    await asyncio.sleep(0.3)
    assert len(server.sessions) == 1


def accept_without_boot(session: Session, action: Fields) -> None:
    session.respond(action, Message="Authentication accepted")


async def test_12_on_panoramisk_without_fully_booted_waiting_actions_hang(
    server: AmiServer,
) -> None:
    server.stay_silent_on("QueuePause")
    async with panoramisk(server) as manager:
        future = manager.send_action({"Action": "QueuePause"})
        await until(lambda: server.received("QueuePause"))
        server.replies["Login"] = accept_without_boot
        del server.replies["QueuePause"]
        server.session.writer.close()
        await until(lambda: len(server.received("Login")) == 2)
        assert (await asyncio.wait({future}, timeout=0.3))[1]


async def test_12_without_fully_booted_the_link_comes_up_all_the_same(server: AmiServer) -> None:
    server.replies["Login"] = accept_without_boot
    async with our_client(server, boot_timeout_s=0.2) as client:
        await client.wait_until_up(timeout_s=5)
        await client.send(Action("QueuePause"))


async def test_13_on_panoramisk_a_silent_peer_is_never_noticed(server: AmiServer) -> None:
    server.stay_silent_on("Ping")
    lost: list[Any] = []
    options = {"ping_delay": 0, "ping_interval": 0, "on_disconnect": lambda *_: lost.append(1)}
    async with panoramisk(server, **options) as manager:
        await until(lambda: len(server.received("Ping")) > 5)
        assert not lost
        assert len(manager.protocol.responses) > 5


async def test_13_a_silent_peer_is_cut_off_and_the_link_made_again(server: AmiServer) -> None:
    async with up(server, ping_timeout_s=0.2) as client:
        assert isinstance(await client.inbox.take(), Message | LinkUp)
        server.stay_silent_on("Ping")
        began = asyncio.get_running_loop().time()
        await until(lambda: len(server.sessions) == 2)
        assert asyncio.get_running_loop().time() - began < 2
        failures = [i for i in list(client.inbox._items) if isinstance(i, LinkFailed)]
        assert isinstance(failures[0].error, LinkSilent)


def test_13_the_watchdog_as_shipped_notices_within_ten_seconds() -> None:
    async def measure() -> float:
        client = AmiClient(host="127.0.0.1", port=1, username="u", secret="s")
        return client._ping_every_s + client._ping_timeout_s

    assert asyncio.run(measure()) <= 10


# ----------------------------------------------------------------------- 15, 16: fast_agi


def test_15_and_16_fast_agi_is_not_loaded_by_anything_of_ours() -> None:
    program = (
        "import sys, telephony.switch, panoramisk;"
        "module = sys.modules['panoramisk.fast_agi'];"
        "print(getattr(module, '__file__', None), hasattr(module, 'Application'))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert output.stdout.split() == ["None", "False"]


def test_15_and_16_no_source_of_ours_names_fast_agi_and_one_imports_panoramisk() -> None:
    importers = set()
    rooms = (
        "base",
        "insight",
        "routing",
        "rules",
        "server",
        "telephony",
        "tickets",
        "transcription",
    )
    for path in (path for room in rooms for path in (REPOSITORY / room).rglob("*.py")):
        for name in _imports(path):
            assert "fast_agi" not in name, path
            if name.startswith("panoramisk"):
                importers.add(path.relative_to(REPOSITORY).as_posix())
    assert importers == {"telephony/library.py"}


def _imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


# ------------------------------------------------------------- the rest of the contract


async def test_a_reset_is_noticed_within_200_ms(server: AmiServer) -> None:
    took_s = []
    async with up(server, ping_every_s=60) as client:
        for _ in range(3):  # whatever else the machine does only adds: the quickest counts
            began = asyncio.get_running_loop().time()
            server.session.reset()
            await until(lambda: not client.is_up)
            took_s.append(asyncio.get_running_loop().time() - began)
            await until(lambda: client.is_up)
    assert min(took_s) < 0.2


async def test_too_many_unread_events_drop_the_link_and_begin_again(server: AmiServer) -> None:
    async with up(server, max_unread_messages=100) as client:
        server.session.say(b"".join(event("Hangup", Uniqueid=str(n)) for n in range(500)))
        await until(lambda: len(server.sessions) == 2 and client.is_up)
        items = list(client.inbox._items)
        assert len(items) < 100
        codes = [item.error.code for item in items if isinstance(item, LinkFailed)]
        assert codes == ["telephony_link_overflow"]
        assert isinstance(items[-1], LinkUp)


async def test_what_is_no_manager_is_said_so(server: AmiServer) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request " + b"x" * 400_000)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    other = await asyncio.start_server(chatter, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    client = AmiClient(host="127.0.0.1", port=port, username="u", secret="s")
    running = asyncio.create_task(client.run())
    await until(lambda: isinstance(client.last_error, LinkBroken))
    client.close()
    await running
    other.close()
    await other.wait_closed()


def has_sessions(server: AmiServer, number: int) -> bool:
    return len(server.sessions) == number


async def test_lost_links_leave_no_task_behind(server: AmiServer) -> None:
    async with up(server) as client:
        before = len(asyncio.all_tasks())
        for number in range(2, 6):
            server.session.reset()
            await until(partial(has_sessions, server, number), timeout_s=30)
            await until(lambda: client.is_up)
        assert len(asyncio.all_tasks()) <= before + 1


async def test_audits_go_on_after_an_overflow_that_took_the_lists_of_one(server: AmiServer) -> None:
    switch = AsteriskSwitch(
        host="127.0.0.1", port=server.port, username="u", secret="right", audit_every_s=0.01
    )
    running = asyncio.create_task(switch.run())
    events = aiter(switch.events())
    assert isinstance(await anext(events), LinkChanged)
    inbox = switch.client.inbox
    await until(lambda: any(isinstance(item, Listed) for item in inbox._items))
    inbox._max_messages = 1  # the reader is far behind
    server.session.say(event("Hangup", Uniqueid="1"))
    await until(lambda: any(isinstance(item, LinkUp) for item in inbox._items))

    async def read() -> None:
        async for _event in events:
            pass

    reading = asyncio.create_task(read())
    await until(lambda: switch.audits > 1, why="audits")
    switch.close()
    await asyncio.gather(running, reading)


def refuse_status(session: Session, action: Fields) -> None:
    session.refuse(action, "Permission denied")


def list_nothing(session: Session, action: Fields) -> None:
    session.respond_list(action, "Status")


async def test_a_refused_resync_cuts_the_link_and_is_not_taken_for_the_truth(
    server: AmiServer,
) -> None:
    server.replies["Status"] = refuse_status
    switch = AsteriskSwitch(host="127.0.0.1", port=server.port, username="u", secret="right")
    running = asyncio.create_task(switch.run())
    told: list[Any] = []
    reading = asyncio.create_task(_read(switch, told))
    await until(lambda: any(isinstance(each, LinkChanged) for each in told))
    assert not told[0].is_up
    server.replies["Status"] = list_nothing
    await until(lambda: told[-1].is_up)
    switch.close()
    await asyncio.gather(running, reading)


async def test_late_answers_after_a_time_out_disturb_nobody(server: AmiServer) -> None:
    server.stay_silent_on("Slow")
    async with up(server) as client:
        with pytest.raises(ActionTimedOut):
            await client.send(Action("Slow", timeout_s=0.05))
        server.session.respond(server.received("Slow")[0])
        await client.send(Action("Ping"))
