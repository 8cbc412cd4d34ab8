"""AudioSocket: frames cut anywhere, garbage, floods, too many at once."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import audio
from telephony.audio import AudioLeg, AudioListener, LegEnd
from telephony.audio_wire import AudioMessage, AudioSocketParser, NotAudio, Sound, StreamNamed

HOST = "127.0.0.1"
ID = uuid4()
SOUND = bytes(range(256)) + bytes(64)


def frame(kind: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BH", kind, len(payload)) + payload


def named(stream: UUID = ID) -> bytes:
    return frame(0x01, stream.bytes)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 — the state has no event to wait for
            await asyncio.sleep(0.01)


class Legs:
    """Takes legs and keeps what came of them."""

    def __init__(self) -> None:
        self.begun: list[AudioLeg] = []
        self.ended: list[AudioLeg] = []
        self.heard: dict[str, bytes] = {}

    async def take(self, leg: AudioLeg) -> None:
        self.begun.append(leg)
        async for sound in leg.sound():
            self.heard[leg.stream] = self.heard.get(leg.stream, b"") + sound.pcm16
        self.ended.append(leg)


@asynccontextmanager
async def listening(legs: Legs, most: int = 4) -> AsyncIterator[AudioListener]:
    listener = AudioListener(legs.take, connections_most=most)
    await listener.start(HOST, 0)
    try:
        yield listener
    finally:
        await listener.close()


@asynccontextmanager
async def connected(
    listener: AudioListener,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, listener.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def parse(data: bytes, piece: int) -> list[AudioMessage]:
    parser = AudioSocketParser()
    found: list[AudioMessage] = []
    for at in range(0, len(data), piece):
        found += parser.feed(data[at : at + piece])
    return found


@given(st.integers(1, 400))
def test_frames_may_be_cut_anywhere(piece: int) -> None:
    data = named() + frame(0x10, SOUND) + frame(0x03, b"1") + frame(0x10, b"") + frame(0x10, SOUND)
    assert parse(data, piece) == [
        StreamNamed(parse(named(), 99)[0].stream),  # type: ignore[union-attr]
        Sound(SOUND, 8000),
        Sound(b"", 8000),
        Sound(SOUND, 8000),
    ]


@given(st.binary(max_size=600), st.booleans())
def test_no_bytes_make_the_parser_fail_otherwise(noise: bytes, has_name: bool) -> None:
    try:
        parse((named() if has_name else b"") + noise, 7)
    except NotAudio:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        frame(0x10, SOUND),
        frame(0x01, b"short"),
        named() + named(),
        named() + frame(0x10, b"odd"),
        named() + frame(0x10, SOUND) + frame(0x12, SOUND),
        named() + frame(0x77, b"?"),
        named() + frame(0xFF, b"\x01"),
    ],
    # Names of our own: two lanes must collect the same, and the call's name is made anew in each.
    ids=["http", "no name", "short name", "two names", "odd", "both", "unknown", "error"],
)
def test_what_is_not_the_protocol_is_refused(data: bytes) -> None:
    with pytest.raises(NotAudio):
        parse(data, 1000)


async def test_a_leg_is_heard_whole_until_asterisk_hangs_up() -> None:
    legs = Legs()
    async with listening(legs) as listener:
        async with connected(listener) as (_, writer):
            writer.write(named() + frame(0x10, SOUND) * 3)
            await writer.drain()
            await until(lambda: legs.heard.get(str(ID)) == SOUND * 3)
        await until(lambda: len(legs.ended) == 1)
        assert legs.ended[0].end is LegEnd.CLOSED
        assert legs.ended[0].bytes_received == 3 * len(SOUND)
        await until(lambda: listener.connections == 0)


async def test_sound_that_comes_with_the_hangup_is_heard() -> None:
    legs = Legs()
    async with listening(legs) as listener, connected(listener) as (_, writer):
        writer.write(named() + frame(0x10, SOUND) + frame(0x00))
        await until(lambda: len(legs.ended) == 1)
        assert legs.heard[str(ID)] == SOUND


async def test_a_little_silence_goes_back_until_the_leg_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audio, "SILENCE_EVERY_S", 0.05)
    legs = Legs()
    async with listening(legs) as listener, connected(listener) as (reader, writer):
        writer.write(named())
        async with asyncio.timeout(5):
            assert await reader.readexactly(2 * 323) == frame(0x10, bytes(320)) * 2
            writer.write(frame(0x00))
            assert set(await reader.read()) <= {0x10, 0x00, 0x01, 0x40}
        await until(lambda: listener.connections == 0)


async def test_garbage_ends_its_own_connection_only() -> None:
    legs = Legs()
    async with (
        listening(legs) as listener,
        connected(listener) as (_, good),
        connected(listener) as (bad_reader, bad),
        connected(listener) as (web_reader, web),
    ):
        good.write(named())
        bad.write(named(uuid4()) + frame(0x10, SOUND))
        await until(lambda: len(legs.begun) == 2)
        bad.write(b"\x99garbage")
        web.write(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(5):
            assert await bad_reader.read() == b""
            assert await web_reader.read() == b""
        good.write(frame(0x10, SOUND))
        await until(lambda: legs.heard.get(str(ID)) == SOUND)
        await until(lambda: [leg.end for leg in legs.ended] == [LegEnd.GARBAGE])


async def test_a_flood_ends_its_own_connection() -> None:
    legs = Legs()
    second = frame(0x10, bytes(16_000))
    async with listening(legs) as listener, connected(listener) as (reader, writer):
        writer.write(named() + second * 60)
        async with asyncio.timeout(5):
            # A reset is as good: the port closed with sound still unread.
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        await until(lambda: len(legs.ended) == 1)
        assert legs.ended[0].end is LegEnd.FLOOD


async def test_one_connection_too_many_is_closed_at_once() -> None:
    legs = Legs()
    async with listening(legs, most=1) as listener, connected(listener) as (_, first):
        first.write(named())
        await until(lambda: len(legs.begun) == 1)
        async with connected(listener) as (reader, _), asyncio.timeout(5):
            assert await reader.read() == b""
        assert listener.turned_away == 1
        assert len(legs.begun) == 1


async def test_a_connection_that_never_says_who_it_is_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audio, "NAME_TIMEOUT_S", 0.1)
    legs = Legs()
    async with listening(legs) as listener, connected(listener) as (reader, writer):
        writer.write(named()[:10])
        async with asyncio.timeout(5):
            assert await reader.read() == b""
    assert legs.begun == []


async def test_a_silent_connection_is_reported_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "STALL_S", 0.05)
    legs = Legs()
    async with listening(legs) as listener, connected(listener) as (_, writer):
        writer.write(named())
        await until(lambda: bool(legs.begun))
        quiet_s: list[float] = []
        flows: list[bool] = []
        leg = legs.begun[0]
        leg.on_quiet, leg.on_flow = quiet_s.append, lambda: flows.append(True)
        await until(lambda: len(quiet_s) >= 3)
        assert (leg.stalls, leg.is_quiet, flows) == (1, True, [])
        assert quiet_s == sorted(quiet_s)
        writer.write(frame(0x10, SOUND))
        await until(lambda: legs.heard.get(str(ID)) == SOUND)
        assert flows == [True]
        assert legs.ended == []


async def test_closing_the_port_closes_the_connections() -> None:
    legs = Legs()
    async with listening(legs) as listener, connected(listener) as (reader, writer):
        writer.write(named())
        await until(lambda: len(legs.begun) == 1)
        await listener.close()
        async with asyncio.timeout(5):
            assert await reader.read() == b""
