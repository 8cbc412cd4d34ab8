"""China Mobile's point-to-point protocol CMPP 2.0, as far as a sender needs it. Pure.

Connect, submit, deliver (a report of what became of a message, or somebody's own), active test,
terminate. Field names and widths are the specification's; numbers are big-endian, texts padded with
zeros. Long texts go in parts with the header of GSM 03.40 for joined messages.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

VERSION: Final = 0x20
HEADER: Final = struct.Struct(">III")
MOST_BYTES: Final = 4096
"""Of one packet; the longest that we know is a third of it."""
_CONNECT = struct.Struct(">6s16sBI")
_CONNECT_RESP = struct.Struct(">B16sB")
_SUBMIT = struct.Struct(">8sBBBB10sB21sBBB6s2s6s17s17s21sB21sB")
_SUBMIT_RESP = struct.Struct(">8sB")
_DELIVER = struct.Struct(">8s21s10sBBB21sBB")
_DELIVER_RESP = struct.Struct(">8sB")
_REPORT = struct.Struct(">8s7s10s10s21sI")
UCS2: Final = 8
_ONE_PART_BYTES = 140
_PART_BYTES = 134
"""Of text in each of several, beside its header of six."""
_FREE_OF_CHARGE = (b"01", b"000000")
_SP_PAYS = 2
THROTTLED: Final = 8
"""The result that says: too fast, try again."""


class Command(IntEnum):
    """What a packet is; an answer has the highest bit set."""

    CONNECT = 0x00000001
    CONNECT_RESP = 0x80000001
    TERMINATE = 0x00000002
    TERMINATE_RESP = 0x80000002
    SUBMIT = 0x00000004
    SUBMIT_RESP = 0x80000004
    DELIVER = 0x00000005
    DELIVER_RESP = 0x80000005
    ACTIVE_TEST = 0x00000008
    ACTIVE_TEST_RESP = 0x80000008


class Malformed(ValueError):
    """Not what the protocol says; the link ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet; ``command`` may be one that we do not know."""

    command: int
    sequence: int
    body: bytes = b""

    def encoded(self) -> bytes:
        return HEADER.pack(HEADER.size + len(self.body), self.command, self.sequence) + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A short message, or one part of a long one."""

    number: int
    count: int
    content: bytes
    has_header: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a message that was submitted."""

    message: str
    state: str
    """``DELIVRD``, ``EXPIRED``, ``UNDELIV``, ``REJECTD`` and others."""


def read_header(header: bytes) -> tuple[int, int, int]:
    """Bytes of the body, command, sequence number."""
    length, command, sequence = HEADER.unpack(header)
    if not HEADER.size <= length <= MOST_BYTES:
        raise Malformed(f"a packet of {length} bytes")
    return length - HEADER.size, command, sequence


def parts_of(text: str, reference: int) -> Iterator[Part]:
    """The text as its parts; ``reference`` is common to them (one byte)."""
    content = text.encode("utf-16-be")
    if len(content) <= _ONE_PART_BYTES:
        yield Part(number=1, count=1, content=content, has_header=False)
        return
    pieces = list(_pieces(text))
    for number, piece in enumerate(pieces, 1):
        header = bytes((5, 0, 3, reference & 0xFF, len(pieces), number))
        yield Part(number=number, count=len(pieces), content=header + piece, has_header=True)


def _pieces(text: str) -> Iterator[bytes]:
    """Cut between characters, never inside a surrogate pair."""
    piece = b""
    for each in text:
        encoded = each.encode("utf-16-be")
        if len(piece) + len(encoded) > _PART_BYTES:
            yield piece
            piece = b""
        piece += encoded
    yield piece


def connect_body(account: str, secret: str, at: datetime) -> bytes:
    """``at``: local time in China."""
    timestamp = f"{at:%m%d%H%M%S}"
    proof = authenticator(account, secret, timestamp)
    return _CONNECT.pack(account.encode(), proof, VERSION, int(timestamp))


def read_connect(body: bytes) -> tuple[str, bytes, int, str]:
    """Account, proof, version, timestamp."""
    account, proof, version, timestamp = _unpack(_CONNECT, body)
    return _text(account), proof, version, f"{timestamp:010}"


def authenticator(account: str, secret: str, timestamp: str) -> bytes:
    """Proves that the sender knows the secret; MD5 is the protocol's own."""
    said = account.encode() + bytes(9) + secret.encode() + timestamp.encode()
    return hashlib.md5(said, usedforsecurity=False).digest()


