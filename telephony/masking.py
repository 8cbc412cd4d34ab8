"""Takes people out of a recorded manager stream: pure.

The same number or name becomes the same mask throughout one recording, so that calls can still be
followed; with another key it becomes another. Only headers known to be harmless are kept: a header
we do not know might hold anything. Answers to actions are never recorded.
"""

import hashlib
import hmac
import re
from typing import Final

from telephony.wire import Message

# Unique ids and bridge ids hold long numbers that are nobody's; left as they are.
_NUMBERS: Final = re.compile(
    rb"(?P<kept>\d{9,11}\.\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|(?P<number>\d{7,})"
)
# The counter at a channel's end (PJSIP/trunk-00000011) is no number either.
_IN_CHANNELS: Final = re.compile(
    rb"(?P<kept>\d{9,11}\.\d+|-[0-9a-f]{8}(?:;[12])?$)|(?P<number>\d{7,})", re.IGNORECASE
)
_CHANNELS: Final = frozenset(
    {b"channel", b"oldname", b"newname", b"channel1", b"channel2", b"destination"}
)
_PREFIXES: Final = (b"dest", b"transferee", b"transferer", b"origtransferer", b"secondtransferer")
_MORE_PREFIXES: Final = (
    b"target",
    b"transfertarget",
    b"localone",
    b"localtwo",
    b"source",
    b"spyee",
)
_OF_CHANNEL: Final = frozenset(
    {b"channel", b"channelstate", b"channelstatedesc", b"calleridnum", b"connectedlinenum"}
    | {b"uniqueid", b"linkedid", b"exten", b"context", b"priority", b"language"}
)
_KEPT: Final = frozenset(
    {b"event", b"timestamp", b"privilege", b"systemname", b"queue", b"position", b"count"}
    | {b"interface", b"holdtime", b"ringtime", b"talktime", b"reason", b"cause", b"cause-txt"}
    | {b"dialstring", b"dialstatus", b"forward", b"status", b"paused", b"pausedreason", b"penalty"}
    | {b"device", b"state", b"result", b"response", b"application", b"extension", b"isexternal"}
    | {
        b"bridgeuniqueid",
        b"bridgetype",
        b"bridgetechnology",
        b"bridgenumchannels",
        b"bridgecreator",
    }
    | {b"desttype", b"destbridgeuniqueid", b"destapp", b"oldname", b"newname", b"originalposition"}
    | {b"userevent", b"call", b"line", b"called", b"number", b"source", b"membership", b"incall"}
    | {b"callstaken", b"lastcall", b"ringinuse", b"wrapuptime", b"subevent", b"bridgestate"}
    | {b"channel1", b"channel2", b"uniqueid1", b"uniqueid2", b"destination", b"localoptimization"}
)
_NAMES: Final = frozenset({b"calleridname", b"connectedlinename", b"name", b"membername"})
_NOBODY: Final = frozenset({b"", b"<unknown>", b"<null>"})
_DIGITS: Final = b"0123456789"


class Mask:
    """One recording's masks."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def message(self, message: Message) -> bytes:
        """The event without people, as it would come over the wire; empty for an answer."""
        if not message.is_event:
            return b""
        lines = (self._line(line) for line in message.raw.split(b"\r\n"))
        return b"".join(line + b"\r\n" for line in lines if line) + b"\r\n"

    def _line(self, line: bytes) -> bytes:
        name, colon, value = line.partition(b":")
        plain = _without_prefix(name.strip().lower())
        value = value.strip()
        if not colon:
            return b""
        if plain in _NAMES:
            return name + b": " + self.name(value)
        if plain in _KEPT or plain in _OF_CHANNEL:
            numbers = _IN_CHANNELS if plain in _CHANNELS else _NUMBERS
            return name + b": " + numbers.sub(self._number, value)
        return b""

    def name(self, value: bytes) -> bytes:
        """A made-up name; an extension or a member without a name of its own is no name."""
        if value in _NOBODY or value.isdigit() or b"/" in value:
            return _NUMBERS.sub(self._number, value)
        return b"Name-" + self._hash(value).hex()[:8].encode()

    def _number(self, match: "re.Match[bytes]") -> bytes:
        if match["number"] is None:
            return match[0]
        number = match["number"]
        # Its first digit and its length stay: what kind of number it is.
        made_up = bytes(_DIGITS[byte % 10] for byte in self._hash(number) * (len(number) // 32 + 1))
        return number[:1] + made_up[: len(number) - 1]

    def _hash(self, value: bytes) -> bytes:
        return hmac.new(self._key, value, hashlib.sha256).digest()


def _without_prefix(name: bytes) -> bytes:
    if name in _KEPT or name in _NAMES or name in _OF_CHANNEL:
        return name
    for prefix in (*_MORE_PREFIXES, *_PREFIXES):
        rest = name.removeprefix(prefix)
        if rest != name and (rest in _OF_CHANNEL or rest in _NAMES):
            return rest
    return name
