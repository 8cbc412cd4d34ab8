"""Emergencies with every part of ours dead or alive: 32 states, three ways, real calls.

One Asterisk stands through all of it; around it backend (bridge and web), speech, PostgreSQL, Redis
and the manager link die and come back, one change from state to state (Gray code), the slow ones
seldom. In each state a citizen presses the key, one dials the line, and one's agent presses the
phone's button, all at once; each must talk with the line and be kept until it hangs up. Who presses
the key is by turns a known caller in the greeting, a suspended, a throttled, an anonymous one, and
one who waits where nobody is. At the end everything comes back, and the records must hold every one
of the hand-overs.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import aiohttp
from redis.asyncio import Redis

from base.database import connect
from base.errors import HotlineError
from bench.soak_product import Soaked, soaked
from server.connections import database_url, redis_url
from server.http.loopback import SECRET_HEADER
from server.live.commands import SetAgentState, ask
from server.processes import role_command, running
from server.redis_client import connect_redis
from server.secrets_store import secrets_of
from server.services.port_check import is_free
from server.services.service import Service
from server.settings import Settings
from telephony.phone import Phone, PhoneCall
from telephony.phone.errors import PhoneError
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, LINE_HZ, voice
from tests.asterisk.switch import hears, until_heard
from tests.system.product import until


class Part(StrEnum):
    """What can be dead; in the order of how often it changes."""

    AMI = "ami"
    """The manager link."""
    REDIS = "redis"
    DATABASE = "database"
    SPEECH = "speech"
    BACKEND = "backend"
    """Bridge and web."""


PARTS: Final = tuple(Part)
WAYS: Final = ("key", "direct", "button")
LINES: Final = {"key": "119", "direct": "110", "button": "120"}
ADMITTED_S: Final = 1.2
"""From the answer until greeting and admission are over."""
CALL_TIMEOUT_S: Final = 15.0
BACK_WITHIN_S: Final = 40.0

QUEUES: Final = """
[[queue]]
name = "hotline"
title = "综合受理"
numbers = ["12345"]
[[queue]]
name = "law"
title = "法律服务专席"
numbers = ["12348"]
skill = "law"
[skills.{absent}]
law = 1
"""


class Kind(StrEnum):
    """Who presses the key. None of them is an exception; how the product treats them may be."""

    KNOWN = "known"
    SUSPENDED = "suspended"
    THROTTLED = "throttled"
    ANONYMOUS = "anonymous"
    WAITING = "waiting"


KINDS: Final = tuple(Kind)
MARKS: Final = {Kind.SUSPENDED: "prompt=suspended-", Kind.THROTTLED: "prompt=often"}
ASKED_MOST: Final = 20
"""More calls than a number may make in ten minutes; suspensions are read within that time too."""

State = frozenset[Part]
"""The parts that are dead."""


def states() -> Iterator[State]:
    """All subsets, from nothing dead on; each differs from the one before by one part."""
    for number in range(2 ** len(PARTS)):
        code = number ^ (number >> 1)
        yield frozenset(part for bit, part in enumerate(PARTS) if code >> bit & 1)


def name_of(state: State) -> str:
    return "+".join(sorted(state)) + " dead" if state else "all alive"


@dataclass(frozen=True, slots=True)
class Passage:
    """One call of the matrix; ``fault`` is empty where the caller was kept and reached the line."""

    state: State
    way: str
    fault: str
    reached_ms: float
    kind: Kind = Kind.KNOWN


@dataclass
class MatrixReport:
    """What became of it."""

    passages: list[Passage] = field(default_factory=list)
    handovers_kept: int = 0
    """In PostgreSQL, after everything has come back."""
    seconds: float = 0.0
    treated: Counter[Kind] = field(default_factory=Counter)
    """How often the product said of a caller to be suspended or throttled."""

    @property
    def faults(self) -> list[str]:
        return [
            f"{name_of(each.state)}, {each.way} ({each.kind}): {each.fault}"
            for each in self.passages
            if each.fault
        ]

    @property
    def is_good(self) -> bool:
        return not self.faults and self.handovers_kept == len(self.passages)

    def as_json(self) -> dict[str, object]:
        reached = sorted(each.reached_ms for each in self.passages if not each.fault)
        return {
            "states": len({each.state for each in self.passages}),
            "calls": len(self.passages),
            "callers_lost": len(self.faults),
            "faults": self.faults,
            "handovers_kept": self.handovers_kept,
            "treated": dict(self.treated),
            "slowest_ms": round(reached[-1]) if reached else None,
            "seconds": round(self.seconds, 1),
        }


# ------------------------------------------------------------------------------ who can be killed


class Mortals:
    """The parts of one installation; no supervisor brings them back meanwhile."""

    def __init__(self, it: Soaked) -> None:
        self._it = it
        self.dead: State = frozenset()
        supervisor = running(it.settings, "supervisor")
        assert supervisor is not None
        supervisor.signal(signal.SIGKILL)
        self._speech = running(it.settings, "speech")
        self._children: list[subprocess.Popen[bytes]] = []

    async def become(self, state: State) -> None:
        """Kill and revive what differs."""
        for part in state - self.dead:
            await self._kill(part)
        for part in self.dead - state:
            await self._revive(part)
        self.dead = state

    async def revive_all(self) -> None:
        """As after a bad night: everything of ours is started again."""
        for part in self.dead - {Part.BACKEND, Part.SPEECH}:
            await self._revive(part)
        self.end_children()
        self._it.product.kill()
        await asyncio.to_thread(self._it.product.start_roles)

    def end_children(self) -> None:
        for child in self._children:
            child.kill()
            child.wait()
        self._children.clear()

    async def _kill(self, part: Part) -> None:
        match part:
            case Part.AMI:
                self._it.proxy.is_refusing = True
                self._it.proxy.cut()
            case Part.REDIS | Part.DATABASE:
                await self._kill_service(self._service(part))
            case Part.SPEECH:
                self.end_children()
                if self._speech is not None:
                    self._speech.signal(signal.SIGKILL)
            case Part.BACKEND:
                for role in ("bridge", "web"):
                    identity = running(self._it.settings, role)
                    assert identity is not None
                    identity.signal(signal.SIGKILL)

    async def _kill_service(self, service: Service) -> None:
        pid = service.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: service.pid() is None, what=f"{service.name} gone")

    async def _revive(self, part: Part) -> None:
        settings = self._it.settings
        match part:
            case Part.AMI:
                self._it.proxy.is_refusing = False
                if Part.BACKEND not in self.dead:
                    before = self._it.proxy.connections
                    await until(lambda: self._it.proxy.connections > before, what="the link back")
            case Part.REDIS | Part.DATABASE:
                await asyncio.to_thread(self._service(part).start)
            case Part.SPEECH:
                self._children.append(await asyncio.to_thread(_start_speech, settings))
                await until(
                    lambda: not is_free(settings.service_host, settings.ports.audio),
                    what="speech back",
                    timeout_s=BACK_WITHIN_S,
                )
            case Part.BACKEND:
                raise AssertionError("the order of states never revives it")

    def _service(self, part: Part) -> Service:
        installation = self._it.product.installation
        service = installation.valkey if part is Part.REDIS else installation.postgres
        assert service is not None
        return service


def _start_speech(settings: Settings) -> subprocess.Popen[bytes]:
    with (settings.logs_dir / "speech-again.out").open("ab") as log:
        return subprocess.Popen(role_command("speech"), stdout=log, stderr=log)


# ------------------------------------------------------------------------------------------ calls


class Telephones:
    """Everybody's phones: all agents', the exchange, and citizens' made anew for each call."""

    def __init__(self, it: Soaked, stack: AsyncExitStack) -> None:
        self._it = it
        self._stack = stack
        self._server = (it.settings.service_host, it.settings.ports.sip)
        self._came: dict[tuple[str, str], asyncio.Future[PhoneCall]] = {}

    async def plug_in(self) -> None:
        """The exchange answers at once and speaks; so do the agents, but the last is away."""
        host, _, port = self._it.settings.emergency_trunk.rpartition(":")
        exchange = Phone((host, int(port)), self._server, "exchange")
        await self._stack.enter_async_context(exchange)
        exchange.on_ring(self._answer("line", LINE_HZ))
        secrets = secrets_of(self._it.settings)
        for agent in self._it.settings.agents[:-1]:
            phone = Phone(
                (self._it.settings.service_host, 0),
                self._server,
                agent,
                password=secrets.read(f"sip-{agent}"),
            )
            await self._stack.enter_async_context(phone)
            phone.on_ring(self._answer("agent", AGENT_HZ))
            await phone.register()

    def _answer(self, who: str, tone_hz: float) -> Callable[[PhoneCall], Awaitable[None]]:
        async def policy(call: PhoneCall) -> None:
            await call.answer()
            call.play(voice(tone_hz))
            came = self._came_to(who, call.number)
            if not came.done():
                came.set_result(call)

        return policy

    def _came_to(self, who: str, number: str) -> asyncio.Future[PhoneCall]:
        loop = asyncio.get_running_loop()
        return self._came.setdefault((who, number), loop.create_future())

    async def taken(self, who: str, number: str) -> PhoneCall:
        """The call of that citizen, as the exchange or an agent answered it."""
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                call = await self._came_to(who, number)
                self._came.pop((who, number), None)  # an anonymous caller comes again
                return call
        except TimeoutError:
            raise AssertionError(f"no {who} was reached") from None

    @asynccontextmanager
    async def citizen(self, number: str) -> AsyncIterator[Phone]:
        local = (self._it.settings.trunk_addresses[0], 0)
        async with Phone(local, self._server, number) as phone:
            yield phone


