"""The outbox on a real PostgreSQL: each message once, whatever is killed, frozen or away."""

import asyncio
import os
import signal
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from base.database import Connection, Database, connect
from base.outbox import (
    DeadMessage,
    OutboxMessage,
    Sender,
    SendingPolicy,
    Undeliverable,
    dead_messages,
    enqueue,
    forget_sent,
    standing,
)
from tests.conftest import TestDatabase
from tests.integration.conftest import PATIENCE

ROOT = Path(__file__).parents[3]
QUICK = SendingPolicy(
    deliver_timeout_s=5.0, lease_s=20.0, most_attempts=3, retry_first_s=0.01, retry_most_s=0.01
)
PATIENT_POLL = SendingPolicy(deliver_timeout_s=5.0, lease_s=20.0, poll_s=30.0)


class Gateway:
    """A receiver that honours keys, and remembers every attempt."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self.accepted: dict[str, dict[str, object]] = {}

    async def __call__(self, message: OutboxMessage) -> None:
        await asyncio.sleep(0)
        self.attempts.append(message.key)
        self.accepted.setdefault(message.key, dict(message.payload))


async def put(database: Database, *keys: str, ordering_key: str = "") -> None:
    async with database.transaction() as connection:
        for key in keys:
            await enqueue(
                connection,
                channel="sms",
                key=key,
                payload={"text": key},
                ordering_key=ordering_key,
            )


async def drain(sender: Sender) -> None:
    while await sender.send_due():
        pass


async def until(is_so: Callable[[], Awaitable[bool]], *, timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not await is_so():  # noqa: ASYNC110 – another process's or the database's doing
            await asyncio.sleep(0.02)


async def said(lines: list[EventDict], action: str) -> bool:
    return any(line["event"] == action for line in lines)


async def lease_ends(owner: Connection) -> None:
    await owner.execute("UPDATE outbox SET due_at = now() - interval '1 s'")


async def states(owner: Connection) -> Counter[str]:
    rows = await owner.fetch("SELECT state, count(*) AS many FROM outbox GROUP BY state")
    return Counter({row["state"]: row["many"] for row in rows})


async def test_what_is_rolled_back_is_never_sent(web: Database, owner: Connection) -> None:
    async def change_mind() -> None:
        async with web.transaction() as connection:
            await enqueue(connection, channel="sms", key="a", payload={})
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await change_mind()
    gateway = Gateway()
    await drain(Sender(web, {"sms": gateway}))
    assert not gateway.attempts
    assert not await states(owner)


async def test_outside_of_a_transaction_nothing_is_enqueued(web: Database) -> None:
    async with web.connection() as connection:
        with pytest.raises(ValueError, match="inside the transaction"):
            await enqueue(connection, channel="sms", key="a", payload={})


async def test_the_same_key_twice_is_one_message_and_the_first(web: Database) -> None:
    async def once(text: str) -> bool:
        async with web.transaction() as connection:
            return await enqueue(connection, channel="sms", key="a", payload={"text": text})

    assert await once("first")
    assert not await once("second")
    assert sorted(await asyncio.gather(*(once("later") for _ in range(6)))) == [False] * 6
    gateway = Gateway()
    await drain(Sender(web, {"sms": gateway}))
    assert gateway.accepted == {"a": {"text": "first"}}
    assert not await once("after it was sent")
    await drain(Sender(web, {"sms": gateway}))
    assert gateway.attempts == ["a"]


@pytest.mark.parametrize("senders", [2, 4])
async def test_parallel_senders_deliver_each_of_200_messages_once(
    senders: int, web: Database, owner: Connection
) -> None:
    keys = [f"m{number}" for number in range(200)]
    await put(web, *keys[:100])
    await put(web, *keys[100:], ordering_key="one citizen")
    gateway = Gateway()

    async def is_done() -> bool:
        return (await states(owner))["sent"] == 200

    tasks = [asyncio.create_task(Sender(web, {"sms": gateway}).run()) for _ in range(senders)]
    await until(is_done)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(gateway.attempts) == sorted(keys)
    assert [key for key in gateway.attempts if key in set(keys[100:])] == keys[100:]


async def test_order_is_kept_per_ordering_key_while_one_fails(web: Database) -> None:
    await put(web, "a1", "a2", "a3", ordering_key="a")
    await put(web, "b1", ordering_key="b")
    accepted: list[str] = []
    failures = iter([True, True])

    async def deliver(message: OutboxMessage) -> None:
        if message.key == "a1" and next(failures, False):
            raise ConnectionResetError("gateway is busy")
        accepted.append(message.key)

    sender = Sender(web, {"sms": deliver}, QUICK)

    async def is_done() -> bool:
        await sender.send_due()
        return len(accepted) == 4

    await until(is_done)
    assert accepted[0] == "b1"
    assert accepted[1:] == ["a1", "a2", "a3"]


async def test_messages_of_one_ordering_key_are_numbered_as_they_commit(web: Database) -> None:
    began = asyncio.Event()

    async def slow() -> None:
        async with web.transaction() as connection:
            await enqueue(connection, channel="sms", key="1", payload={}, ordering_key="a")
            began.set()
            await asyncio.sleep(0.2)

    async def second() -> None:
        await began.wait()
        await put(web, "2", ordering_key="a")
        await drain(Sender(web, {"sms": gateway}))

    gateway = Gateway()
    await asyncio.gather(slow(), second())
    assert gateway.attempts == ["1", "2"]


async def test_after_the_bound_a_message_is_dead_counted_and_holds_up_no_other(
    web: Database,
) -> None:
    await put(web, "hopeless", "next", ordering_key="a")
    attempts: list[str] = []

    async def deliver(message: OutboxMessage) -> None:
        attempts.append(message.key)
        if message.key == "hopeless":
            raise ConnectionRefusedError("number 13800001111 refused")

    sender = Sender(web, {"sms": deliver}, QUICK)

    async def is_done() -> bool:
        await sender.send_due()
        return "next" in attempts

    await until(is_done)
    assert attempts == ["hopeless"] * 3 + ["next"]
    [dead] = await dead_messages(web)
    assert isinstance(dead, DeadMessage)
    assert (dead.key, dead.attempts, dead.last_error) == ("hopeless", 3, "ConnectionRefusedError")
    [row] = await standing(web)
    assert (row.pending, row.sending, row.dead, row.oldest_at) == (0, 0, 1, None)


async def test_what_the_receiver_never_takes_is_dead_at_once(web: Database) -> None:
    await put(web, "a")

    async def deliver(_message: OutboxMessage) -> None:
        raise Undeliverable

    await drain(Sender(web, {"sms": deliver}, QUICK))
    [dead] = await dead_messages(web)
    assert (dead.attempts, dead.last_error) == (1, "undeliverable")


async def test_senders_lost_in_every_attempt_leave_a_dead_message(
    web: Database, owner: Connection
) -> None:
    await put(web, "a")
    gateway = Gateway()
    sender = Sender(web, {"sms": gateway}, QUICK)
    await owner.execute("UPDATE outbox SET state = 'sending', attempts = 3, fence = 3")
    await drain(sender)
    assert not gateway.attempts
    [dead] = await dead_messages(web)
    assert dead.last_error == "sender_lost"


@pytest.mark.parametrize("late_result", ["delivered", "failed", "undeliverable"])
async def test_a_sender_that_comes_back_late_cannot_mark_what_another_has(
    late_result: str, web: Database, owner: Connection
) -> None:
    await put(web, "a")
    inner = Gateway()
    during: list[tuple[str, int]] = []

    async def second(message: OutboxMessage) -> None:
        await inner(message)

    async def first(message: OutboxMessage) -> None:
        await lease_ends(owner)
        await Sender(web, {"sms": second}, QUICK).send_due()
        row = await owner.fetchrow("SELECT state, fence FROM outbox")
        assert row is not None
        during.append((row["state"], row["fence"]))
        if late_result == "failed":
            raise ConnectionResetError
        if late_result == "undeliverable":
            raise Undeliverable

    await Sender(web, {"sms": first}, QUICK).send_due()
    row = await owner.fetchrow("SELECT state, fence, last_error FROM outbox")
    assert row is not None
    assert during == [("sent", 2)]
    assert tuple(row) == ("sent", 2, "")


async def test_a_late_mark_is_refused_while_the_next_sender_is_at_it(
    web: Database, owner: Connection
) -> None:
    await put(web, "a")
    is_held, goes_on = asyncio.Event(), asyncio.Event()

    async def second(_message: OutboxMessage) -> None:
        is_held.set()
        await goes_on.wait()

    async def first(_message: OutboxMessage) -> None:
        await lease_ends(owner)
        others.append(asyncio.create_task(Sender(web, {"sms": second}, QUICK).send_due()))
        await is_held.wait()

    others: list[asyncio.Task[int]] = []
    await Sender(web, {"sms": first}, QUICK).send_due()
    assert await states(owner) == {"sending": 1}
    goes_on.set()
    await asyncio.gather(*others)
    assert await states(owner) == {"sent": 1}


async def test_a_delivery_that_never_ends_is_cut_off_and_tried_again(
    web: Database, owner: Connection
) -> None:
    await put(web, "a")

    async def deliver(_message: OutboxMessage) -> None:
        await asyncio.Event().wait()

    policy = SendingPolicy(deliver_timeout_s=0.2, lease_s=20.0)
    assert await Sender(web, {"sms": deliver}, policy).send_due() == 1
    row = await owner.fetchrow("SELECT state, last_error FROM outbox")
    assert row is not None
    assert tuple(row) == ("pending", "TimeoutError")


CHILD = """
import asyncio, sys
from base.database import Database
from base.outbox import Sender

