"""Websocket frames as bytes, made once for all browsers (RFC 6455, section 5.2).

A server's frames are not masked and ours not compressed, so one message is the same bytes for
everybody; they are written whole to each transport, between whatever frames aiohttp writes itself.
"""

import struct

_FINAL_TEXT = 0x81


def text_frame(payload: bytes) -> bytes:
    """One whole text message; ``payload`` is UTF-8."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", _FINAL_TEXT, size) + payload
    if size < 2**16:
        return struct.pack("!BBH", _FINAL_TEXT, 126, size) + payload
    return struct.pack("!BBQ", _FINAL_TEXT, 127, size) + payload
