"""A file over HTTP: whole to who reads, and not for ever to who does not."""

import asyncio
import io

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.http.downloads import give

WAIT_S = 10


class Endless(io.BytesIO):
    """A file without an end."""

    def read(self, size: int | None = -1, /) -> bytes:
        return bytes(size or 0)


async def test_a_reader_gets_the_whole_file() -> None:
    content = bytes(range(256)) * 4096

    async def handler(request: web.Request) -> web.StreamResponse:
        return await give(request, web.StreamResponse(), io.BytesIO(content))

    app = web.Application()
    app.router.add_get("/", handler)
    async with TestClient(TestServer(app)) as client, client.get("/") as answer:
        assert await answer.read() == content


async def test_who_takes_no_piece_is_let_go() -> None:
    let_go = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return await give(request, web.StreamResponse(), Endless(), piece_s=0.2)
        except ConnectionResetError:
            let_go.set()
            raise

    app = web.Application()
    app.router.add_get("/", handler)
    async with TestServer(app) as server:
        _reader, writer = await asyncio.open_connection(server.host, server.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        async with asyncio.timeout(WAIT_S):
            await let_go.wait()
        writer.close()
