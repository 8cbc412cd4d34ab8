"""Every refusal leaves as a problem document (RFC 9457) with a stable code and parameters."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, TypeVar

import msgspec
import structlog
from aiohttp import web

from base.database import storable
from base.dates import check_dates
from base.errors import HotlineError

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MOST_BODY_BYTES: Final = 64 * 1024
BODY_TIMEOUT_S: Final = 10.0
T = TypeVar("T")


class BadBody(HotlineError):
    """The request's body is not what this address takes; ``reason`` says where."""

    code: ClassVar[str] = "body_invalid"
    http_status: ClassVar[int] = 422


class NotJson(HotlineError):
    """Send application/json."""

    code: ClassVar[str] = "body_not_json"
    http_status: ClassVar[int] = 415


class BodyTooSlow(HotlineError):
    """The request's body did not come in time."""

    code: ClassVar[str] = "body_too_slow"
    http_status: ClassVar[int] = 408


class BodyTooLarge(HotlineError):
    """The request's body is larger than any that this address takes."""

    code: ClassVar[str] = "body_too_large"
    http_status: ClassVar[int] = 413


class ForeignOrigin(HotlineError):
    """The request comes from another site."""

    code: ClassVar[str] = "origin_foreign"
    http_status: ClassVar[int] = 403


OF_BODY: Final = (ForeignOrigin, NotJson, BodyTooSlow, BodyTooLarge, BadBody)
"""What ``body`` may refuse."""
OF_FILE: Final = (ForeignOrigin, BodyTooSlow, BadBody)
"""What a body that is a file may be refused for before it is one."""


def problem(status: int, code: str, title: str, params: dict[str, object]) -> web.Response:
    """A problem document."""
    body = {
        "type": f"urn:hotline12345:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "params": {name: _sayable(value) for name, value in params.items()},
    }
    return web.Response(
        body=msgspec.json.encode(body, enc_hook=str),
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )


def _sayable(value: object) -> object:
    """Texts that came from a request may hold halves of characters, which JSON cannot."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into problem documents; nothing of our inside leaves."""
    try:
        return await handler(request)
    except HotlineError as error:
        if error.http_status >= 500:
            log.warning("request_failed", path=request.path, code=error.code)
        return problem(error.http_status, error.code, error.message, error.params)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}.get(
            error.status, f"http_{error.status}"
        )
        return problem(error.status, code, error.reason, {})
    except ConnectionError:
        raise  # whoever asked has gone
    except Exception:
        log.exception("request_crashed", path=request.path)
        return problem(500, "internal", "Something went wrong on our side", {})


def whole_number(text: str) -> int:
    """A number of PostgreSQL's bigint, from 0; ``BadBody`` for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise BadBody(reason=f"{text[:40]!r} is no number")
    return int(text)


def number_in_path(request: web.Request, name: str) -> int:
    """The number at ``name`` in the request's path."""
    return whole_number(request.match_info[name])


def json_response(value: object, status: int = 200) -> web.Response:
    """A value as JSON, never cached."""
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def body(request: web.Request, type_: type[T]) -> T:
    """The request's JSON body as ``type_``; refuses other content and other sites."""
    refuse_foreign_origin(request)
    if request.content_type != "application/json":
        raise NotJson(content_type=request.content_type)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            raw = await request.read()
    except TimeoutError as error:
        raise BodyTooSlow from error
    except web.HTTPRequestEntityTooLarge as error:
        raise BodyTooLarge from error
    except web.RequestPayloadError as error:
        raise BadBody(reason="broken off, or not in its encoding") from error
    try:
        read = msgspec.json.decode(_keepable(raw), type=type_)
        check_dates(read)
    except UnicodeDecodeError as error:
        raise BadBody(reason="not UTF-8") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BadBody(reason=str(error)) from error
    return read


def _keepable(raw: bytes) -> bytes:
    """The JSON without NUL in its texts, which PostgreSQL cannot keep."""
    if b"\\u0000" not in raw:
        return raw
    return msgspec.json.encode(_without_nul(msgspec.json.decode(raw)))


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    return value


def refuse_foreign_origin(request: web.Request) -> None:
    """A browser always names the origin of a changing request; it must be ours."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise ForeignOrigin(origin=origin)
