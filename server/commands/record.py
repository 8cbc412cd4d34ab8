"""``./hotline record FILE``: writes down what Asterisk's manager tells, without people in it."""

import argparse
import asyncio
import contextlib
import os
import secrets
import time
from pathlib import Path
from typing import BinaryIO

from base.errors import SetupError
from base.task_set import TaskSet
from server.secrets_store import secrets_of
from server.settings import Settings
from server.settings_loader import load_settings
from telephony.client import AmiClient
from telephony.masking import Mask
from telephony.wire import Message

CONNECT_TIMEOUT_S = 10.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "record",
        help="record the manager stream of the running system, people masked",
        description=(
            "Record the manager stream of the running system for ./hotline replay. Numbers and "
            "names are masked, the same one always alike; secrets are never in it. Ends after "
            "--seconds, or with Ctrl-C."
        ),
    )
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--seconds", type=float, metavar="N", help="how long (until Ctrl-C)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record until the time is over; says how much was written."""
    settings = load_settings()
    try:
        descriptor = os.open(args.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise SetupError(
            f"{args.file} cannot be written ({error.strerror})", fix="name another file"
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        recording = Recording(file)
        with contextlib.suppress(KeyboardInterrupt):  # the usual end
            asyncio.run(record(settings, recording, seconds=args.seconds))
    print(f"{recording.messages} messages, {recording.size_bytes} bytes: {args.file}")
    return 0


class Recording:
    """A file that grows by whole masked messages."""

    def __init__(self, file: BinaryIO) -> None:
        self.messages = 0
        self.size_bytes = 0
        self._file = file
        self._mask = Mask(secrets.token_bytes(32))

    def add(self, message: Message) -> None:
        data = self._mask.message(message)
        if data:
            self._file.write(data)
            self._file.flush()
            self.messages += 1
            self.size_bytes += len(data)


async def record(settings: Settings, recording: Recording, *, seconds: float | None) -> None:
    """Write what comes over a link of our own, beside the bridge's."""
    client = AmiClient(
        host=settings.asterisk_address or settings.service_host,
        port=settings.ports.ami,
        username="hotline",
        secret=secrets_of(settings).read("ami"),
    )
    until_mono = time.monotonic() + seconds if seconds is not None else None
    tasks = TaskSet("record")
    tasks.spawn(client.run(), name="link")
    try:
        await client.wait_until_up(timeout_s=CONNECT_TIMEOUT_S)
        await _write(client, recording, until_mono)
    finally:
        client.close()
        await tasks.close()


async def _write(client: AmiClient, recording: Recording, until_mono: float | None) -> None:
    while True:
        left_s = None if until_mono is None else until_mono - time.monotonic()
        if left_s is not None and left_s <= 0:
            return
        try:
            async with asyncio.timeout(left_s):
                item = await client.inbox.take()
        except TimeoutError:
            return
        if isinstance(item, Message):
            recording.add(item)
