"""A call that speech recognition had no room for gets its words after the call."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from redis.asyncio import Redis

from base.ids import CallId, StreamId
from server.connections import redis_url
from server.demo.one_call import confirm, play_call
from server.demo.people import People
from server.redis_client import connect_redis
from server.settings import Settings
from server.streams import get_bytes
from tests.system.product import Product, character_errors, voice
from tests.system.test_whole_way import COMPLAINTS, ready
from transcription.draft_ticket import Speaker
from transcription.wire import SPEECH_ROLE_KEY, Fork, decode_role_state, encode, fork_key


@asynccontextmanager
async def no_room(settings: Settings) -> AsyncIterator[None]:
    """Other people's streams hold every place in the decoders."""
    redis = connect_redis(redis_url(settings))
    lines: list[asyncio.StreamWriter] = []
    try:
        async with asyncio.timeout(30):
            while not await has_no_room(redis):
                stream = StreamId(str(uuid4()))
                fork = Fork(call=CallId("others-1.1"), speaker=Speaker.CITIZEN)
                await redis.set(fork_key(stream), encode(fork), ex=60)
                _, line = await asyncio.open_connection("127.0.0.1", settings.ports.audio)
                lines.append(line)
                line.write(struct.pack(">BH", 0x01, 16) + bytes.fromhex(stream.replace("-", "")))
                line.write(struct.pack(">BH", 0x10, 320) + bytes(320))
                if len(lines) % 8 == 0:
                    await asyncio.sleep(3.5)  # the role tells its load every 3 s
        yield
    finally:
        for line in lines:
            line.close()
        await redis.aclose()


async def has_no_room(redis: Redis) -> bool:
    raw = await get_bytes(redis, SPEECH_ROLE_KEY)
    role = None if raw is None else decode_role_state(raw)
    return role is not None and role.streams == role.capacity > 0


async def test_a_refused_call_gets_its_words_from_the_recording_while_it_is_wrapped_up(
    product: Product,
) -> None:
    async with (
        product.phones("1001") as phones,
        product.citizen("13800138009") as citizen,
        product.desk("1001") as desk,
    ):
        await ready(desk)
        everybody = People(citizen=citizen, agent=phones["1001"], exchange=phones["1001"])
        async with no_room(product.settings):
            sound = voice(product.settings, "c04")
            call, _watch = await play_call(product.settings, everybody, desk, sound)
            assert desk.view is not None
            assert desk.view.call is not None
            assert (desk.view.call.speech, desk.view.lines) == ("refused", [])
        view = await desk.until(
            lambda v: v.call is not None and v.call.speech == "ended", "the words", timeout_s=40
        )
        said = {
            speaker: "".join(line.text for line in view.lines if line.speaker == speaker)
            for speaker in ("citizen", "agent")
        }
        assert character_errors(COMPLAINTS["c04"], said["citizen"]) < 0.1
        assert said["agent"]
        assert view.draft is not None
        assert "demand" in view.draft.fields
        ticket = await confirm(desk, view)
        assert ticket is not None
        found = await desk.request("GET", f"/api/tickets/{ticket['number']}")
        assert isinstance(found["call"], dict)
        stored = "".join(
            t["text"] for t in found["call"]["transcript"] if t["speaker"] == "citizen"
        )
        assert (found["call"]["facts"]["call"], stored) == (call, said["citizen"])
