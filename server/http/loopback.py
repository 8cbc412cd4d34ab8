"""Who may ask what the dialplan asks: Asterisk, which says the installation's secret.

An address alone proves nothing: behind a proxy on this machine every stranger has this machine's.
"""

import hmac
import ipaddress
from typing import ClassVar, Final

from aiohttp import web

from base.errors import HotlineError

SECRET_HEADER: Final = "X-Dialplan-Secret"


class LoopbackOnly(HotlineError):
    """Only the installation's own Asterisk may ask this."""

    code: ClassVar[str] = "loopback_only"
    http_status: ClassVar[int] = 403


class DialplanOnly:
    """Refuses everybody else; a refusal is no answer to the dialplan, so that the call goes on."""

    def __init__(self, asterisk_addresses: frozenset[str], secret: str) -> None:
        self._asterisk_addresses = asterisk_addresses
        self._secret = secret.encode()

    def check(self, request: web.Request) -> None:
        address = request.remote
        is_ours = address is not None and (
            address in self._asterisk_addresses or ipaddress.ip_address(address).is_loopback
        )
        said = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not (is_ours and hmac.compare_digest(said, self._secret)):
            raise LoopbackOnly