async def pass_through(
    phones: Telephones, state: State, way: str, number: str, kind: Kind, *, press_after_s: float
) -> Passage:
    """One caller by one way, from the call to the line's hanging up."""
    reached_ms = 0.0
    try:
        async with phones.citizen(number) as citizen:
            called = "12348" if kind is Kind.WAITING else "12345"
            call = await citizen.call(LINES[way] if way == "direct" else called)
            call.play(voice(CITIZEN_HZ))
            asked_mono = time.monotonic()
            agent: PhoneCall | None = None
            if way == "key":
                await call.until_answered(CALL_TIMEOUT_S)
                await asyncio.sleep(press_after_s)
                asked_mono = time.monotonic()
                call.send_digit("9")
                call.send_digit("2")
            elif way == "button":
                agent = await phones.taken("agent", number)
                await until_heard(call, AGENT_HZ)
                asked_mono = time.monotonic()
                for key in f"*{LINES[way]}":
                    agent.send_digit(key)
            line = await phones.taken("line", number)
            reached_ms = (time.monotonic() - asked_mono) * 1000
            assert line.dialled == LINES[way], f"the wrong line: {line.dialled}"
            await until_heard(line, CITIZEN_HZ)
            if agent is not None:
                await until_heard(agent, LINE_HZ)
                await agent.hangup()
            heard = len(call.heard_pcm)
            await until(lambda: hears(call.heard_pcm[heard:], LINE_HZ), what="the line is heard")
            await line.hangup()
            await call.until_ended(CALL_TIMEOUT_S)
    except (AssertionError, PhoneError) as error:
        return Passage(state, way, str(error) or type(error).__name__, reached_ms, kind)
    return Passage(state, way, "", reached_ms, kind)


