"""Plays each kind of call on a real Asterisk and records the manager's stream, to test replay with.

    python -m tests.asterisk.journey_scenes FOLDER [SCENE …]

writes ``FOLDER/SCENE.ami`` for each scene (all of them by default) and Asterisk's own books. The
dialplan is the product's, with extensions of its own added: every number and name is invented.
"""

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from telephony import process
from telephony.books import CDR, CEL, QUEUE_LOG
from telephony.config import render
from telephony.phone import Phone, PhoneCall, answer_after, reject_with, sip
from telephony.tree import ensure_tree
from tests.asterisk.people import People
from tests.asterisk.switch import Switch, make_config, until, write_prompts

REPOSITORY: Final = Path(__file__).resolve().parents[2]
TOOLS: Final = Path(os.environ.get("HOTLINE_TOOLS") or REPOSITORY / ".hotline" / "tools")
SCENE_TIMEOUT_S: Final = 40.0

EXTENSIONS: Final = """
[from-agent](+)
include => lab
[from-trunk](+)
include => lab
[lab]
exten => 6001,1,Answer()
 same => n,Queue(sales,t,,,2)
 same => n,Queue(hotline,t,,,10)
 same => n,Hangup()
exten => 6500,1,Queue(hotline,tk,,,20)
 same => n,Hangup()
exten => 6600,1,Queue(sales,tk,,,20)
 same => n,Hangup()
exten => _700X,1,Dial(PJSIP/100${EXTEN:3},20,tTkK)
 same => n,Hangup()
exten => 7012,1,Dial(PJSIP/1001&PJSIP/1002,20,tT)
 same => n,Hangup()
exten => 7101,1,Dial(PJSIP/1001,2)
 same => n,Dial(PJSIP/1002,20)
 same => n,Hangup()
exten => 7200,1,Dial(Local/7002@lab/n,20,tT)
 same => n,Hangup()
exten => 7201,1,Dial(Local/7002@lab,20,tT)
 same => n,Hangup()
exten => 7301,1,Dial(PJSIP/1001,20)
 same => n,Hangup()
exten => 7302,1,Dial(PJSIP/1001,2)
 same => n,Busy(2)
exten => 7404,1,Hangup(1)
exten => 7405,1,Congestion(2)
exten => 7406,1,Dial(PJSIP/nobody,10)
 same => n,Hangup()
exten => 8002,1,PickupChan(PJSIP/1001)
 same => n,Hangup()
"""
QUEUES: Final = """
[sales]
strategy = ringall
timeout = 5
retry = 1
joinempty = yes
member => Local/7002@lab/n,0,Sales One,PJSIP/1002
"""
ACCOUNT: Final = ("recorder", "secret-of-the-recorder")
MANAGER: Final = f"""
[{ACCOUNT[0]}]
secret = {ACCOUNT[1]}
permit = 127.0.0.1/32
read = all
write = all
"""
MODULES: Final = "load = app_directed_pickup.so\nload = cel_manager.so\n"


class Recorder:
    """A manager client that hears everything and keeps the bytes."""

    def __init__(self, port: int) -> None:
        self.heard = bytearray()
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._reading = asyncio.create_task(self._read())
        self.send("Login", Username=ACCOUNT[0], Secret=ACCOUNT[1])
        await until(lambda: b"FullyBooted" in self.heard, why="login")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._writer.close()

    async def _read(self) -> None:
        while data := await self._reader.read(65536):
            self.heard += data

    def send(self, action: str, **headers: str) -> None:
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in headers.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def channel(self, prefix: str) -> str:
        """The newest channel whose name begins so."""
        pattern = rb"Event: Newchannel\r\n(?:.+\r\n)*?Channel: (%s[^\r]*)" % prefix.encode()
        newest: bytes = re.findall(pattern, self.heard)[-1]
        return newest.decode()

    def atxfer(self, channel: str, exten: str) -> None:
        self.send("Atxfer", Channel=self.channel(channel), Exten=exten, Context="from-agent")


Scene = Callable[[People, Recorder], Awaitable[None]]
SCENES: dict[str, Scene] = {}


