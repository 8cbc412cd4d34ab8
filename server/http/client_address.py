"""Whose address a request comes from and whether it was encrypted, behind proxies of ours.

A proxy tells who asked it in ``Forwarded`` (RFC 7239) or ``X-Forwarded-For``, the nearest hop
last. What a stranger writes there stands further left; so it is read from the right, and only as
far as each teller is a trusted proxy. Without trusted proxies nobody's word counts.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
X_FORWARDED_FOR: Final = "X-Forwarded-For"
X_FORWARDED_PROTO: Final = "X-Forwarded-Proto"
ONE_LINES_BITS: Final = 64
"""Of an IPv6 address: whoever has a line has the whole network behind them."""


class TrustedProxies:
    """Those whose word for an address is believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        """``networks``: addresses or networks, checked already."""
        self._networks = [ipaddress.ip_network(each, strict=False) for each in networks]

    def origin(self, peer: str, hops: Sequence[str]) -> str:
        """The address of the first from the right that is no trusted proxy; ``peer`` is nearest."""
        at = peer
        for hop in reversed(hops):
            told = _address(hop) if self._trust(at) else None
            if told is None:  # a stranger's word, or no address at all
                break
            at = str(told)
        return at

    def client(self, request: web.Request) -> str:
        """Who asks. Where the two headers differ a stranger wrote one: neither is believed."""
        peer = request.remote or ""
        if not self._trust(peer):
            return peer
        forwarded = [each.get("for", "") for each in request.forwarded]
        lines = request.headers.getall(X_FORWARDED_FOR, [])
        found = {
            self.origin(peer, hops)
            for hops in (forwarded, [hop for line in lines for hop in line.split(",")])
            if hops
        }
        return found.pop() if len(found) == 1 else peer

    def scheme(self, request: web.Request) -> str:
        """``https`` where a trusted proxy says that it was asked by it; else the request's own."""
        if not self._trust(request.remote or ""):
            return request.scheme
        said = {each.get("proto", "").lower() for each in request.forwarded[-1:]}
        said.add(request.headers.get(X_FORWARDED_PROTO, "").rpartition(",")[2].strip().lower())
        return "https" if "https" in said else request.scheme

    def _trust(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._networks)


def as_from_the_client(proxies: TrustedProxies) -> Middleware:
    """From here on ``request.remote`` and ``request.scheme`` are the client's."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        client, scheme = proxies.client(request), proxies.scheme(request)
        if (client, scheme) != (request.remote, request.scheme):
            request = request.clone(remote=client, scheme=scheme)
        return await handler(request)

    return middleware


def braked_as(request: web.Request) -> str:
    """What attempts are counted by: the client's address; of IPv6 the network of one line."""
    address = _address(request.remote or "")
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, ONE_LINES_BITS), strict=False))
    return request.remote or ""


def _address(hop: str) -> Address | None:
    """As a proxy writes it: with a port or without, IPv6 in brackets; None for anything else."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
