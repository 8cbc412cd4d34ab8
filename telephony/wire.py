"""AMI bytes to messages and actions to bytes: pure, no sockets, no clock.

A message is decoded only when all its bytes are here, so a Chinese name cut in two by the network
stays whole, and any cut of the same bytes gives the same messages. What is too long to be a message
is an error, never a growing buffer. No action can carry a line break into the stream.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from base.errors import HotlineError

MAX_MESSAGE_BYTES: Final = 256 * 1024
# Asterisk 22.10 refuses lines of 1,023 bytes and more (measured); 1,015 pass.
MAX_ACTION_LINE_BYTES: Final = 1000

_CRLF: Final = b"\r\n"
_END: Final = b"\r\n\r\n"
_EMPTY_LINE: Final = (b"\n", _CRLF)
_CR: Final = ord("\r")
_BANNER: Final = b"Asterisk Call Manager/"
_EVENT: Final = b"Event: "
_NOT_READ: Final = -1.0  # no message is older than 1970
_HEADER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_LINE_BREAKS: Final = re.compile(r"[\r\n\0]")


class WireBroken(HotlineError):
    """What arrived on the manager port is not AMI."""

    code = "telephony_wire_broken"


class ActionUnsafe(HotlineError):
    """An action holds a line break, a bad header name or too long a line; nothing was sent."""

    code = "telephony_action_unsafe"


class Message:
    """One AMI message. Its headers are looked up only when asked for, as most events never are.

    Header names are case-blind (Asterisk's versions differ). A header that is sent several times
    (ChanVariable, Variable, Output) is kept in full: ``get`` gives the first, ``all`` each.
    """

    __slots__ = ("_epoch_s", "_folded", "name", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._folded: bytes | None = None
        self._epoch_s: float | None = _NOT_READ
        # Of an event that comes often; the others are read as any header is.
        self.name: str = _NAMES.get(raw[: raw.find(b"\r")]) or self.get("Event").strip()
        """The event's name; empty for a response."""

    @property
    def is_event(self) -> bool:
        return bool(self.name)

    @property
    def is_response(self) -> bool:
        return not self.name and bool(self.get("Response"))

    def get(self, header: str, default: str = "") -> str:
        # One search in C for each of the few headers a rule reads, instead of a dictionary of all
        # forty that a queue event has. Called for every header read: nothing is left to helpers.
        folded = self._folded
        if folded is None:
            self._folded = folded = _CRLF + self.raw.lower()
        key = _KEYS.get(header) or _key(header)
        at = folded.find(key)
        if at == -1:
            return default
        start = at + len(key) - 2
        raw = self.raw
        if raw[start : start + 1] == b" ":
            start += 1
        end = raw.find(b"\r\n", start)
        return str(raw[start:end] if end != -1 else raw[start:], "utf-8", "replace")

    @property
    def epoch_s(self) -> float | None:
        """The instant that Asterisk gave it; None where that is no number, or none is given."""
        if self._epoch_s == _NOT_READ:
            try:
                self._epoch_s = float(self.get("Timestamp"))
            except ValueError:
                self._epoch_s = None
        return self._epoch_s

    def _fold(self) -> bytes:
        self._folded = folded = _CRLF + self.raw.lower()
        return folded

    def _value(self, start: int) -> str:
        """The value that begins at ``start`` of the folded bytes."""
        start -= len(_CRLF)
        end = self.raw.find(_CRLF, start)
        value = self.raw[start : end if end != -1 else None]
        return value.decode("utf-8", "replace").removeprefix(" ")

    def all(self, header: str) -> Sequence[str]:
        folded, key = self._folded or self._fold(), _KEYS.get(header) or _key(header)
        found, at = [], folded.find(key)
        while at != -1:
            found.append(self._value(at + len(key)))
            at = folded.find(key, at + len(key))
        return found

    def has(self, header: str) -> bool:
        return (self._folded or self._fold()).find(_KEYS.get(header) or _key(header)) != -1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        # Headers hold callers' numbers: they stay out of logs and tracebacks.
        return f"<Message {self.name or 'Response ' + self.get('Response')}>"


# Both grow with the words our own code uses, never with what comes over the wire.
_KEYS: Final[dict[str, bytes]] = {}
_NAMES: Final[dict[bytes, str]] = {}
"""First line of an event → its name."""


def _key(header: str) -> bytes:
    key = _KEYS[header] = b"\r\n" + header.lower().encode() + b":"
    return key


def intern_names(names: Iterable[str]) -> None:
    """Names of events that come often: told from their bytes without decoding them again."""
    _NAMES.update((_EVENT + name.encode(), name) for name in names)


class MessageReader:
    """Cuts a byte stream into messages; feed it whatever the socket gave.

    Lines end with CR LF, as Asterisk writes them, or with LF alone, as recordings that went through
    other tools have them; the first line of each message tells which.
    """

    def __init__(
        self, *, max_message_bytes: int = MAX_MESSAGE_BYTES, is_forgiving: bool = False
    ) -> None:
        self._max_bytes = max_message_bytes
        self._is_forgiving = is_forgiving
        self._buffer = bytearray()
        self._scanned = 0
        self._is_at_start = True
        self._is_skipping = False
        self.banner = ""
        """What Asterisk greeted with, e.g. ``11.0.0``; empty in a recording made after login."""

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take ``data`` in and yield each message that is whole now.

        Raises WireBroken, after the messages before it, where a message is longer than allowed; a
        forgiving reader passes it over instead.
        """
        self._buffer += data
        return self._messages()

    def rest(self) -> Iterator[Message]:
        """At the end of a recording: the last message, which no empty line may follow."""
        return self.feed(_END if b"\r" in self._buffer else b"\n\n")

    def _messages(self) -> Iterator[Message]:
        if self._is_at_start and not self._take_banner():
            return
        while (raw := self._next()) is not None:
            if self._is_skipping:
                self._is_skipping = False
            elif self._is_sized(len(raw)) and raw:
                yield Message(raw)
        if not self._is_sized(len(self._buffer) - len(_CRLF + _END)):
            self._is_skipping = True
            # The end may be half here.
            del self._buffer[: -len(_END) + 1]
            self._scanned = 0

    def _next(self) -> bytes | None:
        """The next whole message's bytes, cut from the buffer, with CR LF between its lines."""
        buffer = self._buffer
        if self._scanned == 0:
            # Empty lines before a message are no message.
            while buffer.startswith(_EMPTY_LINE):
                del buffer[: buffer.index(b"\n") + 1]
        first = buffer.find(b"\n")
        if first == -1:
            return None
        end_mark = _END if buffer[first - 1] == _CR else b"\n\n"
        end = buffer.find(end_mark, self._scanned)
        if end == -1:
            # The end may be half here: look again at its first bytes next time.
            self._scanned = max(0, len(buffer) - len(_END) + 1)
            return None
        raw = bytes(buffer[:end])
        del buffer[: end + len(end_mark)]
        self._scanned = 0
        return raw if end_mark is _END else raw.replace(b"\n", _CRLF)

    def _is_sized(self, size_bytes: int) -> bool:
        if size_bytes <= self._max_bytes:
            return True
        if not self._is_forgiving:
            raise WireBroken("An AMI message has no end.", max_bytes=self._max_bytes)
        return False

    def _take_banner(self) -> bool:
        """Read the greeting line, which no empty line follows; False while it may yet come."""
        start = bytes(self._buffer[: len(_BANNER)])
        if start != _BANNER:
            self._is_at_start = not start or _BANNER.startswith(start)
            return not self._is_at_start
        end = self._buffer.find(b"\n")
        if end == -1:
            return not self._is_sized(len(self._buffer))
        self.banner = self._buffer[len(_BANNER) : end].decode("ascii", "replace").strip()
        del self._buffer[: end + 1]
        self._is_at_start = False
        return True


def encode_action(name: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of one action; raises ActionUnsafe rather than send more than one."""
    lines = [_line("Action", name), *(_line(header, value) for header, value in headers)]
    return _CRLF.join(lines) + _END


def _line(header: str, value: str) -> bytes:
    if not _HEADER_NAME.match(header):
        raise ActionUnsafe("A header of an action has a bad name.", header=header)
    if _LINE_BREAKS.search(value):
        raise ActionUnsafe("A value of an action holds a line break.", header=header)
    line = f"{header}: {value}".encode("utf-8", "replace")
    if len(line) > MAX_ACTION_LINE_BYTES:
        raise ActionUnsafe("A line of an action is too long.", header=header, size_bytes=len(line))
    return line