def connect_resp_body(status: int, proof: bytes, secret: str) -> bytes:
    return _CONNECT_RESP.pack(status, gateway_proof(status, proof, secret), VERSION)


def gateway_proof(status: int, proof: bytes, secret: str) -> bytes:
    """Proves that the gateway knows the secret too."""
    said = bytes([status]) + proof + secret.encode()
    return hashlib.md5(said, usedforsecurity=False).digest()


def read_connect_resp(body: bytes) -> tuple[int, bytes]:
    status, proof, _version = _unpack(_CONNECT_RESP, body)
    return status, proof


def submit_body(part: Part, to: str, *, account: str, number: str, service: str) -> bytes:
    fee_type, fee_code = _FREE_OF_CHARGE
    fixed = _SUBMIT.pack(
        bytes(8),
        part.count,
        part.number,
        1,  # a report is wanted
        1,
        service.encode(),
        _SP_PAYS,
        b"",
        0,
        int(part.has_header),
        UCS2,
        account.encode(),
        fee_type,
        fee_code,
        b"",
        b"",
        number.encode(),
        1,
        to.encode(),
        len(part.content),
    )
    return fixed + part.content + bytes(8)


def read_submit(body: bytes) -> tuple[str, Part]:
    """Receiver and part; for gateways."""
    fields = _unpack(_SUBMIT, body[: _SUBMIT.size])
    length = fields[-1]
    content = body[_SUBMIT.size : _SUBMIT.size + length]
    if len(body) != _SUBMIT.size + length + 8:
        raise Malformed("a submit of another length than it says")
    part = Part(number=fields[2], count=fields[1], content=content, has_header=bool(fields[9]))
    return _text(fields[-2]), part


def submit_resp_body(message: bytes, result: int) -> bytes:
    return _SUBMIT_RESP.pack(message, result)


def read_submit_resp(body: bytes) -> tuple[str, int]:
    """The gateway's id for the message, and 0 where it took it."""
    message, result = _unpack(_SUBMIT_RESP, body)
    return message.hex(), result


def report_body(message: bytes, state: str, to: str) -> bytes:
    """A deliver that reports; for gateways."""
    content = _REPORT.pack(message, state.encode(), b"", b"", to.encode(), 0)
    fixed = _DELIVER.pack(message, b"", b"", 0, 0, 0, to.encode(), 1, len(content))
    return fixed + content + bytes(8)


def read_deliver(body: bytes) -> tuple[bytes, Report | None]:
    """The id to be answered with; the report, or None where somebody wrote to us."""
    fields = _unpack(_DELIVER, body[: _DELIVER.size])
    if not fields[7]:
        return fields[0], None
    content = body[_DELIVER.size : _DELIVER.size + fields[8]]
    message, state, _sent, _done, _to, _smsc = _unpack(_REPORT, content)
    return fields[0], Report(message=message.hex(), state=_text(state))


def deliver_resp_body(message: bytes) -> bytes:
    return _DELIVER_RESP.pack(message, 0)


def _unpack(layout: struct.Struct, body: bytes) -> tuple[Any, ...]:
    try:
        return layout.unpack(body)
    except struct.error as error:
        raise Malformed(str(error)) from error


def _text(padded: bytes) -> str:
    return padded.partition(b"\0")[0].decode("ascii", "replace")
