"""Fans the bridge's numbered events out to this process's websockets.

Reads one Redis stream for all desks and writes each event, made into a frame once, in a plain loop
that never waits (measured: a task and a queue a client halves the rate; a frame written straight
to the transports is 1.26 of aiohttp's own loop). A browser that slept resumes from the scope's
history, or takes a snapshot. A browser that does not read is cut off when its unsent bytes pass
``MOST_UNSENT_BYTES``; nobody else waits for it. While the feed is dead (Redis or the bridge away)
every browser is told so: a page must never look live when nothing can reach it.
"""

import asyncio
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.backoff import backoff_s
from base.task_set import TaskSet
from server.live.publisher import ALIVE_KEY, PUSH_STREAM
from server.live.stored_view import WALL_SCOPE, Stored, StoredWall, find_view, find_wall
from server.push.frames import text_frame
from server.push.history import Event, History
from server.push.protocol import Beat, Paused, Snapshot, WallSnapshot
from server.redis_line import RedisLine
from server.streams import Entry, entries_of, get_bytes, latest

log = structlog.get_logger(__name__)

MOST_UNSENT_BYTES: Final = 1024 * 1024
MOST_WHILE_LOADING: Final = 500
"""Events held for a client whose snapshot is on its way; overflow rule: disconnect."""
MOST_CLIENTS_A_SCOPE: Final = 20
"""Windows of one agent; overflow rule: the oldest is cut (a forgotten page locks nobody out)."""
MOST_WALLS: Final = 200
"""Windows of all leaders together; the same rule."""
STARTING_HISTORY: Final = 5000
BEAT_EVERY_S: Final = 15.0
WATCH_EVERY_S: Final = 1.0
BLOCK_MS: Final = 1000
READ_TIMEOUT_S: Final = 3.0
FEED_DEAD_AFTER_S: Final = 3.0
"""Without a sign of the bridge in Redis (which itself lasts some seconds)."""


class Wire(Protocol):
    """A browser's end, as the hub needs it."""

    def send(self, frame: bytes) -> None:
        """Send one whole frame; ConnectionError where the line has ended."""

    def unsent_bytes(self) -> int:
        """What the browser has not read yet."""

    def cut(self) -> None:
        """Drop the connection now."""


@dataclass(eq=False, slots=True)
class Client:
    """One connected browser."""

    scope: str
    wire: Wire
    epoch: str = ""
    seq: int = 0
    held: list[Event] | None = field(default_factory=list)
    """Events that came while it is brought up to date; None once it is live."""


