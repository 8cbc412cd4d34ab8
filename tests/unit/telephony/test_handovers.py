"""Hand-overs as Asterisk's book tells them."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from telephony.books import Row
from telephony.handovers import HandoverOutcome, assemble

NAME = "王,小明"


def row(kind: str, at_s: float, **told: str) -> Row:
    told = {"handover": "c-1.0/1", "call": "c-1.0"} | told
    extra = json.dumps({"extra": urlencode(told)})
    return [kind, f"{at_s:.6f}", "c-1.0", "c-1.0", "PJSIP/trunk-00000000", "", "s", "", extra]


def dialled(**told: str) -> Row:
    told = {"line": "110", "source": "direct", "by": "", "number": "138", "name": NAME} | told
    return row("EmergencyDialled", 1000.0, **told)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_one_that_reached_the_line_tells_who_when_which_line_and_how_long() -> None:
    (one,) = assemble(
        [
            dialled(),
            row("EmergencyTried", 1004.0, trunk="emergency", status="CHANUNAVAIL", cause="3"),
            row("EmergencyConnected", 1006.0, trunk="emergency-2"),
            row("EmergencyOver", 1066.0),
            row("EmergencyOver", 1066.5),
        ]
    )
    assert (one.call, one.line, one.source, one.agent) == ("c-1.0", "110", "direct", None)
    assert (one.caller_number, one.caller_name) == ("138", NAME)
    assert (one.asked_at, one.answered_at, one.ended_at) == (at(1000), at(1006), at(1066.5))
    assert [(t.trunk, t.status) for t in one.tries] == [("emergency", "CHANUNAVAIL")]
    assert (one.trunk, one.outcome) == ("emergency-2", HandoverOutcome.ANSWERED)


@pytest.mark.parametrize(
    ("rows", "outcome", "has_ended"),
    [
        ([], HandoverOutcome.RINGING, False),
        ([row("EmergencyOver", 1009.0)], HandoverOutcome.GIVEN_UP, True),
        ([row("EmergencyFailed", 1009.0)], HandoverOutcome.UNREACHED, True),
        ([row("EmergencyConnected", 1009.0, trunk="emergency")], HandoverOutcome.ANSWERED, False),
    ],
)
def test_outcome_is_what_became_of_it(
    rows: list[Row], outcome: HandoverOutcome, has_ended: bool
) -> None:
    (one,) = assemble([dialled(), *rows])
    assert (one.outcome, one.ended_at is not None) == (outcome, has_ended)


@pytest.mark.parametrize("by", ["PJSIP/1001-0000002a", "PJSIP/1001"])
def test_agent_behind_a_button_is_known_by_phone_and_by_page(by: str) -> None:
    (one,) = assemble([dialled(source="button", by=by)])
    assert one.agent == "1001"


def test_key_without_a_choice_is_told_too() -> None:
    (one,) = assemble([row("EmergencyUnspecified", 1000.0, source="greeting", number="138")])
    assert (one.line, one.outcome) == ("", HandoverOutcome.NO_CHOICE)


def test_asterisk_that_began_anew_ended_what_stood() -> None:
    began = ["1030", "NONE", "NONE", "NONE", "QUEUESTART"]
    connected = row("EmergencyConnected", 1006.0, trunk="emergency")
    (one,) = assemble([dialled(), connected], [began])
    assert (one.ended_at, one.outcome) == (at(1030), HandoverOutcome.ANSWERED)


def test_damaged_or_foreign_rows_are_passed_over() -> None:
    broken = ["EmergencyDialled", "1000.0", "", "", "", "", "", "", "{"]
    no_json = ["EmergencyDialled", "1000.0", "", "", "", "", "", "", "[1]"]
    lost_beginning = row("EmergencyOver", 1009.0)
    assert assemble([broken, no_json, lost_beginning, ["HANGUP", "x", *[""] * 7]]) == []
