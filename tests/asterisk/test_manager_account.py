"""What the product's manager account may do, and what nobody else may."""

import asyncio
import uuid

import pytest

from telephony.phone import CallState, answer_after, load_sound
from tests.asterisk.manager import BareManager
from tests.asterisk.people import CITIZEN_HZ, People, voice
from tests.asterisk.switch import Switch, hears, until, until_heard

UUID_FRAME, SOUND_FRAME = 0x01, 0x10
ONE_SECOND = 16_000


async def test_wrong_password_is_refused(asterisk: Switch) -> None:
    async with BareManager(asterisk.ami_port) as client:
        reply = await client.login("wrong-password")
        assert reply == {"Response": "Error", "Message": "Authentication failed"}


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("Command", {"Command": "core show version"}),
        ("Reload", {}),
        ("UpdateConfig", {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"}),
        ("DialplanExtensionAdd", {"Context": "hotline", "Extension": "1", "Priority": "1"}),
        ("DBPut", {"Family": "a", "Key": "b", "Val": "c"}),
        ("ModuleLoad", {"Module": "app_system.so", "LoadType": "load"}),
    ],
)
async def test_account_cannot_change_the_switch(
    manager: BareManager, action: str, fields: dict[str, str]
) -> None:
    reply = await manager.action(action, **fields)
    assert reply["Response"] == "Error"


async def test_account_cannot_run_a_program(manager: BareManager) -> None:
    reply = await manager.action(
        "Originate", Channel="Local/s@entry", Application="System", Data="true"
    )
    assert reply["Response"] == "Error"


async def test_account_pauses_members_and_reads_the_switch(
    manager: BareManager, asterisk: Switch
) -> None:
    for paused in ("true", "false"):
        reply = await manager.action("QueuePause", Interface="PJSIP/1001", Paused=paused)
        assert reply["Response"] == "Success"

    def told() -> list[str]:
        return [each["Paused"] for each in manager.named("QueueMemberPause", Queue="hotline")]

    await until(lambda: told() == ["1", "0"], why="both are told of")
    for action in ("QueueStatus", "CoreShowChannels", "DeviceStateList", "CoreStatus", "Ping"):
        assert (await manager.action(action))["Response"] == "Success", action


async def test_each_leg_is_forked_to_the_speech_server(
    people: People, manager: BareManager
) -> None:
    frames: dict[str, bytes] = {}
    ended = asyncio.Semaphore(0)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = ""
        try:
            while header := await reader.readexactly(3):
                body = await reader.readexactly(int.from_bytes(header[1:]))
                if header[0] == UUID_FRAME:
                    stream = str(uuid.UUID(bytes=body))
                elif header[0] == SOUND_FRAME:
                    frames[stream] = frames.get(stream, b"") + body
        except asyncio.IncompleteReadError:
            ended.release()
        finally:
            writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    call = await (await people.citizen()).call("12345")
    taken = await agent.until_ringing(8)
    await taken.until(CallState.UP, timeout_s=5)
    connect = await manager.until("AgentConnect")
    streams = {leg: str(uuid.uuid4()) for leg in ("Uniqueid", "DestUniqueid")}
    for leg, stream in streams.items():
        reply = await manager.action(
            "Originate",
            Channel=f"AudioSocket/127.0.0.1:{port}/{stream}",
            Application="ChanSpy",
            Data=f"{connect[leg]},uqoES",
            Async="true",
            Timeout="3000",
            Variable="CDR_PROP(disable)=1",
        )
        assert reply["Response"] == "Success"
    call.play(voice(CITIZEN_HZ))
    await until_heard(taken, CITIZEN_HZ)
    citizen_leg, agent_leg = streams["Uniqueid"], streams["DestUniqueid"]
    await until(lambda: hears(load_sound(frames.get(citizen_leg, b"")), CITIZEN_HZ))
    await until(lambda: len(frames.get(agent_leg, b"")) > ONE_SECOND)
    assert not hears(load_sound(frames[agent_leg]), CITIZEN_HZ)
    await call.hangup()
    for _ in streams:  # both forks end with the call
        await asyncio.wait_for(ended.acquire(), 5)
    server.close()
    await server.wait_closed()