def scene(play: Scene) -> Scene:
    SCENES[getattr(play, "__name__", "")] = play
    return play


async def a_while(seconds: float = 0.5) -> None:
    """People take their time, so that the instants of a recording can be told apart."""
    await asyncio.sleep(seconds)


async def direct(
    people: People, *, number: str = "7001", answers: bool = True
) -> tuple[Phone, PhoneCall, PhoneCall]:
    """A citizen calls 1001: the citizen's phone, its call, the agent's call."""
    citizen, agent = await people.citizen(name="Zhang San"), await people.agent("1001")
    call = await citizen.call(number)
    ring = await agent.until_ringing(5)
    if answers:
        await a_while(0.3)
        await ring.answer()
        await call.until_answered(5)
        await a_while()
    return citizen, call, ring


async def willing(people: People, name: str) -> Phone:
    agent = await people.agent(name)
    agent.on_ring(answer_after(0.3))
    return agent


async def busy(people: People, name: str) -> Phone:
    agent = await people.agent(name)
    agent.on_ring(reject_with(486))
    return agent


async def dial(call: PhoneCall, digits: str) -> None:
    for digit in digits:
        call.send_digit(digit)
        await a_while(0.35)


async def ends(call: PhoneCall, after_s: float = 0.5) -> None:
    await a_while(after_s)
    await call.hangup()


@scene
async def direct_answered(people: People, recorder: Recorder) -> None:
    _, call, _ = await direct(people)
    await ends(call)


@scene
async def direct_abandoned(people: People, recorder: Recorder) -> None:
    _, call, _ = await direct(people, answers=False)
    await ends(call)


@scene
async def direct_busy(people: People, recorder: Recorder) -> None:
    await busy(people, "1001")
    await ends(await (await people.citizen()).call("7301"), 1)


@scene
async def direct_noanswer(people: People, recorder: Recorder) -> None:
    await people.agent("1001")
    await ends(await (await people.citizen()).call("7301"), 3)


@scene
async def dialplan_busy(people: People, recorder: Recorder) -> None:
    await people.agent("1001")
    await ends(await (await people.citizen()).call("7302"), 4.5)


@scene
async def failed(people: People, recorder: Recorder) -> None:
    citizen = await people.citizen()
    for number in ("7404", "7405", "7406"):
        await ends(await citizen.call(number), 2.5)


@scene
async def agent_to_agent(people: People, recorder: Recorder) -> None:
    agent = await people.agent("1001")
    await willing(people, "1002")
    await agent.call("1002")
    await a_while(1)
    recorder.send("Hangup", Channel=recorder.channel("PJSIP/1001"), Cause="16")


@scene
async def hold(people: People, recorder: Recorder) -> None:
    _, _, ring = await direct(people)
    await ring.hold(True)
    await a_while()
    await ring.hold(False)
    await ends(ring)


@scene
async def blind_refer(people: People, recorder: Recorder) -> None:
    _, call, ring = await direct(people)
    await willing(people, "1002")
    await ring.refer("1002")
    await ends(call, 1.5)


@scene
async def blind_refer_noanswer(people: People, recorder: Recorder) -> None:
    _, call, ring = await direct(people)
    await people.agent("1002")
    await ring.refer("1002")
    await ends(call, 1)


@scene
async def blind_refer_busy(people: People, recorder: Recorder) -> None:
    _, call, ring = await direct(people)
    await busy(people, "1002")
    await ring.refer("1002")
    await ends(call, 1.5)


@scene
async def blind_dtmf(people: People, recorder: Recorder) -> None:
    _, call, ring = await direct(people)
    await willing(people, "1002")
    await dial(ring, "##1002")
    await ends(call, 7)


@scene
async def blind_ami(people: People, recorder: Recorder) -> None:
    _, call, _ = await direct(people)
    await willing(people, "1002")
    channel = recorder.channel("PJSIP/1001")
    recorder.send("BlindTransfer", Channel=channel, Exten="7002", Context="lab")
    await ends(call, 2)


