"""The people who speak in the speech bench, as a switch sends them: a frame every 20 ms.

``python -m bench.speech_speakers PORT VOICES FIRST SECONDS BEGIN_MONO STREAM...`` is a process of
its own, so that its work is not counted as ours.
"""

import asyncio
import struct
import sys
import time
import uuid
from pathlib import Path

from bench.speech_talk import STAGGER_S, frames, talk


async def speak(port: int, stream: str, sound: bytes, begin_mono: float) -> None:
    """One leg."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(struct.pack(">BH", 0x01, 16) + uuid.UUID(stream).bytes)
    for number, frame in enumerate(frames(sound), 1):
        await asyncio.sleep(max(0.0, begin_mono + number * 0.02 - time.monotonic()))
        writer.write(struct.pack(">BH", 0x10, len(frame)) + frame)
        if writer.is_closing():
            return  # Refused.
    await writer.drain()
    writer.close()


async def main(arguments: list[str]) -> None:
    port, voices, first, seconds, begin_mono, *streams = arguments
    people = range(int(first), int(first) + len(streams))
    sounds = [talk(Path(voices), person, float(seconds)) for person in people]
    async with asyncio.TaskGroup() as legs:
        for index, (stream, sound) in enumerate(zip(streams, sounds, strict=True)):
            begins = float(begin_mono) + index * STAGGER_S
            legs.create_task(speak(int(port), stream, sound, begins))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
