"""What the dialplan is told of a ticket's progress."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.spoken_progress import SAID, spoken, ticket_number
from telephony.prompts import PROMPTS
from tickets.ticket import TicketState

EXTENSIONS = Path(__file__).parents[3] / "asterisk-conf" / "extensions.conf.j2"


@pytest.mark.parametrize("state", list(TicketState))
def test_every_state_has_its_prompt_and_the_dialplan_knows_it(state: TicketState) -> None:
    assert f"hotline/progress-is-{SAID[state]}" in PROMPTS
    known = re.search(r"\^state=\(([a-z|-]+)\)", EXTENSIONS.read_text("utf-8"))
    assert known is not None
    assert SAID[state] in known[1].split("|")


def test_a_due_day_is_said_in_china_and_only_while_a_reply_is_owed() -> None:
    late = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)  # the first of November there
    assert spoken(TicketState.WITH_UNITS, late) == "state=handled&month=11&day=1"
    assert spoken(TicketState.CLOSED, late) == "state=closed&month=0&day=0"
    assert spoken(TicketState.WITH_UNITS, None) == "state=handled&month=0&day=0"


def test_keys_are_a_tickets_number() -> None:
    assert ticket_number("20261019000001") == "20261019-000001"
