"""Whose address a request comes from: trusted proxies are believed, strangers' headers are not."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from multidict import CIMultiDict

from server.http.client_address import TrustedProxies, as_from_the_client, braked_as

PROXY, EDGE, STRANGER, CLIENT = "10.0.0.5", "192.0.2.80", "198.51.100.66", "203.0.113.9"
OURS = TrustedProxies(["10.0.0.0/24", EDGE, "2001:db8:ff::/48"])


def request(peer: str, **headers: str | list[str]) -> web.Request:
    sent: CIMultiDict[str] = CIMultiDict()
    for name, values in headers.items():
        for value in [values] if isinstance(values, str) else values:
            sent.add(name.replace("_", "-"), value)
    return make_mocked_request("GET", "/", headers=sent).clone(remote=peer)


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        pytest.param({}, PROXY, id="says-nothing"),
        pytest.param({"X_Forwarded_For": CLIENT}, CLIENT, id="x-forwarded-for"),
        pytest.param({"Forwarded": f"for={CLIENT};proto=https"}, CLIENT, id="forwarded"),
        pytest.param({"X_Forwarded_For": f"{CLIENT}, {EDGE}"}, CLIENT, id="two-of-ours"),
        pytest.param({"X_Forwarded_For": [CLIENT, EDGE]}, CLIENT, id="a-line-each"),
        pytest.param({"Forwarded": [f"for={CLIENT}", f"for={EDGE}"]}, CLIENT, id="forwarded-twice"),
        pytest.param({"X_Forwarded_For": f"1.1.1.1, {CLIENT}"}, CLIENT, id="client-wrote-one-too"),
        pytest.param(
            {"X_Forwarded_For": f"{EDGE}, {CLIENT}, {EDGE}"}, CLIENT, id="client-names-a-proxy"
        ),
        pytest.param(
            {"X_Forwarded_For": CLIENT, "Forwarded": "for=1.1.1.1"}, PROXY, id="headers-differ"
        ),
        pytest.param(
            {"X_Forwarded_For": CLIENT, "Forwarded": f"for={CLIENT}"}, CLIENT, id="headers-agree"
        ),
        pytest.param({"X_Forwarded_For": f"{CLIENT}, unknown"}, PROXY, id="hop-unknown"),
        pytest.param({"Forwarded": f"for={CLIENT}, for=_hidden"}, PROXY, id="hop-hidden"),
        pytest.param({"X_Forwarded_For": f"{CLIENT}:4711"}, CLIENT, id="with-port"),
        pytest.param({"X_Forwarded_For": f"::ffff:{CLIENT}"}, CLIENT, id="ipv4-in-ipv6"),
        pytest.param({"X_Forwarded_For": "2001:db8::7"}, "2001:db8::7", id="ipv6"),
        pytest.param(
            {"Forwarded": 'for="[2001:db8::7]:4711"'}, "2001:db8::7", id="ipv6-in-brackets"
        ),
        pytest.param({"X_Forwarded_For": f"{EDGE}, {EDGE}"}, EDGE, id="a-proxy-itself-asks"),
        pytest.param({"X_Forwarded_For": ""}, PROXY, id="empty"),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_none_of_ours(
    headers: dict[str, str | list[str]], client: str
) -> None:
    assert OURS.client(request(PROXY, **headers)) == client


def test_whatever_a_stranger_writes_changes_nothing() -> None:
    for headers in ({"X_Forwarded_For": CLIENT}, {"Forwarded": f"for={CLIENT}"}):
        assert OURS.client(request(STRANGER, **headers)) == STRANGER
        assert OURS.client(request(PROXY, X_Forwarded_For=f"{CLIENT}, {STRANGER}")) == STRANGER
        assert TrustedProxies([]).client(request("127.0.0.1", **headers)) == "127.0.0.1"


def test_attempts_are_counted_by_address_and_of_ipv6_by_the_network_of_a_line() -> None:
    assert braked_as(request(CLIENT)) == CLIENT
    one, other = request("2001:db8:0:1::7"), request("2001:db8:0:1:ffff::1")
    assert braked_as(one) == braked_as(other) == "2001:db8:0:1::/64"
    assert braked_as(request("2001:db8:0:2::7")) != braked_as(one)


async def test_bodies_and_websockets_pass_a_proxy_of_ours_and_know_the_client() -> None:
    async def take(asked: web.Request) -> web.Response:
        return web.json_response([asked.remote, await asked.text()])

    async def talk(asked: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(asked)
        await socket.send_str(f"{asked.remote} {await socket.receive_str()}")
        return socket

    app = web.Application(middlewares=[as_from_the_client(TrustedProxies(["127.0.0.1"]))])
    app.add_routes([web.post("/body", take), web.get("/socket", talk)])
    headers = {"Forwarded": f"for={CLIENT}"}
    async with TestClient(TestServer(app)) as http:
        for _ in range(2):  # on one connection
            async with http.post("/body", data="x" * 100_000, headers=headers) as answer:
                assert await answer.json() == [CLIENT, "x" * 100_000]
        async with http.ws_connect("/socket", headers=headers) as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == f"{CLIENT} hello"