# ------------------------------------------------------------------------------- kinds of callers


class Callers:
    """Makes the callers of each kind what they are."""

    def __init__(self, it: Soaked, numbers: Collection[str]) -> None:
        self._settings = it.settings
        self._suspended = numbers

    async def suspend(self) -> None:
        """By two people, for a day, as the table demands."""
        owner = await connect(database_url(self._settings, "owner"), name="matrix")
        try:
            await owner.execute(
                "INSERT INTO suspensions (id, caller_number, misuse, reason, article, proposed_by,"
                " proposed_at, decided_by, decided_at, until_at)"
                " SELECT gen_random_uuid(), number, 'repeated_use', 'matrix', '{}', one, now(),"
                " other, now(), now() + interval '1 day' FROM unnest($1::text[]) AS number,"
                " (SELECT min(id::text)::uuid AS one, max(id::text)::uuid AS other FROM users) u",
                list(self._suspended),
            )
        finally:
            await owner.close()

    async def answer(self, number: str) -> str:
        """What the product says to Asterisk's question for that caller; each question counts."""
        host, port = self._settings.service_host, self._settings.ports.http
        url = f"http://{host}:{port}/internal/admission?called=12345&call=matrix"
        secret = secrets_of(self._settings).read("dialplan")
        headers = {"X-Caller-Number": number, SECRET_HEADER: secret}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session,
            session.get(url, headers=headers) as answer,
        ):
            return await answer.text()

    async def is_treated(self, kind: Kind, number: str, state: State) -> bool:
        """Whether the product, as far as it lives, makes the exception that its kind is made."""
        if Part.BACKEND in state or kind not in MARKS:
            return False
        for _ in range(ASKED_MOST):
            if MARKS[kind] in await self.answer(number):
                return True
            if kind is Kind.SUSPENDED:
                await asyncio.sleep(0.2)
        return False


