"""A process of ours that answers lines of JSON by lines of JSON, in order.

Whoever gives up on an answer must end the process: what it says next would be the answer to
another question.
"""

import asyncio
import contextlib
import sys
from typing import Final

import msgspec

from transcription.worker import child_environment

END_TIMEOUT_S: Final = 2.0


class LineProcess:
    """One child; it ends with its input, or is ended. Has no time-outs but ``end``'s."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        asks: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._asks = asks
        self._answers = answers

    @classmethod
    async def start(cls, module: str, *arguments: str, most_bytes: int) -> "LineProcess":
        """Run ``python -m module``; no answer may be longer than ``most_bytes``."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=child_environment(),
            limit=most_bytes,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        return cls(process, process.stdin, process.stdout)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, question: object) -> bytes:
        """The line that answers; empty where the process ended. Raises OSError, ValueError."""
        self._asks.write(msgspec.json.encode(question) + b"\n")
        await self._asks.drain()
        return await self.next_line()

    async def next_line(self) -> bytes:
        """What it says unasked."""
        return await self._answers.readline()

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await self._process.wait()

    def kill(self) -> None:
        """At once; ``end`` is still owed."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """Kill it and give back what it held."""
        self.kill()
        self._asks.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT_S):
                await self._process.wait()
        with contextlib.suppress(OSError):
            await self._asks.wait_closed()
