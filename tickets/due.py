"""When things are due: the clocks of a ticket's pack, asked for one ticket. Pure.

``rules.deadlines`` does the arithmetic and shows the working; here it is asked with what the ticket
knows. A clock that the pack does not have, or whose number nobody has set, is no clock: None.
"""

from datetime import date, datetime
from typing import Final

from rules.calendar import Calendar, OutsideCalendar
from rules.catalogue import Rule
from rules.clock import AmountMissing, ClockNeverStops
from rules.deadlines import (
    Answer,
    Asked,
    ClockFactMissing,
    ExtensionUsedUp,
    LawPeriod,
    PeriodFixed,
    PromiseBeforeStart,
    ask,
)
from rules.pack import RuleNotGivenError
from rules.values import Term, Unit
from tickets.law import Law, refused

OF_CLOCKS: Final = (
    OutsideCalendar,
    ClockNeverStops,
    ClockFactMissing,
    ExtensionUsedUp,
    PromiseBeforeStart,
)
"""Why there may be no due time for what was said."""


class DueTimes:
    """Works out due times with one calendar."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar

    def due(
        self,
        law: Law,
        rule: Rule[Term],
        start_at: datetime,
        *,
        amount: int | None = None,
        refers_to: datetime | None = None,
        law_days: int | None = None,
        law_unit: Unit | None = None,
        promised_on: date | None = None,
    ) -> Answer | None:
        """When the period ends, with its working and card.

        ``amount``: what the centre sets for this ticket. ``refers_to``: the due time that a card, a
        part or an extension goes by. ``law_unit``: how that law counts; None: as the pack reads it.
        """
        kind = rule.name.removeprefix("clock.")
        asked = Asked(
            kind=kind,
            start_at=start_at,
            amounts={} if amount is None else {kind: amount},
            law=None if law_days is None else LawPeriod(days=law_days, unit=law_unit),
            promised_on=promised_on,
            due_at=refers_to,
        )
        try:
            answer = ask(law.pack, self.calendar, asked)
        except (RuleNotGivenError, AmountMissing):
            return None
        except PeriodFixed as error:
            raise refused(law.ask(rule), "period_fixed") from error
        law.rely_on(answer.card)
        return answer