@scene
async def redirected(people: People, recorder: Recorder) -> None:
    _, call, _ = await direct(people)
    await willing(people, "1002")
    channel = recorder.channel("PJSIP/trunk")
    recorder.send("Redirect", Channel=channel, Exten="7002", Context="lab", Priority="1")
    await ends(call, 2)


@scene
async def attended_dtmf(people: People, recorder: Recorder) -> None:
    _, call, ring = await direct(people)
    await willing(people, "1002")
    await dial(ring, "*21002")
    await ends(ring, 7)
    await ends(call, 1)


@scene
async def attended_ami(people: People, recorder: Recorder) -> None:
    _, call, ring = await direct(people)
    await willing(people, "1002")
    recorder.atxfer("PJSIP/1001", "1002")
    await ends(ring, 2.5)
    await ends(call, 1)


@scene
async def attended_target_declines(people: People, recorder: Recorder) -> None:
    _, call, _ = await direct(people)
    await busy(people, "1002")
    recorder.atxfer("PJSIP/1001", "1002")
    await ends(call, 3)


@scene
async def attended_target_leaves(people: People, recorder: Recorder) -> None:
    """The target talks and hangs up; the agent goes back to the citizen."""
    _, call, _ = await direct(people)
    target = await people.agent("1002")
    recorder.atxfer("PJSIP/1001", "1002")
    consulted = await target.until_ringing(6)
    await consulted.answer()
    await ends(consulted, 1)
    await ends(call, 2)


@scene
async def attended_caller_leaves(people: People, recorder: Recorder) -> None:
    """The citizen hangs up while the agent consults."""
    _, call, ring = await direct(people)
    target = await people.agent("1002")
    recorder.atxfer("PJSIP/1001", "1002")
    consulted = await target.until_ringing(6)
    await consulted.answer()
    await ends(call, 1)
    await ends(ring, 1.5)


@scene
async def attended_early(people: People, recorder: Recorder) -> None:
    """The agent hangs up while the target still rings; the target answers the citizen."""
    _, call, ring = await direct(people)
    target = await people.agent("1002")
    recorder.atxfer("PJSIP/1001", "1002")
    consulted = await target.until_ringing(6)
    await ends(ring)
    await a_while(0.7)
    await consulted.answer()
    await ends(call, 1)


@scene
async def pickup(people: People, recorder: Recorder) -> None:
    _, call, _ = await direct(people, answers=False)
    await (await people.agent("1002")).call("8002")
    await ends(call, 2)


@scene
async def forward_302(people: People, recorder: Recorder) -> None:
    agent, citizen = await people.agent("1001"), await people.citizen()
    await willing(people, "1002")

    async def move(ring: PhoneCall) -> None:
        invite, line = ring._invite, ring._line
        assert invite is not None
        moved = sip.respond(invite, 302, "Moved", to_tag=sip.new_tag())
        moved.headers.append(("contact", f"<sip:7002@{recorder_host}>"))
        line.send(moved)
        ring._end(302, by_us=True)

    recorder_host = "127.0.0.1"
    agent.on_ring(move)
    await ends(await citizen.call("7001"), 3)


@scene
async def forward_local(people: People, recorder: Recorder) -> None:
    await willing(people, "1002")
    await ends(await (await people.citizen()).call("7200"), 2)


@scene
async def forward_local_optimised(people: People, recorder: Recorder) -> None:
    await willing(people, "1002")
    await ends(await (await people.citizen()).call("7201"), 2.5)


@scene
async def forward_next(people: People, recorder: Recorder) -> None:
    await people.agent("1001")
    await willing(people, "1002")
    await ends(await (await people.citizen()).call("7101"), 4)


@scene
async def ring_group(people: People, recorder: Recorder) -> None:
    await people.agent("1001")
    await willing(people, "1002")
    await ends(await (await people.citizen()).call("7012"), 2)


@scene
async def originated(people: People, recorder: Recorder) -> None:
    agent = await willing(people, "1001")
    await willing(people, "1002")
    recorder.send(
        "Originate",
        Channel="PJSIP/1001",
        Exten="1002",
        Context="from-agent",
        Priority="1",
        Async="true",
        CallerID="Callback <12345>",
    )
    await a_while(2.5)
    await agent.calls[0].hangup()