class Hub:
    """All browsers of this process."""

    def __init__(self, redis: Redis, *, most_a_scope: int = MOST_CLIENTS_A_SCOPE) -> None:
        self._redis = redis
        self._line = RedisLine(redis)
        self._most_a_scope = most_a_scope
        # Dicts for their order: the first is the oldest.
        self._clients: dict[str, dict[Client, None]] = defaultdict(dict)
        self._history: dict[str, History] = defaultdict(History)
        self._cursor: str | None = None
        self._tasks = TaskSet("hub")
        self._encoder = msgspec.json.Encoder()
        self._is_fed = False
        self._sign_seen_mono = 0.0

    def __len__(self) -> int:
        return sum(len(clients) for clients in self._clients.values())

    @property
    def is_fed(self) -> bool:
        """Whether events can reach us at all."""
        return self._is_fed

    async def run(self) -> None:
        """Read and fan out for ever; Redis and the bridge may come and go."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(), name="hub:follow")
                tasks.create_task(self._watch(), name="hub:watch")
                tasks.create_task(self._beat(), name="hub:beat")
        finally:
            self._line.close()
            await self._tasks.close()

    # ---- clients -------------------------------------------------------------------------------

    def join(self, scope: str, wire: Wire, epoch: str | None, seq: int | None) -> Client:
        """Bring a browser up to date, by the events it missed or a snapshot, then keep it so.

        Returns at once: a snapshot that cannot be had yet follows when it can.
        """
        client = Client(scope, wire)
        clients = self._clients[scope]
        clients[client] = None
        if len(clients) > (MOST_WALLS if scope == WALL_SCOPE else self._most_a_scope):
            self._cut(next(iter(clients)), "push_client_one_too_many")
        missed = self._history[scope].missed(epoch, seq)
        if missed is None or epoch is None or seq is None:
            self._reload(client)
            return client
        client.epoch, client.seq = epoch, seq
        for event in missed:
            client.seq = event.seq
            self._send(client, event.frame)
        self._go_live(client)
        return client

    def leave(self, client: Client) -> None:
        """The browser has gone."""
        clients = self._clients.get(client.scope)
        if clients is not None:
            clients.pop(client, None)
            if not clients:
                del self._clients[client.scope]

    def cut_all(self) -> None:
        """This process ends: browsers go to another one, or come back, at once."""
        for clients in list(self._clients.values()):
            for client in list(clients):
                self.leave(client)
                client.wire.cut()

    # ---- the feed ------------------------------------------------------------------------------

    async def _follow(self) -> None:
        waits = backoff_s(first_s=0.1, most_s=2.0)
        while True:
            try:
                await self._read_once()
                waits = backoff_s(first_s=0.1, most_s=2.0)
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("push_feed_lost", error=type(error).__name__)
                self._line.close()
                # A Redis that begins anew may also begin with smaller ids.
                self._cursor = None
                await asyncio.sleep(next(waits))

    async def _read_once(self) -> None:
        if self._cursor is None:
            entries = await latest(self._redis, PUSH_STREAM, STARTING_HISTORY)
            self._cursor = "0-0"
        else:
            entries = await self._next_entries(self._cursor)
        for entry in entries:
            self._cursor = entry.id
            event = self._event(entry)
            if event is not None and self._history[event.scope].add(event):
                for client in list(self._clients.get(event.scope, ())):
                    self._deliver(client, event)

    async def _next_entries(self, cursor: str) -> list[Entry]:
        await self._line.open()
        async with asyncio.timeout(READ_TIMEOUT_S):
            found = await self._line.ask(
                "XREAD", "COUNT", 500, "BLOCK", BLOCK_MS, "STREAMS", PUSH_STREAM, cursor
            )
        return entries_of(found)

    def _event(self, entry: Entry) -> Event | None:
        try:
            scope = entry.fields[b"scope"].decode()
            epoch = entry.fields[b"e"].decode()
            seq = int(entry.fields[b"s"])
            raw = entry.fields[b"m"]
        except (KeyError, ValueError):
            log.warning("push_entry_unreadable", entry=entry.id)
            return None
        if not raw:
            return Event(scope, epoch, seq, b"")
        frame = {"type": "event", "epoch": epoch, "seq": seq, "event": msgspec.Raw(raw)}
        return Event(scope, epoch, seq, self._frame(frame))

    async def _watch(self) -> None:
        """Notice that nothing can come any more, and that it can again."""
        while True:
            now_mono = asyncio.get_running_loop().time()
            if await self._has_sign():
                self._sign_seen_mono = now_mono
                self._set_fed(True)
            elif now_mono - self._sign_seen_mono > FEED_DEAD_AFTER_S:
                self._set_fed(False)
            await asyncio.sleep(WATCH_EVERY_S)

    async def _has_sign(self) -> bool:
        try:
            async with asyncio.timeout(FEED_DEAD_AFTER_S):
                return await get_bytes(self._redis, ALIVE_KEY) is not None
        except (RedisError, OSError, TimeoutError):
            return False

    def _set_fed(self, is_fed: bool) -> None:
        if is_fed == self._is_fed:
            return
        self._is_fed = is_fed
        log.warning("push_feed_changed", is_fed=is_fed)
        self._send_all(self._pulse())

    async def _beat(self) -> None:
        """Tell every browser that the line lives."""
        while True:
            await asyncio.sleep(BEAT_EVERY_S)
            self._send_all(self._pulse())

    def _pulse(self) -> bytes:
        now = datetime.now(UTC)
        return self._frame(Beat(at=now) if self._is_fed else Paused(at=now))

    def _frame(self, message: object) -> bytes:
        return text_frame(self._encoder.encode(message))

    def _send_all(self, frame: bytes) -> None:
        for clients in list(self._clients.values()):
            for client in list(clients):
                if client.held is None:
                    self._send(client, frame)

    # ---- one client ----------------------------------------------------------------------------

    def _deliver(self, client: Client, event: Event) -> None:
        if client.held is not None:
            client.held.append(event)
            if len(client.held) > MOST_WHILE_LOADING:
                self._cut(client, "push_client_loading_too_long")
            return
        if event.epoch == client.epoch and event.seq <= client.seq:
            return
        if event.epoch != client.epoch or event.seq != client.seq + 1 or not event.frame:
            client.held = [event]
            self._reload(client)
            return
        client.seq = event.seq
        self._send(client, event.frame)

    def _reload(self, client: Client) -> None:
        self._tasks.spawn(self._load(client), name="snapshot")

    async def _load(self, client: Client) -> None:
        """Send a snapshot as soon as there is one that fits what is held, then go live."""
        for wait_s in itertools.chain([0.0], backoff_s(first_s=0.05, most_s=1.0)):
            if wait_s:
                await asyncio.sleep(wait_s)
            if client not in self._clients.get(client.scope, ()):
                return
            stored = await self._stored(client.scope)
            if stored is not None and _fits(stored, client.held or []):
                break
        else:
            return
        snapshot = _snapshot(stored)
        client.epoch, client.seq = stored.epoch, stored.seq
        # What a former epoch left behind would ask for a snapshot again, and again.
        client.held = [event for event in client.held or [] if event.epoch == stored.epoch]
        self._send(client, self._frame(snapshot))
        self._go_live(client)

    def _go_live(self, client: Client) -> None:
        """Hand on what came meanwhile; a pulse says that this is all, or that more cannot come."""
        held, client.held = client.held or [], None
        for event in held:
            if event.frame or (event.epoch, event.seq) != (client.epoch, client.seq):
                self._deliver(client, event)
        if client.held is None:
            self._send(client, self._pulse())

    async def _stored(self, scope: str) -> Stored | None:
        try:
            if scope == WALL_SCOPE:
                return await find_wall(self._redis)
            return await find_view(self._redis, scope)
        except (RedisError, OSError, TimeoutError):
            return None

    def _send(self, client: Client, frame: bytes) -> None:
        if client.wire.unsent_bytes() > MOST_UNSENT_BYTES:
            self._cut(client, "push_client_too_slow")
            return
        try:
            client.wire.send(frame)
        except ConnectionError:
            self.leave(client)

    def _cut(self, client: Client, why: str) -> None:
        log.warning(why, scope=client.scope)
        self.leave(client)
        client.wire.cut()


def _fits(stored: Stored, held: list[Event]) -> bool:
    """Whether what is held goes on from the snapshot; a Redis with a loss may have an old one."""
    if not held:
        return True
    if held[-1].epoch != stored.epoch:
        return False
    later = [each.seq for each in held if each.epoch == stored.epoch and each.seq > stored.seq]
    return not later or later[0] == stored.seq + 1


def _snapshot(stored: Stored) -> Snapshot | WallSnapshot:
    if isinstance(stored, StoredWall):
        return WallSnapshot(epoch=stored.epoch, seq=stored.seq, view=stored.view)
    return Snapshot(epoch=stored.epoch, seq=stored.seq, view=stored.view)
