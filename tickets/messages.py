"""What is told to the outside about a ticket, put into the outbox with what it tells of.

Owns the channels and what a message in them holds: codes and numbers, no text and no name. Texts
and telephone numbers are looked up when it is delivered (``server.outside``).
"""

import re
from collections.abc import Iterable
from typing import Final

from base.database import Connection
from base.ids import TicketId
from base.outbox import enqueue
from tickets.acts.scene import CALLER, Message

TO_CALLER: Final = "sms"
TO_UNIT: Final = "unit"
TO_SUBSCRIBER: Final = "webhook"
"""Channels of the outbox."""
_MOBILE: Final = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")


def mobile_of(number: str) -> str | None:
    """The number of a mobile telephone in China, which takes short messages; else None."""
    found = _MOBILE.fullmatch(number)
    return None if found is None else found[1]


async def post_messages(
    connection: Connection, ticket: TicketId, number: str, version: int, messages: Iterable[Message]
) -> None:
    """Those that a version of a ticket sends, in its transaction; each once.

    In their order for each receiver: a unit whose system is away holds up no other's messages.
    """
    for nth, message in enumerate(messages):
        is_to_caller = message.to == CALLER
        await enqueue(
            connection,
            channel=TO_CALLER if is_to_caller else TO_UNIT,
            key=f"{ticket}:{version}:{nth}",
            ordering_key=ticket if is_to_caller else f"{ticket}:{message.to}",
            payload={
                "ticket": number,
                "to": message.to,
                "template": message.template,
                "params": dict(message.params),
            },
        )