# ----------------------------------------------------------------------------------------- the run


async def run_matrix(
    tools: Path,
    *,
    ways_of: Callable[[State], Collection[str]] = lambda _state: WAYS,
    say: Callable[[str], None],
) -> MatrixReport:
    """All states, each with its ways at once."""
    report = MatrixReport()
    began_mono = time.monotonic()
    agents = sum("button" in ways_of(state) for state in states()) + 3
    queues = QUEUES.format(absent=2000 + agents)
    async with (
        soaked(tools, agents=agents, speech="vosk", queues=queues) as it,
        AsyncExitStack() as stack,
    ):
        phones = Telephones(it, stack)
        await phones.plug_in()
        await _sign_in(it)
        callers = Callers(it, [_number(n, 0) for n in range(32) if _kind(n) is Kind.SUSPENDED])
        await callers.suspend()
        mortals = Mortals(it)
        try:
            for number, state in enumerate(states()):
                await mortals.become(state)
                kind = _kind(number)
                is_treated = await callers.is_treated(kind, _number(number, 0), state)
                report.treated[kind] += is_treated
                # Whom the product does not treat so, gets to an agent: the key is for before that.
                after_s = ADMITTED_S if is_treated or kind is Kind.WAITING else 0.0
                async with asyncio.TaskGroup() as tasks:
                    made = [
                        tasks.create_task(pass_through(phones, state, *who, press_after_s=after_s))
                        for who in _who(number, ways_of(state))
                    ]
                report.passages += [each.result() for each in made]
                say(f"{name_of(state)}: {_told(each.result() for each in made)}")
            await mortals.revive_all()
            report.handovers_kept = await _handovers(it, len(report.passages))
        finally:
            mortals.end_children()
    report.seconds = time.monotonic() - began_mono
    return report


def _kind(number: int) -> Kind:
    return KINDS[number % len(KINDS)]


def _number(state: int, at: int) -> str:
    return f"139{state:05d}{at:03d}"


def _who(state: int, ways: Collection[str]) -> Iterator[tuple[str, str, Kind]]:
    """Way, number and kind of each caller of the state."""
    for at, way in enumerate(ways):
        kind = _kind(state) if way == "key" else Kind.KNOWN
        yield way, "anonymous" if kind is Kind.ANONYMOUS else _number(state, at), kind


def _told(passages: Iterator[Passage]) -> str:
    return ", ".join(f"{p.way} ({p.kind}) {p.fault or f'{p.reached_ms:.0f} ms'}" for p in passages)


async def _sign_in(it: Soaked) -> None:
    redis = connect_redis(redis_url(it.settings))
    try:
        for agent in it.settings.agents[:-1]:
            async with asyncio.timeout(BACK_WITHIN_S):
                while not await _ready(redis, agent):  # noqa: ASYNC110 - asked again, not told
                    await asyncio.sleep(0.2)
    finally:
        await redis.aclose()


async def _ready(redis: Redis, agent: str) -> bool:
    with contextlib.suppress(HotlineError):
        await ask(redis, SetAgentState(agent=agent, wish="go_ready"))
        return True
    return False


async def _handovers(it: Soaked, wanted: int) -> int:
    """How many ended hand-overs the records hold, once as many as ``wanted`` or too late."""
    owner = await connect(database_url(it.settings, "owner"), name="matrix")
    try:
        found = 0
        until_mono = time.monotonic() + BACK_WITHIN_S
        while found != wanted and time.monotonic() < until_mono:
            found = await owner.fetchval(
                "SELECT count(*) FROM emergency_handovers"
                " WHERE outcome = 'answered' AND ended_at IS NOT NULL"
            )
            await asyncio.sleep(0.2)
        return found
    finally:
        await owner.close()
