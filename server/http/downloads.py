"""A file given piece by piece, to a reader who takes the pieces."""

import asyncio
from typing import BinaryIO, Final

from aiohttp import web

PIECE_BYTES: Final = 256 * 1024
PIECE_S: Final = 30.0
"""A reader that takes no piece for so long is let go."""


async def give(
    request: web.Request,
    response: web.StreamResponse,
    file: BinaryIO,
    *,
    piece_s: float = PIECE_S,
) -> web.StreamResponse:
    """All of ``file`` as the body of ``response``; ``ConnectionResetError`` where nobody reads."""
    await response.prepare(request)
    try:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            async with asyncio.timeout(piece_s):
                await response.write(piece)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError from None
    await response.write_eof()
    return response
