"""How names are spelt on the wire: whose phone a channel or queue member is, instants, text.

Pure; the only place that takes Asterisk's spellings apart.
"""

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

from base.ids import AgentId, CallId, StreamId

# PJSIP/1001-0000002a, SIP/1001-0000002a, Local/1001@agents-00000007;1
_CHANNEL: Final = re.compile(r"[^/]+/([^@;]+?)(?:@[^;]*)?-[0-9a-f]+(?:;[12])?\Z")
# AudioSocket/127.0.0.1:12351-9311ae65-add5-4cf5-bdb8-1ad3fb9ef196
_FORK: Final = re.compile(r"AudioSocket/.*?-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")
# hl1-1795315851.0: system name, epoch seconds, counter
_UNIQUE_ID: Final = re.compile(r"(?:.*-)?(\d{9,11})\.\d+\Z")


def agent_of_interface(interface: str) -> AgentId:
    """The agent behind a queue member: ``PJSIP/1001`` and ``Local/1001@agents/n`` → ``1001``."""
    return AgentId(interface.partition("/")[2].partition("@")[0] or interface)


def agent_of_channel(channel: str) -> AgentId | None:
    """The endpoint a channel belongs to: ``PJSIP/1001-0000002a`` → ``1001``."""
    match = _CHANNEL.match(channel)
    return AgentId(match[1]) if match else None


def stream_of_channel(channel: str) -> StreamId | None:
    """The stream that a fork's channel carries; None for every other channel."""
    match = _FORK.match(channel)
    return StreamId(match[1]) if match else None


def interface_of_agent(agent: AgentId) -> str:
    """The queue member of an agent."""
    return f"PJSIP/{agent}"


def instant(epoch_s: float | str) -> datetime | None:
    """The instant of epoch seconds, as a header has them or as they were read."""
    try:
        return datetime.fromtimestamp(float(epoch_s), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def began_at(call: CallId) -> datetime | None:
    """When the channel of this unique id was made: Asterisk writes it into the id."""
    match = _UNIQUE_ID.match(call)
    return instant(match[1]) if match else None


def plain_text(value: str) -> str:
    """Text from our dialplan, percent-encoded there so that no line break can add a header."""
    return unquote(value)


def known_number(value: str) -> str:
    """A caller's number; empty where Asterisk says it has none."""
    return "" if value in ("<unknown>", "anonymous", "Anonymous") else value
