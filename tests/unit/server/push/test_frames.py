"""Our frames are read back by aiohttp as they were meant, at every size."""

import asyncio

import pytest
from aiohttp._websocket.reader_py import WebSocketDataQueue, WebSocketReader
from aiohttp.base_protocol import BaseProtocol

from server.push.frames import text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
async def test_a_frame_is_read_back_whole(size: int) -> None:
    loop = asyncio.get_running_loop()
    queue = WebSocketDataQueue(BaseProtocol(loop), 2**20, loop=loop)
    reader = WebSocketReader(queue, 2**20, compress=False, decode_text=True)
    text = "王" * (size // 3) + "x" * (size % 3)
    reader.feed_data(text_frame(text.encode()) + text_frame(b"next"))
    assert (await queue.read()).data == text
    assert (await queue.read()).data == "next"
