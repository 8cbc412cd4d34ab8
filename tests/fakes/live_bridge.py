"""The bridge role as it runs, behind a switch in memory; the test is the speech role and people."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.ids import AgentId, CallId, StreamId
from server.connections import redis_url
from server.live.commands import BridgeUnavailable, Command, SetAgentState, ask
from server.live.drafting import Extract
from server.live.gaps import ReadBooks
from server.live.stored_view import agent_scope, find_view, find_wall
from server.push.protocol import DeskView, WallView
from server.redis_client import connect_redis
from server.roles import bridge
from server.settings import Settings
from server.streams import append
from telephony.handovers import Handover
from telephony.past_calls import PastCall
from tests.fakes.drafts import draft_here
from tests.fakes.switch import FakeSwitch
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEventKind
from transcription.wire import (
    SPEECH_ROLE_KEY,
    SPEECH_STREAM,
    SpeechMessage,
    SpeechRoleState,
    StreamEnded,
    StreamEndReason,
    StreamQuiet,
    StreamStarted,
    StreamThin,
    Words,
    encode,
)

WAIT_S = 20.0


def no_books(_since: datetime) -> Sequence[PastCall]:
    return ()


def no_handovers(_since: datetime) -> Sequence[Handover]:
    return ()


class LiveBridge:
    """Use as a context; ``restart`` is a new process that finds the same switch."""

    def __init__(
        self,
        settings: Settings,
        *,
        read_books: ReadBooks = no_books,
        extract: Extract = draft_here,
    ) -> None:
        self.settings = settings
        self.read_books = read_books
        self.extract = extract
        self.switch = FakeSwitch(*settings.agents)
        self.redis: Redis = connect_redis(redis_url(settings))
        self.is_speech_up = True
        self._role: asyncio.Task[None] | None = None
        self._speech: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LiveBridge":
        self.settings.recordings_dir.mkdir(parents=True, exist_ok=True)
        self._speech = asyncio.create_task(self._tell_speech())
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        assert self._speech is not None
        self._speech.cancel()
        await asyncio.gather(self._speech, return_exceptions=True)
        await self.redis.aclose()

    def start(self) -> None:
        work = bridge.follow(
            self.settings, self.switch, self.read_books, no_handovers, extract=self.extract
        )
        self._role = asyncio.create_task(work)

    async def kill(self) -> None:
        """End the role; what it had in memory is gone."""
        assert self._role is not None
        self._role.cancel()
        await asyncio.gather(self._role, return_exceptions=True)
        self.switch = self.switch.for_a_new_bridge()

    async def restart(self) -> None:
        await self.kill()
        self.start()

    def check_alive(self) -> None:
        if self._role is not None and self._role.done():
            self._role.result()
            raise AssertionError("the bridge has ended")

    # ---- people --------------------------------------------------------------------------------

    async def ask(self, command: Command) -> bytes:
        """As people do: again while the bridge does not answer; what is old is not carried out."""
        until_mono = time.monotonic() + WAIT_S
        while True:
            try:
                return await ask(self.redis, command)
            except BridgeUnavailable:
                self.check_alive()
                if time.monotonic() > until_mono:
                    raise

    async def make_ready(self, *agents: str) -> None:
        """The bridge has looked at the switch for the first time, and these take calls."""
        await self.until_view(lambda view: view.links.telephony == "up", what="the first look")
        for agent in agents:
            await self.ask(SetAgentState(agent=agent, wish="go_ready"))

    async def view(self, agent: str = "1001") -> DeskView | None:
        try:
            stored = await find_view(self.redis, agent_scope(agent))
        except (RedisError, OSError, TimeoutError):
            return None
        return None if stored is None else stored.view

    async def until_view(
        self, wanted: Callable[[DeskView], bool], agent: str = "1001", what: str = "the view"
    ) -> DeskView:
        until_mono = time.monotonic() + WAIT_S
        while time.monotonic() < until_mono:
            self.check_alive()
            view = await self.view(agent)
            if view is not None and wanted(view):
                return view
            await asyncio.sleep(0.02)
        raise AssertionError(f"{what}: not within {WAIT_S} s; {await self.view(agent)}")

    async def until_wall(self, wanted: Callable[[WallView], bool], what: str) -> WallView:
        """The leaders' wall, as soon as it is so."""
        until_mono = time.monotonic() + WAIT_S
        while time.monotonic() < until_mono:
            self.check_alive()
            stored = await find_wall(self.redis)
            if stored is not None and wanted(stored.view):
                return stored.view
            await asyncio.sleep(0.02)
        raise AssertionError(f"{what}: not within {WAIT_S} s")

    async def until_new(
        self,
        epoch: str,
        wanted: Callable[[DeskView], bool] = lambda view: view.call is not None,
        agent: str = "1001",
    ) -> DeskView:
        """The desk as another bridge than that of ``epoch`` has written it; wanted: with a call."""
        until_mono = time.monotonic() + WAIT_S
        while time.monotonic() < until_mono:
            self.check_alive()
            stored = await find_view(self.redis, agent_scope(agent))
            if stored is not None and stored.epoch != epoch and wanted(stored.view):
                return stored.view
            await asyncio.sleep(0.02)
        raise AssertionError(f"no other bridge than {epoch} has shown what is wanted")

    async def epoch(self) -> str:
        """Of what is shown now."""
        stored = await find_view(self.redis, agent_scope("1001"))
        return "" if stored is None else stored.epoch

    async def answered_call(
        self,
        number: str = "13800138000",
        agent: str = "1001",
        *,
        waited: timedelta = timedelta(),
    ) -> CallId:
        """A citizen who talks with an agent, both legs forked."""
        call = self.switch.arrive(number)
        self.switch.queue(call, ago=waited)
        ring = self.switch.ring(call, agent)
        await self.until_view(lambda view: view.pop is not None, agent, "the pop")
        self.switch.answer(call, ring)
        await self.until_view(lambda v: v.call is not None and v.call.call == call, agent)
        await until(lambda: len(self.streams(call)) == 2)
        return call

    # ---- the speech role -----------------------------------------------------------------------

    async def _tell_speech(self) -> None:
        state = SpeechRoleState(engine="fake", model="m", is_demo=False, streams=0, capacity=9)
        while True:
            if self.is_speech_up:
                with contextlib.suppress(RedisError, OSError, TimeoutError):
                    await self.redis.set(SPEECH_ROLE_KEY, encode(state), ex=10)
            await asyncio.sleep(0.2)

    def streams(self, call: CallId) -> dict[Speaker, StreamId]:
        """The newest fork of each leg."""
        forks = {s: stream for c, s, stream in self.switch.forks if c == call}
        return {Speaker(speaker): stream for speaker, stream in forks.items()}

    async def tell(self, message: SpeechMessage) -> None:
        await append(self.redis, SPEECH_STREAM, {"m": encode(message)}, most=10_000)

    async def begin(self, call: CallId, speaker: Speaker = Speaker.CITIZEN) -> StreamId:
        stream = self.streams(call)[speaker]
        await self.tell(
            StreamStarted(
                stream=stream,
                call=call,
                speaker=speaker,
                engine="fake",
                model="m",
                at=datetime.now(UTC),
            )
        )
        return stream

    async def fall_quiet(self, call: CallId, speaker: Speaker, quiet_s: float) -> None:
        """No frame came on the newest fork of the leg."""
        await self.tell(
            StreamQuiet(
                stream=self.streams(call)[speaker],
                call=call,
                speaker=speaker,
                quiet_s=quiet_s,
                at=datetime.now(UTC),
            )
        )

    async def grow_thin(self, call: CallId, speaker: Speaker, share: float = 0.5) -> None:
        """Sound is lost on the newest fork of the leg."""
        await self.tell(
            StreamThin(
                stream=self.streams(call)[speaker],
                call=call,
                speaker=speaker,
                share=share,
                at=datetime.now(UTC),
            )
        )

    async def say(
        self,
        call: CallId,
        stream: StreamId,
        utterance: int,
        text: str,
        speaker: Speaker = Speaker.CITIZEN,
    ) -> None:
        await self.tell(
            Words(
                stream=stream,
                call=call,
                speaker=speaker,
                kind=SpeechEventKind.FINAL,
                utterance=utterance,
                revision=1,
                text=text,
                start_s=float(utterance),
                end_s=utterance + 0.9,
            )
        )

    async def end_stream(
        self,
        call: CallId,
        stream: StreamId,
        speaker: Speaker,
        reason: StreamEndReason = StreamEndReason.CLOSED,
    ) -> None:
        await self.tell(
            StreamEnded(
                stream=stream,
                call=call,
                speaker=speaker,
                reason=reason,
                bytes_received=1,
                at=datetime.now(UTC),
            )
        )

    def texts(self, view: DeskView | None) -> list[str]:
        return [] if view is None else [line.text for line in view.lines]


async def until(condition: Callable[[], bool], *, timeout_s: float = WAIT_S) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is watched has no event to wait for
            await asyncio.sleep(0.01)


def as_agent(agent: str) -> AgentId:
    return AgentId(agent)
