"""Requests from the web processes to the bridge, over Redis: one at a time, answered or timed out.

A command older than ``COMMAND_LIFE_S`` is not carried out: the person has been told that it failed
and may have asked again. None is carried out twice: a bridge notes how far it has come before it
carries one out, so that the next one, after a crash, does not dial again.
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar, Literal

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from base.errors import HotlineError
from base.task_set import TaskSet
from server.push.protocol import PartyKind
from server.streams import (
    RedisValue,
    append,
    get_bytes,
    latest,
    place_of,
    read_after,
    transact,
)

log = structlog.get_logger(__name__)

COMMAND_STREAM = "hotline:commands"
COMMAND_STREAM_LENGTH = 1_000
COMMAND_LIFE_S = 3.0
REPLY_EXPIRY_S = 30
REPLY_TRIES = 3
"""A connection that lay idle while Redis was started anew is noticed by its first use."""
CURSOR_KEY = "hotline:commands:cursor"
CURSOR_EXPIRY_S = 60


class BridgeUnavailable(HotlineError):
    """The telephone bridge does not answer; try again in a moment."""

    code: ClassVar[str] = "bridge_unavailable"
    http_status: ClassVar[int] = 503
    retryable: ClassVar[bool] = True


class CommandRefused(HotlineError):
    """The bridge refused; ``code`` and parameters are the bridge's own."""

    def __init__(self, code: str, http_status: int, message: str, params: dict[str, str]) -> None:
        super().__init__(message, **params)
        self.code = code  # type: ignore[misc]
        self.http_status = http_status  # type: ignore[misc]


class SetAgentState(msgspec.Struct, frozen=True, tag="set_agent_state"):
    """``wish`` is a ``routing.agents.Trigger`` value: sign_in, sign_out, go_ready, go_paused."""

    agent: str
    wish: str
    reason: str | None = None


class EditDraft(msgspec.Struct, frozen=True, tag="edit_draft"):
    """An agent's correction of one field of the call on their own desk."""

    agent: str
    call: str
    field: str
    value: str


class DraftSettled(msgspec.Struct, frozen=True, tag="draft_settled"):
    """A confirmation is safe; the desk shows it, and wrap-up ends."""

    agent: str
    call: str
    saved: Literal["kept_on_disk", "entered"]
    ticket_number: str | None


class BringInEmergency(msgspec.Struct, frozen=True, tag="bring_in_emergency"):
    """The agent's button: dial this line beside the conversation on their own desk."""

    agent: str
    call: str
    line: str


class DismissDangers(msgspec.Struct, frozen=True, tag="dismiss_dangers"):
    """The agent says of dangers on their own desk that they are none."""

    agent: str
    call: str
    kinds: list[str]


CallAction = Literal[
    "hold",
    "resume",
    "consult",
    "hand_over",
    "three_way",
    "send_on",
    "let_go",
    "pause_recording",
    "resume_recording",
]


class ControlCall(msgspec.Struct, frozen=True, tag="control_call"):
    """Something to be done inside the call on the agent's own desk.

    ``kind`` is what the directory says of ``number``.
    """

    agent: str
    call: str
    action: CallAction
    number: str = ""
    kind: PartyKind = "outside"
    reason: str = ""


class RecordConsent(msgspec.Struct, frozen=True, tag="record_consent"):
    """The caller was asked whether somebody may join."""

    agent: str
    call: str
    is_given: bool


class DialOut(msgspec.Struct, frozen=True, tag="dial_out"):
    """Call a number for the agent; ``call`` and ``ticket`` say what it is about."""

    agent: str
    number: str
    call: str | None = None
    ticket: str | None = None


class EndByRules(msgspec.Struct, frozen=True, tag="end_by_rules"):
    """End the conversation on the agent's own desk as the rules have it; the caller is told."""

    agent: str
    call: str


class Supervise(msgspec.Struct, frozen=True, tag="supervise"):
    """A leader's act on an agent; who asks, and with which phone, is the web role's word."""

    leader: str
    leader_name: str
    phone: str | None
    """The leader's own; None: they have none."""
    act: Literal["listen", "whisper", "join", "take_over", "pause", "sign_out"]
    agent: str
    call: str | None
    """The call that the leader saw; None where it is not about one."""
    reason: str
    confirmed: bool = False


