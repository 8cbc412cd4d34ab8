"""A message as a signed HTTP POST, after the Standard Webhooks specification 1.0.

``webhook-id`` is the message's key, the same in every attempt, by which a receiver tells that it
has it already; ``webhook-signature`` is HMAC-SHA256 over id, time and body, so that a receiver
knows from whom it is, that nothing was changed, and when it was sent. 2xx: the receiver has it.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import aiohttp
import msgspec

from base.errors import HotlineError
from base.outbox import Undeliverable
from server.outside.endpoints import Endpoint

POST_S: Final = 8.0
RESTS_S: Final = 20.0
"""An endpoint that did not answer is left alone for so long, and holds up nobody else's."""
MOST_CONNECTIONS: Final = 32


class EndpointAway(HotlineError):
    """The receiver does not answer; it is tried again."""

    code: ClassVar[str] = "endpoint_away"


class EndpointRefused(HotlineError):
    """The receiver answered that it did not take the message; it is tried again."""

    code: ClassVar[str] = "endpoint_refused"


class EndpointGone(Undeliverable):
    """The receiver answered that it is gone for good (410)."""

    code: ClassVar[str] = "endpoint_gone"


def signature(secret: bytes, key: str, at_s: int, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    said = f"{key}.{at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, said, hashlib.sha256)).decode()


def secret_for_receiver(secret: str) -> str:
    """The secret in the form that libraries of the specification take."""
    return "whsec_" + base64.b64encode(secret.encode()).decode()


class SignedPosts:
    """Posts to endpoints; one that is away holds up no other."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        secret_of: Callable[[Endpoint], str],
        *,
        rests_s: float = RESTS_S,
    ) -> None:
        self._http = http
        self._secret_of = secret_of
        self._rests_s = rests_s
        self._resting: dict[str, float] = {}

    async def post(self, endpoint: Endpoint, key: str, event: Mapping[str, object]) -> None:
        """Returns when the receiver has it."""
        if time.monotonic() < self._resting.get(endpoint.name, 0.0):
            raise EndpointAway(endpoint=endpoint.name)
        body, at_s = msgspec.json.encode(event), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signature(self._secret_of(endpoint).encode(), key, at_s, body),
        }
        try:
            async with (
                asyncio.timeout(POST_S),
                self._http.post(
                    endpoint.url, data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._rest(endpoint)
            raise EndpointAway(endpoint=endpoint.name) from error
        if 200 <= status < 300:
            return
        if status == 410:
            raise EndpointGone(endpoint=endpoint.name)
        if status >= 500 or status == 429:
            self._rest(endpoint)
        raise EndpointRefused(endpoint=endpoint.name, status=status)

    def _rest(self, endpoint: Endpoint) -> None:
        self._resting[endpoint.name] = time.monotonic() + self._rests_s
