"""What one call of the demo amounted to, as ``hotline demo --once --json`` prints it."""

import msgspec

from server.push.protocol import DraftView


class PopReport(msgspec.Struct, frozen=True):
    """``latency_ms``: from the ring, by Asterisk's clock, to the pop's arrival at the desk."""

    count: int
    latency_ms: float | None


class SpokenLine(msgspec.Struct, frozen=True):
    """One utterance; times count from the agent's answer."""

    speaker: str
    text: str
    start_s: float
    end_s: float


class CallReport(msgspec.Struct, frozen=True):
    """One call from the citizen's phone to the ticket.

    ``timings_ms`` are milliseconds since the citizen dialled: answered (by the hotline), rang,
    popped, agent_answered, first_words (citizen's, on the desk), ended, ticket.
    """

    call: str
    pop: PopReport
    engine: str | None
    model: str | None
    is_demo_model: bool
    transcript: list[SpokenLine]
    draft: DraftView
    ticket: dict[str, object] | None
    timings_ms: dict[str, float]
