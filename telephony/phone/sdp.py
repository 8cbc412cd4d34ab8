"""The little SDP that G.711 phones need. Pure."""

from dataclasses import dataclass

from telephony.phone.errors import PhoneError
from telephony.phone.sip import Address

PCMU = 0
PCMA = 8
DTMF = 101
_NAMES = {PCMU: "PCMU/8000", PCMA: "PCMA/8000"}


@dataclass(frozen=True, slots=True)
class Media:
    """Where and how the other side wants its audio."""

    address: Address
    payloads: tuple[int, ...]
    dtmf: int | None
    direction: str

    def choose(self) -> int:
        """The first payload of theirs that we speak."""
        for payload in self.payloads:
            if payload in _NAMES:
                return payload
        raise PhoneError("the other side speaks neither PCMA nor PCMU")


def build(
    local: Address,
    *,
    payloads: tuple[int, ...] = (PCMA, PCMU),
    version: int = 1,
    direction: str = "sendrecv",
    dtmf: int = DTMF,
) -> bytes:
    """An offer, or an answer with the one chosen payload."""
    host, port = local
    lines = [
        "v=0",
        f"o=- 1 {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(map(str, payloads))} {dtmf}",
        *(f"a=rtpmap:{payload} {_NAMES[payload]}" for payload in payloads),
        f"a=rtpmap:{dtmf} telephone-event/8000",
        f"a=fmtp:{dtmf} 0-16",
        "a=ptime:20",
        f"a={direction}",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def parse(body: bytes) -> Media:
    """Read the first audio stream; PhoneError where there is none."""
    host, port, payloads, dtmf, direction = "", 0, (), None, "sendrecv"
    wanted: tuple[int, ...] = payloads
    for line in body.decode("utf-8", "replace").splitlines():
        kind, _, value = line.strip().partition("=")
        words = value.split()
        if kind == "c" and len(words) == 3:
            host = words[2]
        elif kind == "m" and words[:1] == ["audio"] and not port and len(words) > 3:
            port = _number(words[1])
            wanted = tuple(_number(word) for word in words[3:])
        elif kind == "a" and value.startswith("rtpmap:") and "telephone-event/8000" in value:
            dtmf = _number(value.removeprefix("rtpmap:").split()[0])
        elif kind == "a" and value in ("sendrecv", "sendonly", "recvonly", "inactive"):
            direction = value
    if not host or not wanted:
        raise PhoneError("an SDP without audio")
    return Media((host, port), wanted, dtmf, direction)


def _number(word: str) -> int:
    if not word.isdigit():
        raise PhoneError("an SDP with a number that is none", word=word[:20])
    return int(word)
