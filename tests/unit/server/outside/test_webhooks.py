"""Signed posts: the specification's own example, and a receiver that is away or gone."""

import base64

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.outside.endpoints import Endpoint
from server.outside.webhooks import (
    EndpointAway,
    EndpointGone,
    EndpointRefused,
    SignedPosts,
    secret_for_receiver,
    signature,
)


def test_the_signature_is_that_of_the_specification() -> None:
    """Key, time, body and signature of the example that Standard Webhooks' libraries test with."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_gets_the_secret_in_the_form_that_its_library_takes() -> None:
    given = secret_for_receiver("abc").removeprefix("whsec_")
    assert base64.b64decode(given) == b"abc"


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, None), (204, None), (302, EndpointRefused), (400, EndpointRefused), (410, EndpointGone)],
)
async def test_what_an_answer_means(status: int, error: type[Exception] | None) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        posts = SignedPosts(http, lambda _: "secret")
        posted = posts.post(Endpoint(name="a", url=str(server.make_url("/"))), "key", {})
        if error is None:
            await posted
        else:
            with pytest.raises(error):
                await posted


async def test_one_that_is_away_rests_and_is_not_asked_meanwhile() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.headers["webhook-id"])
        return web.Response(status=503)

    app = web.Application()
    app.router.add_post("/", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        posts = SignedPosts(http, lambda _: "secret", rests_s=60.0)
        endpoint = Endpoint(name="a", url=str(server.make_url("/")))
        with pytest.raises(EndpointRefused):
            await posts.post(endpoint, "one", {})
        with pytest.raises(EndpointAway):
            await posts.post(endpoint, "two", {})
        nobody = Endpoint(name="b", url="http://127.0.0.1:1/")
        with pytest.raises(EndpointAway):
            await posts.post(nobody, "three", {})
    assert asked == ["one"]
