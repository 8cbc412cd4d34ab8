"""``hotline demo``: the whole hotline on one machine, with a citizen who calls and speaks."""

import argparse
import asyncio
import contextlib
import itertools
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec

from base.errors import HotlineError, SetupError
from base.task_set import TaskSet
from server.commands.up import (
    bring_up_services,
    console_address,
    start_detached,
    wait_until_healthy,
)
from server.demo.desk_client import DeskClient, DeskError
from server.demo.log_watch import LogWatch
from server.demo.narrator import Narrator
from server.demo.one_call import confirm, play_call, report
from server.demo.people import People, people
from server.demo.report import CallReport
from server.demo.sentences import complaints, spoken
from server.installation import Installation
from server.processes import running, stop_roles
from server.push.protocol import DeskEvent
from server.secrets_store import secrets_of
from server.settings import Settings
from server.settings_loader import load_settings
from server.setup.models import ensure_demo_voices
from server.setup.steps import prepare
from telephony.phone.sound import RATE_HZ, Sound
from transcription.audio_file import AudioFileUnreadable, read_wav
from transcription.sound import resample, to_float, to_pcm16

CALLER_NUMBER = "13800138000"
NEXT_CALL_S = 60.0
AGENT_PATIENCE_S = 45.0
"""How long the demo leaves a finished draft to the person at the browser before confirming it."""
MODEL_KNOWN_S = 10.0
SUPERVISOR_GRACE_S = 15.0
SILENCE = "silence"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("demo", help="the main job: a citizen calls and speaks")
    parser.add_argument("--once", action="store_true", help="play one call to the end and exit")
    parser.add_argument("--json", action="store_true", help="with --once: print one JSON object")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--say", metavar="ID", help=f"what the citizen says: c01 … c12, or {SILENCE}")
    what.add_argument("--wav", metavar="FILE", type=Path, help="a recording the citizen plays")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = load_settings()
    sounds = _sounds(args, settings)
    prepare(settings, _say)
    ensure_demo_voices(settings, _say)
    was_up = running(settings, "supervisor") is not None
    # A closed terminal ends the demo as Ctrl-C does: nothing may be left running by accident.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    installation = _up(settings, was_up=was_up)
    try:
        if args.once:
            result = asyncio.run(_once(settings, next(sounds), is_told=not args.json))
            print(_json(result) if args.json else _summary(result))
        else:
            asyncio.run(_keep_calling(settings, sounds))
    except KeyboardInterrupt:
        return 130 if args.once else 0
    finally:
        if installation is not None:
            _down(settings, installation)
    return 0


def _sounds(args: argparse.Namespace, settings: Settings) -> Iterator[Sound | None]:
    """What the citizens of the following calls say; None is silence."""
    if args.wav is not None:
        return itertools.repeat(_recording(args.wav))
    if args.say == SILENCE:
        return itertools.repeat(None)
    if args.say is not None:
        if args.say not in complaints():
            known = ", ".join(complaints())
            raise SetupError(f"nobody says {args.say!r}", fix=f"one of: {known}, {SILENCE}")
        return itertools.repeat(spoken(settings, args.say))
    return itertools.cycle(spoken(settings, name) for name in complaints())


def _recording(file: Path) -> bytes:
    """A person's own WAV file as the telephone plays it; any common coding and rate."""
    try:
        recording = read_wav(file)
    except AudioFileUnreadable as error:
        raise SetupError(str(error), fix="give a whole WAV file: PCM, A-law or µ-law") from error
    sound = to_float(recording.pcm16)
    return to_pcm16(resample(sound, recording.rate_hz, RATE_HZ))


def _up(settings: Settings, *, was_up: bool) -> Installation | None:
    """Start the product unless it runs; what we started is ours to stop."""
    if was_up:
        wait_until_healthy(settings)
        return None
    installation = bring_up_services(settings, _say)
    try:
        start_detached(settings)
        wait_until_healthy(settings)
    except BaseException:
        _down(settings, installation)
        raise
    return installation


def _down(settings: Settings, installation: Installation) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # an impatient second Ctrl-C would leave a half
    _say("\nstopping what the demo started …")
    if supervisor := running(settings, "supervisor"):
        supervisor.stop(grace_s=SUPERVISOR_GRACE_S)
    stop_roles(settings)
    installation.stop(_say)


async def _once(settings: Settings, sound: Sound | None, *, is_told: bool) -> CallReport:
    agent = settings.agents[0]
    narrator = Narrator(_say)
    async with people(settings, agent, CALLER_NUMBER) as everybody, _desk(settings, agent) as desk:
        await _free(desk)
        narrator.calls(sound)
        async with _told(settings, desk, narrator if is_told else None):
            return await _one_call(settings, everybody, desk, sound)


