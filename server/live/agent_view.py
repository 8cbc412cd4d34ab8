"""An agent's own state as the page shows it."""

from base.ids import AgentId
from routing.desks import Desks
from server.push import protocol as wire


def me_view(desks: Desks, agent: AgentId, dialled: wire.Dialled | None = None) -> wire.AgentState:
    """The state of one agent, and whom they are dialling.

    The person's name is not here: the bridge's database role may not read who works here.
    """
    now = desks.get(agent)
    return wire.AgentState(
        agent=agent,
        state=now.state.value,
        pause_reason=_pause_reason(now.pause_reason),
        phone_registered=bool(now.phone_registered),
        since_at=now.since_at,
        dialled=dialled,
    )


AUTO_PAUSE = "Auto-Pause"
"""The queues' own word where they pause who did not answer."""
_PAUSE_REASONS: tuple[wire.PauseReason, ...] = (
    "rest", "meal", "training", "back_office", "signed_in", "missed_call", "phone", "other",
)  # fmt: skip


def _pause_reason(reason: str | None) -> wire.PauseReason | None:
    if reason is None:
        return None
    if reason == AUTO_PAUSE:
        return "missed_call"
    return next((known for known in _PAUSE_REASONS if known == reason), "other")