@scene
async def originated_local(people: People, recorder: Recorder) -> None:
    agent = await willing(people, "1001")
    await willing(people, "1002")
    recorder.send(
        "Originate",
        Channel="Local/7001@lab",
        Exten="7002",
        Context="lab",
        Priority="1",
        Async="true",
        CallerID="Callback <12345>",
    )
    await a_while(3)
    await agent.calls[0].hangup()


@scene
async def originated_busy(people: People, recorder: Recorder) -> None:
    await busy(people, "1001")
    recorder.send(
        "Originate",
        Channel="PJSIP/1001",
        Exten="1002",
        Context="from-agent",
        Priority="1",
        Async="true",
    )
    await a_while(1.5)


@scene
async def two_queues(people: People, recorder: Recorder) -> None:
    await willing(people, "1001")
    await ends(await (await people.citizen()).call("6001"), 5)


@scene
async def queue_abandoned(people: People, recorder: Recorder) -> None:
    await people.agent("1001")
    await ends(await (await people.citizen()).call("6001"), 3.5)


@scene
async def queue_local_member(people: People, recorder: Recorder) -> None:
    await willing(people, "1002")
    await ends(await (await people.citizen()).call("6600"), 3)


@scene
async def queue_blind_to_queue(people: People, recorder: Recorder) -> None:
    agent, citizen = await people.agent("1001"), await people.citizen()
    call = await citizen.call("6500")
    ring = await agent.until_ringing(10)
    await ring.answer()
    await willing(people, "1002")
    await a_while(1)
    await ring.refer("6600")
    await ends(call, 3)


@scene
async def queue_attended(people: People, recorder: Recorder) -> None:
    agent, citizen = await people.agent("1001"), await people.citizen()
    call = await citizen.call("6500")
    ring = await agent.until_ringing(10)
    await ring.answer()
    await willing(people, "1003")
    await a_while(1)
    recorder.atxfer("PJSIP/1001", "1003")
    await ends(ring, 2.5)
    await ends(call, 1)


async def record(folder: Path, names: list[str]) -> None:
    """Play the scenes one after the other; a scene that fails is told of and left out."""
    with tempfile.TemporaryDirectory(prefix="hotline-scenes-") as home:
        config, admission, emergency = make_config(
            ensure_tree(TOOLS / "asterisk"), Path(home), system_name="t"
        )
        write_prompts(config.prompts_dir)
        some_prompt = next(config.prompts_dir.rglob("*.wav"))
        for missing in ("pbx-transfer", "pbx-invalid", "beep", "beeperr"):
            shutil.copy(some_prompt, config.prompts_dir / f"{missing}.wav")
        render(config)
        _extend(config.etc)
        running = process.start(config)
        switch = Switch(config, running, admission, emergency)
        try:
            for name in names:
                await _play(switch, name, folder)
            for book in (CEL, CDR, QUEUE_LOG):
                shutil.copy(config.log_dir / book.path, folder)
        finally:
            process.stop(config)


def _extend(etc: Path) -> None:
    added = {"extensions": EXTENSIONS, "queues": QUEUES, "manager": MANAGER, "modules": MODULES}
    for name, text in added.items():
        with (etc / f"{name}.conf").open("a", encoding="utf-8") as file:
            file.write(text)


async def _play(switch: Switch, name: str, folder: Path) -> None:
    async with Recorder(switch.ami_port) as recorder, AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(SCENE_TIMEOUT_S):
                await SCENES[name](People(switch, stack), recorder)
                await until(lambda: not switch.channels(), timeout_s=8)
                await a_while(0.2)
        except Exception as error:
            print(f"{name}: FAILED {error!r} {switch.channels()}", flush=True)
            switch.cli("channel request hangup all")
            return
        (folder / f"{name}.ami").write_bytes(bytes(recorder.heard))
        print(f"{name}: {len(recorder.heard)} bytes", flush=True)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(record(target, sys.argv[2:] or list(SCENES)))
