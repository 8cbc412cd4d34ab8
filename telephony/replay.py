"""A recorded manager stream read as if it came now: the same parser, the same folds.

Recordings are other people's: with or without the greeting, any line ends, any version, cut
anywhere. Nothing in them is an error; what is no AMI is passed over.
"""

from collections.abc import Iterable

import msgspec

from telephony.follower import Follower
from telephony.journey import Journey
from telephony.wire import MessageReader


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream tells."""

    calls: list[Journey]
    """In the order in which they began."""
    unknown_events: dict[str, int]


def replay(chunks: Iterable[bytes]) -> Replay:
    """Read a stream, given in pieces of any size."""
    reader = MessageReader(is_forgiving=True)
    follower = Follower()
    journeys: list[Journey] = []
    follower.on_journey = journeys.append
    for chunk in chunks:
        for message in reader.feed(chunk):
            follower.apply(message)
    for message in reader.rest():
        follower.apply(message)
    journeys += follower.forget_journeys()
    # Those without any instant stay in the order of their ends, before the others.
    journeys.sort(key=lambda journey: journey.started_at or 0.0)
    return Replay(calls=journeys, unknown_events=dict(follower.unknown_events))
