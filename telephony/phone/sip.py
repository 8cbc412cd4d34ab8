"""SIP messages as text: parse, build, read the few parts a phone needs. Pure."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from telephony.phone.errors import PhoneError

MOST_BYTES = 65_535
BRANCH_COOKIE = "z9hG4bK"
_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "r": "refer-to",
    "k": "supported",
}
# Copied from a request into its response, in this order.
_ECHOED = ("via", "record-route", "from", "to", "call-id", "cseq")

Address = tuple[str, int]
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SipMessage:
    """A request or a response; headers keep their order and may repeat."""

    start_line: str
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    @property
    def is_response(self) -> bool:
        return self.start_line.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        return int(self.start_line.split(" ", 2)[1])

    @property
    def method(self) -> str:
        """The request's method; of a response, the method it answers."""
        return self.cseq[1] if self.is_response else self.start_line.split(" ", 1)[0]

    @property
    def cseq(self) -> tuple[int, str]:
        number, _, method = self.need("cseq").partition(" ")
        return int(number), method.strip()

    @property
    def call_id(self) -> str:
        return self.need("call-id")

    @property
    def branch(self) -> str:
        return parameter(self.need("via"), "branch") or ""

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def need(self, name: str) -> str:
        if (value := self.get(name)) is None:
            raise PhoneError("a SIP message lacks a header", header=name)
        return value

    def encode(self) -> bytes:
        lines = [self.start_line, *(f"{_title(name)}: {value}" for name, value in self.headers)]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


def parse(data: bytes) -> SipMessage:
    """Parse one datagram; PhoneError where it is no SIP message."""
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").replace("\r\n ", " ").split("\r\n")
    headers: Headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise PhoneError("no SIP message: a header without a colon")
        key = name.strip().lower()
        headers.append((_COMPACT.get(key, key), value.strip()))
    message = SipMessage(lines[0], [pair for pair in headers if pair[0] != "content-length"], rest)
    _check(message)
    return message


def _check(message: SipMessage) -> None:
    words = message.start_line.split(" ")
    is_request = len(words) == 3 and words[2] == "SIP/2.0"
    is_response = message.is_response and words[1].isdigit()
    if not (is_request or is_response):
        raise PhoneError("no SIP message: bad first line")
    try:
        _ = (message.cseq, message.call_id, message.need("via"), message.need("from"))
    except ValueError as error:
        raise PhoneError("no SIP message: bad CSeq") from error


def respond(
    request: SipMessage,
    status: int,
    reason: str,
    *,
    to_tag: str = "",
    extra: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> SipMessage:
    """The response to ``request``; the tag is added where To has none yet."""
    headers: Headers = []
    for name in _ECHOED:
        for value in request.all(name):
            needs_tag = name == "to" and to_tag and parameter(value, "tag") is None
            headers.append((name, f"{value};tag={to_tag}" if needs_tag else value))
    return SipMessage(f"SIP/2.0 {status} {reason}", [*headers, *extra], body)


def parameter(value: str, name: str) -> str | None:
    """A ``;name=value`` parameter behind the address of a header."""
    _, _, after = value.rpartition(">") if ">" in value else value.partition(";")
    for part in after.split(";"):
        key, _, found = part.strip().partition("=")
        if key.lower() == name:
            return found
    return None


def uri_of(value: str) -> str:
    """The address within From, To or Contact."""
    if "<" in value:
        return value.partition("<")[2].partition(">")[0]
    return value.partition(";")[0].strip()


def user_of(value: str) -> str:
    """The user part of an address."""
    uri = uri_of(value)
    return uri.removeprefix("sip:").partition("@")[0] if "@" in uri else ""


def new_branch() -> str:
    return BRANCH_COOKIE + secrets.token_hex(8)


def new_tag() -> str:
    return secrets.token_hex(6)


def _title(name: str) -> str:
    match name:
        case "call-id":
            return "Call-ID"
        case "cseq":
            return "CSeq"
        case "www-authenticate":
            return "WWW-Authenticate"
        case _:
            return "-".join(word.capitalize() for word in name.split("-"))