async def deliver(message):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    writer.write(message.key.encode() + b"\\n")
    await reader.readline()
    writer.close()

async def main():
    database = await Database.open(sys.argv[1], name="child")
    await Sender(database, {"sms": deliver}).run()

asyncio.run(main())
"""


@pytest.fixture
async def child_is_killed_after(
    database: TestDatabase,
) -> AsyncIterator[Callable[[Gateway], Awaitable[None]]]:
    """Start a sender process; kill -9 it when the gateway has its message, before the answer."""
    processes: list[asyncio.subprocess.Process] = []

    async def start(gateway: Gateway) -> None:
        is_killed = asyncio.Event()

        async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            key = (await reader.readline()).decode().strip()
            gateway.attempts.append(key)
            gateway.accepted.setdefault(key, {})
            os.kill(processes[0].pid, signal.SIGKILL)
            writer.close()
            is_killed.set()

        server = await asyncio.start_server(receive, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            processes.append(
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-c", CHILD, database.url("web"), str(port)), cwd=ROOT
                )
            )
            async with asyncio.timeout(20):
                await is_killed.wait()
                await processes[0].wait()

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_sender_killed_between_delivery_and_mark_costs_no_second_message(
    web: Database,
    owner: Connection,
    child_is_killed_after: Callable[[Gateway], Awaitable[None]],
) -> None:
    key = uuid.uuid4().hex
    await put(web, key)
    gateway = Gateway()
    await child_is_killed_after(gateway)
    assert await states(owner) == {"sending": 1}
    survivor = Sender(web, {"sms": gateway})
    assert await survivor.send_due() == 0, "the lease still holds"
    await lease_ends(owner)
    await drain(survivor)
    assert gateway.attempts == [key, key]
    assert list(gateway.accepted) == [key]
    assert await states(owner) == {"sent": 1}


async def test_with_the_database_gone_in_between_each_message_arrives_once(
    database: TestDatabase,
) -> None:
    postgres = database.cluster.postgres
    web = await Database.open(database.url("web"), name="test", patience=PATIENCE)
    policy = SendingPolicy(deliver_timeout_s=20.0, lease_s=60.0, batch=4, poll_s=0.1)
    gateway = Gateway()
    keys = [f"m{number}" for number in range(40)]
    has_some = asyncio.Event()
    goes_on = asyncio.Event()

    async def deliver(message: OutboxMessage) -> None:
        await gateway(message)
        if len(gateway.attempts) == 10:
            has_some.set()
        if len(gateway.attempts) >= 10:
            await goes_on.wait()

    async def is_done() -> bool:
        rows = await web.fetchval("SELECT count(*) FROM outbox WHERE state = 'sent'")
        return bool(rows == len(keys))

    await put(web, *keys)
    sending = asyncio.create_task(Sender(web, {"sms": deliver}, policy).run())
    try:
        await has_some.wait()
        await asyncio.to_thread(postgres.stop)
        try:
            with capture_logs() as lines:
                goes_on.set()
                await until(lambda: said(lines, "outbox_message_unmarked"))
        finally:
            await asyncio.to_thread(postgres.start)
        owner = await connect(database.url("owner"), name="test", patience=PATIENCE)
        await lease_ends(owner)
        await owner.close()
        await put(web, "m39")
        await until(is_done)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await web.close()
    assert sorted(gateway.accepted) == sorted(keys)
    assert max(Counter(gateway.attempts).values()) == 2


@pytest.mark.parametrize("is_cut", [False, True])
async def test_a_commit_wakes_the_sender_before_its_poll(
    is_cut: bool, web: Database, superuser: Connection
) -> None:
    """Also after its listening connection was cut."""
    has_it = asyncio.Event()

    async def deliver(_message: OutboxMessage) -> None:
        has_it.set()

    async def listener() -> int | None:
        pid: int | None = await superuser.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND query LIKE 'LISTEN%' AND state = 'idle'"
        )
        return pid

    former: int | None = None

    async def listens() -> bool:
        return await listener() not in (None, former)

    sending = asyncio.create_task(Sender(web, {"sms": deliver}, PATIENT_POLL).run())
    try:
        await until(listens)
        if is_cut:
            former = await listener()
            await superuser.execute("SELECT pg_terminate_backend($1)", former)
            await until(listens)
        await put(web, "a")
        async with asyncio.timeout(5):
            await has_it.wait()
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def test_a_message_sent_long_ago_is_forgotten_and_its_key_stays_used(
    web: Database, owner: Connection
) -> None:
    await put(web, "old", "recent")
    await drain(Sender(web, {"sms": Gateway()}))
    await put(web, "waiting")
    await owner.execute(
        "UPDATE outbox SET settled_at = now() - interval '31 days' WHERE key = 'old'"
    )
    assert await forget_sent(web, days=30) == 1
    assert await forget_sent(web, days=30) == 0
    said = {row["key"]: row["payload"] for row in await owner.fetch("SELECT * FROM outbox")}
    assert said == {"old": {}, "recent": {"text": "recent"}, "waiting": {"text": "waiting"}}
    await put(web, "old")  # a repetition is still one
    assert await states(owner) == {"sent": 2, "pending": 1}
