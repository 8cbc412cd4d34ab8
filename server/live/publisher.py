"""Writes each desk's, and the wall's, snapshot and numbered events to Redis for the web processes.

Publishing waits for nobody: events go onto the wire at ``flush`` or in the loop's next turn, in one
transaction with what they change in the snapshots, and a slow Redis holds up no call. One writer
(the bridge), one epoch for each time it starts or Redis has lost something: a reader that knows
another epoch takes a snapshot. Memory is the truth while Redis is away; on its return everything is
written anew under a new epoch, so nothing in between needs to be kept. A Redis that was restarted
without our noticing is known by its run id, one that was emptied by the epoch missing from it.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.ids import AgentId
from server.live.stored_view import (
    VIEW_EXPIRY_S,
    WALL_SCOPE,
    Command,
    Stored,
    StoredView,
    StoredWall,
    agent_scope,
    changed,
    view_key,
    wall_changed,
    whole,
)
from server.push import wall_view
from server.push.protocol import DeskEvent, DeskView, Links, WallChanged, WallView
from server.push.view import apply
from server.redis_line import RedisLine
from server.streams import RedisValue, append_command

log = structlog.get_logger(__name__)

PUSH_STREAM: Final = "hotline:push"
PUSH_STREAM_LENGTH: Final = 20_000
RENEW_EVERY_S: Final = 3_600.0
"""An agent whose desk stands still for days keeps a snapshot."""
ALIVE_KEY: Final = "hotline:push:alive"
"""There while a bridge follows Asterisk and can write; the web role pauses its pages without it."""
ALIVE_EXPIRY_S: Final = 6
EPOCH_KEY: Final = "hotline:push:epoch"
"""Written with all desks together and by nothing else: without it this Redis was emptied."""
MOST_UNSENT: Final = 100
"""Events that wait for the loop's next turn. Overflow rule: they are sent at once."""
WRITE_TIMEOUT_S: Final = 1.5
FIRST_LOOK_TIMEOUT_S: Final = 5.0
"""How long a new bridge may take to learn the calls before it shows desks without them."""

ALL_DOWN: Final = Links(telephony="down", speech="down", database="down")


