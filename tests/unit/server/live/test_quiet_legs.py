"""When a leg without sound is a fault."""

from datetime import UTC, datetime, timedelta

import pytest

from server.live.quiet_legs import Quiet, judge

AT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet_s", "is_held", "resumed_s_ago", "was_forked_again", "expected"),
    [
        (2.0, False, None, False, Quiet.BRIEF),
        (5.9, False, None, False, Quiet.BRIEF),
        (6.0, False, None, False, Quiet.FAULT),
        (60.0, True, None, False, Quiet.HOLD),
        (60.0, True, 30.0, True, Quiet.HOLD),
        (60.0, False, 1.0, False, Quiet.BRIEF),
        (60.0, False, 6.5, False, Quiet.FAULT),
        (4.0, False, 600.0, False, Quiet.BRIEF),
        (60.0, False, -0.5, False, Quiet.BRIEF),
        (6.0, False, None, True, Quiet.STILL_FAULT),
        (2.0, False, None, True, Quiet.BRIEF),
    ],
)
def test_quiet_is_a_fault_only_long_after_any_hold(
    quiet_s: float,
    is_held: bool,
    resumed_s_ago: float | None,
    was_forked_again: bool,
    expected: Quiet,
) -> None:
    resumed_at = None if resumed_s_ago is None else AT - timedelta(seconds=resumed_s_ago)
    judged = judge(
        quiet_s, AT, is_held=is_held, resumed_at=resumed_at, was_forked_again=was_forked_again
    )
    assert judged is expected
