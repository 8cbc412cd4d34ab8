"""``./hotline record`` on a real Asterisk: the file replays, and nobody is in it."""

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace

from server.commands.record import Recording, record
from server.settings import Settings
from telephony.phone import answer_after
from telephony.replay import replay
from tests.asterisk.people import People
from tests.asterisk.switch import Switch, until


async def test_recording_of_a_call_replays_and_names_nobody(
    people: People, asterisk: Switch, make_settings: Callable[..., Settings]
) -> None:
    made = make_settings()
    settings = replace(made, ports=replace(made.ports, ami=asterisk.ami_port))
    settings.secrets_dir.mkdir(mode=0o700)
    (settings.secrets_dir / "ami").write_text(asterisk.secret)
    file = io.BytesIO()
    recording = Recording(file)
    recorder = asyncio.create_task(record(settings, recording, seconds=60))
    await until(lambda: recording.messages, why="the recorder is logged in")
    agent, citizen = await people.agent("1001"), await people.citizen("13800000001", name="王小明")
    agent.on_ring(answer_after(0.2))
    call = await citizen.call("12345")
    ringing = await agent.until_ringing(10)
    await ringing.until_answered(5)
    # The telephone's answer and the caller's end go to Asterisk by two ways: one may overtake.
    await until(lambda: b"AgentConnect" in file.getvalue(), why="Asterisk has taken the answer")
    await call.hangup()
    await until(lambda: replay([file.getvalue()]).calls[0].ended_at, why="the end is recorded")
    recorder.cancel()
    await asyncio.gather(recorder, return_exceptions=True)
    data = file.getvalue()
    (told,) = replay([data]).calls
    assert (told.outcome.value, told.called, told.agent) == ("answered", "12345", "1001")
    assert len(told.caller) == 11
    for secret in (b"13800000001", "王小明".encode(), b"%E7%8E", asterisk.secret.encode()):
        assert secret not in data