Command = (
    ControlCall
    | RecordConsent
    | DialOut
    | SetAgentState
    | EditDraft
    | DraftSettled
    | BringInEmergency
    | DismissDangers
    | EndByRules
    | Supervise
)


class Envelope(msgspec.Struct, frozen=True):
    """A command on its way."""

    id: str
    sent_at_s: float
    command: Command


class Reply(msgspec.Struct, frozen=True):
    """``result`` is JSON of the command's own result, or null; a refusal has ``code``."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    code: str | None = None
    http_status: int = 200
    message: str = ""
    params: dict[str, str] = {}


Handler = Callable[[Command], Awaitable[object]]


def _reply_key(envelope_id: str) -> str:
    return f"hotline:reply:{envelope_id}"


async def ask(redis: Redis, command: Command) -> bytes:
    """Send a command and give its result as JSON.

    Raises ``CommandRefused`` with the bridge's own code, or ``BridgeUnavailable``.
    """
    envelope = Envelope(id=secrets.token_hex(8), sent_at_s=time.time(), command=command)
    try:
        fields: dict[str, RedisValue] = {"m": msgspec.json.encode(envelope)}
        await append(redis, COMMAND_STREAM, fields, most=COMMAND_STREAM_LENGTH)
        answer = await redis.blpop([_reply_key(envelope.id)], timeout=COMMAND_LIFE_S)
    except (RedisError, OSError, TimeoutError) as error:
        raise BridgeUnavailable from error
    if answer is None:
        raise BridgeUnavailable
    reply = msgspec.json.decode(answer[1], type=Reply)
    if reply.code is not None:
        raise CommandRefused(reply.code, reply.http_status, reply.message, reply.params)
    return bytes(reply.result)


class CommandServer:
    """The bridge's end. ``serve`` runs for ever; a lost Redis is waited for by the caller."""

    def __init__(self, redis: Redis, handle: Handler) -> None:
        self._redis = redis
        self._handle = handle
        self._cursor = "$"
        # One waits for the switch while others are carried out; the centre keeps their order. As
        # many as the stream holds: an overflow is the stream's own.
        self._tasks = TaskSet("commands")

    async def close(self) -> None:
        """Give up what is being carried out."""
        await self._tasks.close()

    async def serve_once(self, block_ms: int = 1000) -> None:
        """Carry out the commands that are waiting, at most for ``block_ms``."""
        if self._cursor == "$":
            kept = await get_bytes(self._redis, CURSOR_KEY)
            self._cursor = kept.decode() if kept else await self._begin()
        for entry in await read_after(
            self._redis, COMMAND_STREAM, self._cursor, count=50, block_ms=block_ms
        ):
            await self._redis.set(CURSOR_KEY, entry.id, ex=CURSOR_EXPIRY_S)
            self._cursor = entry.id
            self._tasks.spawn(self._answer(entry.fields.get(b"m", b"")), name="answer")

    async def _begin(self) -> str:
        """Behind what is too old; never ahead of the stream, whose clock may be set back."""
        newest = await latest(self._redis, COMMAND_STREAM, 1)
        still_alive = f"{int((time.time() - COMMAND_LIFE_S) * 1000)}-0"
        return min(still_alive, newest[0].id if newest else "0-0", key=place_of)

    async def _answer(self, raw: bytes) -> None:
        try:
            envelope = msgspec.json.decode(raw, type=Envelope)
        except msgspec.DecodeError:
            log.warning("command_unreadable", size_bytes=len(raw))
            return
        if abs(time.time() - envelope.sent_at_s) > COMMAND_LIFE_S:  # a clock set back: ahead
            log.info("command_too_old", command=type(envelope.command).__name__)
            return
        reply = await self._carry_out(envelope.command)
        key, told = _reply_key(envelope.id), msgspec.json.encode(reply)
        for _ in range(REPLY_TRIES):
            try:
                await transact(self._redis, ("LPUSH", key, told), ("EXPIRE", key, REPLY_EXPIRY_S))
                return
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("reply_not_sent", error=type(error).__name__)

    async def _carry_out(self, command: Command) -> Reply:
        try:
            result = await self._handle(command)
        except HotlineError as error:
            params = {name: str(value) for name, value in error.params.items()}
            return Reply(
                code=error.code,
                http_status=error.http_status,
                message=error.message,
                params=params,
            )
        return Reply(result=msgspec.Raw(msgspec.json.encode(result)))
