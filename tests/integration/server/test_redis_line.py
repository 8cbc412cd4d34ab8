"""The push path's own line to Redis: in order, whole or not at all, and never an answer astray."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from server import redis_line
from server.redis_client import connect_redis
from server.redis_line import RedisLine
from server.streams import entries_of
from tests.conftest import TestValkey


@pytest.fixture
async def line(valkey: TestValkey) -> AsyncIterator[RedisLine]:
    redis = connect_redis(valkey.url)
    made = RedisLine(redis)
    await made.open()
    yield made
    made.close()
    await redis.aclose()


async def test_answers_come_to_those_who_asked(line: RedisLine) -> None:
    asked = [line.ask("ECHO", str(number)) for number in range(500)]
    asked[7].cancel()  # its answer must not be taken for the next one's
    moved = line.transact(("SET", "line:a", 1), ("INCR", "line:a"), ("GET", "line:a"))
    after = line.ask("ECHO", "last")
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [a for n, a in enumerate(answers) if n != 7] == [
        str(n).encode() for n in range(500) if n != 7
    ]
    assert await moved == [b"OK", 2, b"2"]
    assert await after == b"last"
    assert line.silent_s == 0.0


async def test_a_transaction_with_a_mistake_does_nothing_and_harms_no_other(
    line: RedisLine,
) -> None:
    await line.ask("DEL", "line:b")
    broken = line.transact(("SET", "line:b", 1), ("NOSUCHCOMMAND",))
    good = line.ask("GET", "line:b")
    with pytest.raises(ResponseError):
        await broken
    assert await good is None


async def test_a_waiting_reader_gets_what_another_line_writes(
    line: RedisLine, valkey: TestValkey
) -> None:
    redis = connect_redis(valkey.url)
    me = await line.ask("CLIENT", "ID")
    assert isinstance(me, int)
    waits = line.ask("XREAD", "BLOCK", 5000, "STREAMS", "line:s", "$")
    await until_it_waits(redis, me)
    await redis.xadd("line:s", {"m": "你好"})
    [entry] = entries_of(await waits)
    assert entry.fields == {b"m": "你好".encode()}
    assert entries_of(await line.ask("XREAD", "BLOCK", 1, "STREAMS", "line:s", "$")) == []
    await redis.aclose()


async def until_it_waits(redis: Redis, client: int) -> None:
    """This client, and not one that an ended test has left."""
    async with asyncio.timeout(5):
        while "b" not in (await redis.client_list(client_id=[client]))[0]["flags"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_what_is_not_answered_fails_when_the_line_ends(line: RedisLine) -> None:
    waits = line.ask("BLPOP", "line:never", 0)
    line.close()
    with pytest.raises(RedisConnectionError):
        await waits
    with pytest.raises(RedisConnectionError):
        await line.ask("PING")
    await line.open()
    assert await line.ask("PING") == b"PONG"


async def test_too_many_questions_are_refused(
    line: RedisLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_line, "MOST_UNANSWERED", 10)
    asked = [line.ask("PING") for _ in range(10)]
    with pytest.raises(RedisConnectionError):
        await line.ask("PING")
    await asyncio.gather(*asked)
    assert await line.ask("PING") == b"PONG"


async def test_a_stranger_on_redis_port_ends_the_line() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    redis = connect_redis(f"redis://:x@127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    line = RedisLine(redis)
    with pytest.raises(RedisConnectionError):
        await line.open()
    assert not line.is_open
    server.close()
    await redis.aclose()