class Publisher:
    """The desks' views in memory, mirrored to Redis."""

    def __init__(self, redis: Redis, views: Mapping[AgentId, DeskView]) -> None:
        self._redis = redis
        self._line = RedisLine(redis)
        self._views = {agent_scope(agent): view for agent, view in views.items()}
        self.wall = wall_view.empty_wall(ALL_DOWN)
        """The leaders' wall now."""
        self._seqs = dict.fromkeys([*self._views, WALL_SCOPE], 0)
        self._watchers: list[Callable[[AgentId], None]] = []
        self._epoch = secrets.token_hex(8)
        self._is_behind = True
        # After a time-out: a frozen Redis may carry out the write that was given up, and late.
        self._is_doubtful = False
        self._encoder = msgspec.json.Encoder()
        self._unsent: list[tuple[str, int, bytes]] = []
        self._sent_views: dict[str, DeskView] = {}
        """Of the desks with something unsent: what Redis has."""
        self._sent_wall: WallView | None = None
        self._run_id = ""
        self._renewed_mono = 0.0
        self._began_mono: float | None = None

    def view(self, agent: AgentId) -> DeskView:
        """The desk now."""
        return self._views[agent_scope(agent)]

    @property
    def unsent(self) -> int:
        """Events that wait for the loop's next turn."""
        return len(self._unsent)

    @property
    def links(self) -> Links:
        """What all desks depend on."""
        return next((view.links for view in self._views.values()), ALL_DOWN)

    def watch(self, tell: Callable[[AgentId], None]) -> None:
        """``tell`` is called with whose desk has changed, after each change."""
        self._watchers.append(tell)

    async def close(self) -> None:
        """Leave when all is written, if Redis takes it."""
        self.flush()
        if self._line.is_open:
            await self._guard(self._until_written)
        self._line.close()

    async def _until_written(self) -> None:
        await self._line.ask("PING")

    async def publish(self, agent: AgentId, event: DeskEvent) -> None:
        """Apply the event to the desk and tell the browsers."""
        self._make_room()
        scope = agent_scope(agent)
        before = self._views[scope]
        self._views[scope] = apply(before, event)
        if self._number(scope, event):
            self._sent_views.setdefault(scope, before)
        for tell in self._watchers:
            tell(agent)

    def publish_wall(self, event: WallChanged) -> None:
        """The same for the leaders' wall."""
        self._make_room()
        before = self.wall
        self.wall = wall_view.apply(before, event)
        if self._number(WALL_SCOPE, event):
            self._sent_wall = self._sent_wall or before

    def _make_room(self) -> None:
        if len(self._unsent) >= MOST_UNSENT:
            self.flush()

    def _number(self, scope: str, event: DeskEvent | WallChanged) -> bool:
        """Give the event its number; whether it is to be sent."""
        self._seqs[scope] += 1
        if self._is_behind:
            return False
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self.flush)
        self._unsent.append((scope, self._seqs[scope], self._encoder.encode(event)))
        return True

    def flush(self) -> None:
        """Send what was published, now: what belongs together reaches the browsers together."""
        events, self._unsent = self._unsent, []
        before, self._sent_views = self._sent_views, {}
        wall, self._sent_wall = self._sent_wall, None
        if not events:
            return
        commands = [self._event_command(*event) for event in events]
        for scope, view in before.items():
            commands += changed(scope, view, self._stored_desk(scope))
        if wall is not None:
            commands += wall_changed(wall, self._stored_wall())
        try:
            self._line.transact(*commands).add_done_callback(self._note_answer)
        except RedisError as error:
            self._lose(error)

    def _note_answer(self, written: asyncio.Future[object]) -> None:
        # A line that we closed ourselves answers with errors too: by then we are behind already.
        if not written.cancelled() and (error := written.exception()) is not None:
            self._lose(error)

    async def catch_up(self) -> None:
        """Write every desk anew if Redis has missed something; call it at start and regularly."""
        if self._is_waiting_for_first_look():
            return
        if self._line.silent_s > WRITE_TIMEOUT_S:
            self._lose(TimeoutError())
        if not await self._guard(self._sign_on):
            return
        if asyncio.get_running_loop().time() - self._renewed_mono > RENEW_EVERY_S:
            await self._guard(self._renew)
        if self._is_behind:
            await self._guard(self._begin_anew)
        elif self._is_doubtful:
            self._is_doubtful = False
            await self._guard(self._begin_anew)

    def _is_waiting_for_first_look(self) -> bool:
        """A restarted bridge knows no calls yet: its empty desks must not wipe what is shown.

        Else a card that was there before would go, and come back as if the phone rang again.
        """
        if not self._is_behind or self._run_id:
            return False
        now_mono = asyncio.get_running_loop().time()
        if self._began_mono is None:
            self._began_mono = now_mono
        knows_calls = any(view.links.telephony == "up" for view in self._views.values())
        return not knows_calls and now_mono - self._began_mono < FIRST_LOOK_TIMEOUT_S

    async def _sign_on(self) -> None:
        """Say that we live, and look whether this is still the Redis that we wrote to."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.execute_command("GET", EPOCH_KEY)
        pipe.execute_command("SET", ALIVE_KEY, self._epoch, "EX", ALIVE_EXPIRY_S)
        pipe.execute_command("INFO", "server")
        epoch, _, told = await pipe.execute()
        run_id = str(told.get("run_id", ""))
        is_emptied = not self._is_behind and epoch != self._epoch.encode()
        if run_id != self._run_id or is_emptied:
            self._fall_behind()
            self._run_id = run_id

    async def _begin_anew(self) -> None:
        await self._line.open()
        # From here to the writing nothing waits: what is published next goes behind it.
        self._epoch = secrets.token_hex(8)
        self._is_behind = False
        commands: list[Command] = [("SET", EPOCH_KEY, self._epoch, "EX", VIEW_EXPIRY_S)]
        for scope in self._seqs:
            commands += whole(scope, self._stored(scope))
            commands.append(self._event_command(scope, self._seqs[scope], b""))
        await self._line.transact(*commands)
        self._renewed_mono = asyncio.get_running_loop().time()

    async def _renew(self) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for key in (PUSH_STREAM, EPOCH_KEY, *(view_key(scope) for scope in self._seqs)):
            pipe.execute_command("EXPIRE", key, VIEW_EXPIRY_S)
        if not all(await pipe.execute()):
            self._fall_behind()  # somebody has emptied this Redis
        self._renewed_mono = asyncio.get_running_loop().time()

    async def _guard(self, write: Callable[[], Awaitable[None]]) -> bool:
        """Whether it could be written; if not, all is written anew when Redis is back."""
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await write()
        except (RedisError, OSError, TimeoutError) as error:
            self._lose(error)
            return False
        return True

    def _lose(self, error: BaseException) -> None:
        """Redis did not take it, or we do not know."""
        if not self._is_behind:
            log.warning("push_paused", error=type(error).__name__)
        self._fall_behind()
        self._is_doubtful = True

    def _fall_behind(self) -> None:
        self._is_behind = True
        self._unsent.clear()
        self._sent_views.clear()
        self._sent_wall = None
        self._line.close()

    def _stored(self, scope: str) -> Stored:
        return self._stored_wall() if scope == WALL_SCOPE else self._stored_desk(scope)

    def _stored_desk(self, scope: str) -> StoredView:
        return StoredView(epoch=self._epoch, seq=self._seqs[scope], view=self._views[scope])

    def _stored_wall(self) -> StoredWall:
        return StoredWall(epoch=self._epoch, seq=self._seqs[WALL_SCOPE], view=self.wall)

    def _event_command(self, scope: str, seq: int, event_json: bytes) -> Command:
        """An event for the stream; an empty one says: take a snapshot."""
        fields: dict[str, RedisValue] = {
            "scope": scope,
            "e": self._epoch,
            "s": seq,
            "m": event_json,
        }
        return append_command(PUSH_STREAM, fields, most=PUSH_STREAM_LENGTH)
