"""How each table's data is protected, and who answers for it (R113). Pure.

The level is that of the most sensitive column. Which logins may read a table is not written here:
it is asked of PostgreSQL, so that the list cannot say something else than what is so.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """What a table holds at the most."""

    SEALED = "sealed"
    """Keys, and what opens a session."""
    PERSONAL = "personal"
    """Who called, from where, what was said, by whom it was handled."""
    WORK = "work"
    """What was done and when, without who called."""
    OPEN = "open"
    """What anybody may know."""


class Keeper(StrEnum):
    """Who answers for it; each is a role of the centre or of the installation."""

    ADMIN = "admin"
    LEADER = "leader"
    SUPERVISOR = "supervisor"
    HEAD = "head"


SEALED, PERSONAL, WORK, OPEN = Level
_OF: Final[Mapping[tuple[Level, Keeper], str]] = {
    (SEALED, Keeper.ADMIN): "users sessions login_attempts idempotent_answers",
    (PERSONAL, Keeper.LEADER): "calls rings utterances drafts late_legs call_parties calls_out"
    " consents return_calls recording_terms recording_pauses emergency_handovers followed"
    " directory nuisance_steps suspensions ticket_words event_calls events event_updates"
    " event_tickets call_marks agent_moves",
    (PERSONAL, Keeper.HEAD): "tickets ticket_corrections attachments contact_attempts refusals"
    " follow_ups explanations ratings assignments unit_requests consults parties reply_doubts"
    " studies study_tickets outages ledger former_texts",
    (PERSONAL, Keeper.SUPERVISOR): "access_log listenings supervision_acts number_reveals",
    (WORK, Keeper.SUPERVISOR): "access_heads",
    (PERSONAL, Keeper.ADMIN): "outbox short_messages units shifts",
    (WORK, Keeper.ADMIN): "timers ticket_days migrations emergency_trunk_tests",
    (OPEN, Keeper.ADMIN): "packs",
}
TABLES: Final[Mapping[str, tuple[Level, Keeper]]] = {
    table: what for what, tables in _OF.items() for table in tables.split()
}
"""Every table of the schema; a test holds the two to each other."""
UNLISTED: Final = (PERSONAL, Keeper.ADMIN)
"""A table that nobody has entered yet is held to be the worst but keys."""