async def _one_call(
    settings: Settings, everybody: People, desk: DeskClient, sound: Sound | None
) -> CallReport:
    _call, watch = await play_call(settings, everybody, desk, sound)
    view = desk.view
    assert view is not None
    ticket = await confirm(desk, view)
    watch.mark("ticket")
    return report(desk, view, watch, ticket, is_demo_model=await _is_demo_model(settings, desk))


async def _keep_calling(settings: Settings, sounds: Iterator[Sound | None]) -> None:
    """A new caller every minute or on Enter, until Ctrl-C."""
    agent = settings.agents[0]
    narrator = Narrator(_say)
    async with people(settings, agent, CALLER_NUMBER) as everybody, _desk(settings, agent) as desk:
        narrator.welcome(
            address=console_address(settings),
            username=desk.username,
            password=desk.password,
            is_demo_model=await _is_demo_model(settings, desk),
        )
        enter = _enter_pressed()
        async with _told(settings, desk, narrator):
            await _free(desk)
            for sound in sounds:
                narrator.calls(sound)
                desk.seen.clear()
                try:
                    await play_call(settings, everybody, desk, sound)
                    await _leave_to_the_browser(desk, narrator)
                except HotlineError as error:
                    narrator.failed(error)
                    for line in list(everybody.citizen.calls):
                        await line.hangup()
                narrator.waits(NEXT_CALL_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(NEXT_CALL_S):
                        await enter.wait()
                enter.clear()


@contextlib.asynccontextmanager
async def _told(
    settings: Settings, desk: DeskClient, narrator: Narrator | None
) -> AsyncIterator[None]:
    """Meanwhile tell what happens to the call, before and on the desk."""
    tasks = TaskSet("narration")
    if narrator is not None:
        watch = LogWatch(settings, _say)

        def tell(event: DeskEvent) -> None:
            watch.look()  # what led to the event was written before it
            narrator.tell(event)

        desk.on_event = tell
        tasks.spawn(watch.follow(), name="logs")
    try:
        yield
    finally:
        await tasks.close()


async def _leave_to_the_browser(desk: DeskClient, narrator: Narrator) -> None:
    """The person at the browser confirms; after a while the demo does it for them."""
    try:
        await desk.until(
            lambda view: view.call is None, "the confirmation", timeout_s=AGENT_PATIENCE_S
        )
    except DeskError:
        view = desk.view
        if view is not None and view.call is not None and view.draft is not None:
            ticket = await confirm(desk, view)
            narrator.confirmed_for_you(ticket)


async def _is_demo_model(settings: Settings, desk: DeskClient) -> bool:
    """Ask the console what recognises speech; the speech role tells it a moment after its start."""
    info = await desk.request("GET", "/api/info")
    until_mono = time.monotonic() + MODEL_KNOWN_S
    while settings.speech.engine != "off" and not info.get("model"):
        if time.monotonic() > until_mono:
            break
        await asyncio.sleep(0.2)
        info = await desk.request("GET", "/api/info")
    return bool(info.get("is_demo_model"))


def _desk(settings: Settings, agent: str) -> DeskClient:
    username = f"agent{agent}"
    password = secrets_of(settings).read(f"user-{username}")
    return DeskClient(console_address(settings), username, password)


async def _free(desk: DeskClient) -> None:
    """Ready, on an empty desk, with a telephone that is there."""
    await desk.until(
        lambda view: view.me.phone_registered and view.links.telephony == "up",
        "the agent's telephone",
        timeout_s=20,
    )
    await desk.ready()
    await desk.until(lambda view: view.me.state == "ready", "readiness", timeout_s=10)


def _enter_pressed() -> asyncio.Event:
    pressed = asyncio.Event()
    if sys.stdin is not None and sys.stdin.isatty():
        loop = asyncio.get_running_loop()

        def on_key() -> None:
            sys.stdin.readline()
            pressed.set()

        loop.add_reader(sys.stdin.fileno(), on_key)
    return pressed


def _json(result: CallReport) -> str:
    return msgspec.json.encode(result).decode()


def _summary(result: CallReport) -> str:
    lines = [f"call {result.call}: pop {result.pop.latency_ms} ms after the ring"]
    lines += [f"  {line.start_s:6.1f} s {line.speaker}: {line.text}" for line in result.transcript]
    lines += [f"  {name}: {value.value}" for name, value in result.draft.fields.items()]
    lines.append(f"ticket {result.ticket['number']}" if result.ticket else "ticket kept on disk")
    return "\n".join(lines)


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(line, file=sys.stderr, flush=True)
