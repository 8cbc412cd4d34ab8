"""The ladder with a caller who misuses the line: what may be done next, and by which article.

Owns the steps, their order, and what each asks for: a city's powers are read from its pack at each
step, never remembered. The strictest one, suspending somebody's use of the line, needs the law, a
warning of that very misuse, the time the law gives, the misuse going on in another call, and a
second person; and it ends by itself. Must never know of Redis, a database or the time of day, and
never stand before an emergency: that comes first in the dialplan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from base.errors import HotlineError
from base.ids import CallId, UserId
from rules import catalogue
from rules.article import ArticleCard
from rules.catalogue import Rule
from rules.pack import Decision, Pack, RuleNotGivenError
from rules.values import Misuse

WARNING_LIFE: Final = timedelta(days=7)
"""An older warning is no ground for anything: nobody is held to a word of long ago."""
MARK_LIFE: Final = timedelta(days=90)
"""An older mark is history, and no reason."""
MANY_TIMES: Final = 3
"""Marked in so many calls: the "many times" of a law that speaks of them."""


class Standing(StrEnum):
    """How far it has come with a number."""

    NONE = "none"
    """Nothing, or nothing that still counts."""
    NOTICED = "noticed"
    """The machine told the caller that they call often."""
    WARNED = "warned"
    """Warned or dissuaded by an agent, in the words of the pack."""
    INFORMED = "informed"
    """Told the consequences in law too."""
    PROPOSED = "proposed"
    """Somebody proposed to suspend; a second person decides."""
    SUSPENDED = "suspended"
    """May not use the line until a fixed hour; emergencies and other ways are open."""


class StepKind(StrEnum):
    """What was done; kept as a row, never renamed."""

    NOTICE = "notice"
    MARK = "mark"
    """An agent saw misuse; changes nothing by itself."""
    WARN = "warn"
    INFORM = "inform"
    END_CALL = "end_call"
    PROPOSE = "propose"
    REFUSE = "refuse"
    """The second person says no."""
    APPROVE = "approve"
    OBJECT = "object"
    """The caller objects."""
    REVIEW = "review"
    """Looked at again, and kept."""
    LIFT = "lift"
    EVIDENCE = "evidence"
    """The file for the police was put together."""


S, K = Standing, StepKind
_ALWAYS: Final = (K.MARK, K.EVIDENCE, K.END_CALL)
"""Change no standing."""
TABLE: Final[Mapping[tuple[Standing, StepKind], Standing]] = {
    **{(standing, kind): standing for standing in Standing for kind in _ALWAYS},
    (S.NONE, K.NOTICE): S.NOTICED,
    **{(standing, K.NOTICE): standing for standing in Standing if standing is not S.NONE},
    (S.NONE, K.WARN): S.WARNED,
    (S.NOTICED, K.WARN): S.WARNED,
    (S.WARNED, K.WARN): S.WARNED,
    (S.INFORMED, K.WARN): S.INFORMED,
    (S.PROPOSED, K.WARN): S.PROPOSED,
    (S.WARNED, K.INFORM): S.INFORMED,
    (S.INFORMED, K.INFORM): S.INFORMED,
    (S.WARNED, K.PROPOSE): S.PROPOSED,
    (S.INFORMED, K.PROPOSE): S.PROPOSED,
    (S.PROPOSED, K.REFUSE): S.NONE,
    (S.PROPOSED, K.APPROVE): S.SUSPENDED,
    (S.SUSPENDED, K.OBJECT): S.SUSPENDED,
    (S.SUSPENDED, K.REVIEW): S.SUSPENDED,
    (S.SUSPENDED, K.LIFT): S.NONE,
}
IN_A_CALL: Final = (K.MARK, K.WARN, K.INFORM, K.PROPOSE, K.END_CALL)
"""What an agent may do, in the order of the ladder."""
_RULES: Final[Mapping[StepKind, Rule[bool]]] = {
    K.WARN: catalogue.WARN,
    K.INFORM: catalogue.CONSEQUENCES,
    K.END_CALL: catalogue.WARN,
    K.PROPOSE: catalogue.SUSPEND,
    K.APPROVE: catalogue.SUSPEND,
    K.EVIDENCE: catalogue.POLICE,
}


class StepIllegal(HotlineError):
    """This step does not follow on what was done so far."""

    code: ClassVar[str] = "nuisance_step_illegal"
    http_status: ClassVar[int] = 409


class MisuseUnknown(HotlineError):
    """The city's rules know no such misuse."""

    code: ClassVar[str] = "nuisance_misuse_unknown"
    http_status: ClassVar[int] = 422


class NotWarned(HotlineError):
    """The caller was not warned of this misuse."""

    code: ClassVar[str] = "nuisance_not_warned"
    http_status: ClassVar[int] = 409


class StillWaiting(HotlineError):
    """The time the caller was given is not over."""

    code: ClassVar[str] = "nuisance_still_waiting"
    http_status: ClassVar[int] = 409


class NotGoingOn(HotlineError):
    """The misuse was not seen again, in another call, after the warning and its time."""

    code: ClassVar[str] = "nuisance_not_going_on"
    http_status: ClassVar[int] = 409


class SamePerson(HotlineError):
    """Whoever proposed it cannot approve it."""

    code: ClassVar[str] = "nuisance_same_person"
    http_status: ClassVar[int] = 409


class NumberWithheld(HotlineError):
    """The caller shows no number: there is nobody to keep this of."""

    code: ClassVar[str] = "nuisance_number_withheld"
    http_status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing done, as kept."""

    kind: StepKind
    at: datetime
    misuse: Misuse | None = None
    call: CallId | None = None
    by: UserId | None = None
    """None: the machine, or the caller."""
    until: datetime | None = None
    """Of a warning: the end of the caller's time. Of an approval: the suspension's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to do."""

    kind: StepKind
    misuse: Misuse | None = None
    call: CallId | None = None
    by: UserId | None = None
    is_illegal: bool | None = None
    """Of evidence: a leader's judgement that it may be an offence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step that may be done now: what is kept, and what is said."""

    step: Step
    script: str = ""
    card: ArticleCard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that counts of a number's steps at one moment."""

    standing: Standing = Standing.NONE
    warnings: tuple[Step, ...] = ()
    """In force, the newest last."""
    proposal: Step | None = None
    until: datetime | None = None
    """The running suspension's end."""
    marks: tuple[Step, ...] = field(default=())

    def warning_of(self, misuse: Misuse | None) -> Step | None:
        """The first warning in force of this misuse: a later one gives no new time."""
        return next((step for step in self.warnings if step.misuse is misuse), None)

    @property
    def is_many_times(self) -> bool:
        return len({step.call for step in self.marks}) >= MANY_TIMES


def read(steps: Sequence[Step], now: datetime) -> Case:
    """Fold a number's steps, oldest first, into what counts now."""
    case = Case()
    for step in steps:
        case = _after(_aged(case, step.at), step)
    case = _aged(case, now)
    return _with(case, marks=tuple(m for m in case.marks if now < m.at + MARK_LIFE))


def _aged(case: Case, now: datetime) -> Case:
    """What time alone ends: suspensions, and warnings with what stood on them."""
    if case.until is not None and now >= case.until:
        case = Case(marks=case.marks)
    if case.warnings and all(now >= step.at + WARNING_LIFE for step in case.warnings):
        is_on_it = case.standing in (Standing.WARNED, Standing.INFORMED, Standing.PROPOSED)
        return Case(marks=case.marks) if is_on_it else case
    live = tuple(step for step in case.warnings if now < step.at + WARNING_LIFE)
    return case if live == case.warnings else _with(case, warnings=live)


def _after(case: Case, step: Step) -> Case:
    standing = TABLE.get((case.standing, step.kind))
    if standing is None:  # kept all the same: what is written is never unwritten
        return case
    match step.kind:
        case StepKind.MARK:
            return _with(case, marks=(*case.marks, step))
        case StepKind.WARN:
            return _with(case, standing=standing, warnings=(*case.warnings, step))
        case StepKind.PROPOSE:
            return _with(case, standing=standing, proposal=step)
        case StepKind.APPROVE:
            return _with(case, standing=standing, until=step.until)
        case StepKind.REFUSE | StepKind.LIFT:
            # Used up: another suspension needs another warning.
            return Case(marks=case.marks)
        case _:
            return _with(case, standing=standing)


def _with(
    case: Case,
    *,
    standing: Standing | None = None,
    warnings: tuple[Step, ...] | None = None,
    proposal: Step | None = None,
    until: datetime | None = None,
    marks: tuple[Step, ...] | None = None,
) -> Case:
    return Case(
        standing=case.standing if standing is None else standing,
        warnings=case.warnings if warnings is None else warnings,
        proposal=proposal or case.proposal,
        until=until or case.until,
        marks=case.marks if marks is None else marks,
    )


def misuses(pack: Pack) -> tuple[Misuse, ...]:
    """The reasons this city's law knows, as codes."""
    return tuple(Misuse(each) for each in pack.decide(catalogue.MISUSES).value)


def has_suspension(pack: Pack) -> bool:
    """Whether this city's law gives the power to suspend at all, in some case."""
    return catalogue.SUSPEND.name in set(pack.group("nuisance"))


def law_of_suspension(pack: Pack) -> tuple[bool, ArticleCard | None]:
    """Whether this city's law gives the power in some case, and its card; or why it does not."""
    card = None
    for misuse in misuses(pack):
        facts = {"misuse": misuse, "warned": True, "waited": True}
        try:
            return has_suspension(pack), pack.decide(catalogue.SUSPEND, facts).card
        except RuleNotGivenError as refusal:
            card = refusal.card
    return False, card


def take(case: Case, wish: Wish, pack: Pack, now: datetime) -> Taken:
    """Say what a wish comes to, or refuse it: by the law first, then by the ladder."""
    misuse = _misuse_of(case, wish)
    if misuse is not None and misuse not in misuses(pack):
        raise MisuseUnknown(misuse=misuse.value)
    if wish.kind in (K.PROPOSE, K.APPROVE) and not has_suspension(pack):
        _refuse_by_law(pack)
    standing = TABLE.get((case.standing, wish.kind))
    if standing is None and wish.kind in (K.PROPOSE, K.INFORM) and not case.warnings:
        raise NotWarned(misuse=misuse and misuse.value)
    if standing is None:
        raise StepIllegal(standing=case.standing.value, step=wish.kind.value)
    decision = _decided(case, wish, misuse, pack, now)
    step = Step(
        kind=wish.kind,
        at=now,
        misuse=misuse,
        call=wish.call,
        by=wish.by,
        until=_until(wish.kind, pack, now),
    )
    if decision is None:
        return Taken(step=step)
    return Taken(step=step, script=decision.script, card=decision.card)


def _misuse_of(case: Case, wish: Wish) -> Misuse | None:
    match wish.kind:
        case StepKind.MARK | StepKind.WARN | StepKind.PROPOSE | StepKind.END_CALL:
            if wish.misuse is None:
                raise MisuseUnknown(misuse="")
            return wish.misuse
        case StepKind.APPROVE | StepKind.REFUSE:
            return None if case.proposal is None else case.proposal.misuse
        case _:
            return wish.misuse


def _decided(
    case: Case, wish: Wish, misuse: Misuse | None, pack: Pack, now: datetime
) -> Decision[bool] | None:
    rule = _RULES.get(wish.kind)
    if rule is None:
        return None
    if wish.kind in (K.PROPOSE, K.APPROVE):
        _check_going_on(case, misuse, pack, now)
    if wish.kind is K.APPROVE and (wish.by is None or _is_by(case.proposal, wish.by)):
        raise SamePerson
    if wish.kind is K.END_CALL:
        _check_may_end(case, wish, misuse, pack, now)
    return pack.decide(rule, _facts(case, misuse, now, is_illegal=wish.is_illegal))


def _facts(
    case: Case, misuse: Misuse | None, now: datetime, *, is_illegal: bool | None = None
) -> Mapping[str, object]:
    warning = case.warning_of(misuse)
    return {
        "misuse": misuse,
        "warned": warning is not None,
        "waited": warning is not None and now >= _waited_at(warning),
        "many_times": case.is_many_times,
        "illegal": is_illegal,
    }


def _check_going_on(case: Case, misuse: Misuse | None, pack: Pack, now: datetime) -> None:
    """Warned of this, given the time the law gives, and seen at it again in another call."""
    warning = case.warning_of(misuse)
    if warning is None:
        raise NotWarned(misuse=misuse and misuse.value)
    at_once = {"misuse": misuse, "warned": True, "waited": False}
    since = warning.at if pack.has(catalogue.SUSPEND, at_once) else _waited_at(warning)
    if now < since:
        raise StillWaiting(until=since.isoformat())
    seen = (step for step in case.marks if step.misuse is misuse and step.at >= since)
    if not any(step.call != warning.call for step in seen):
        raise NotGoingOn(misuse=misuse and misuse.value)


def _check_may_end(
    case: Case, wish: Wish, misuse: Misuse | None, pack: Pack, now: datetime
) -> None:
    """Warned of it in this very call, and told all that this law tells, before it is ended."""
    here = [step for step in case.warnings if step.call == wish.call and step.misuse is misuse]
    if wish.call is None or not here:
        raise NotWarned(misuse=misuse and misuse.value)
    if misuse is not Misuse.HARASSMENT and now < _waited_at(here[0]):
        raise StillWaiting(until=_waited_at(here[0]).isoformat())
    if pack.must(catalogue.CONSEQUENCES) and case.standing is Standing.WARNED:
        raise StepIllegal(standing=case.standing.value, step=wish.kind.value)


def _until(kind: StepKind, pack: Pack, now: datetime) -> datetime | None:
    if kind is StepKind.WARN and pack.has(catalogue.REASONABLE_TIME):
        return now + timedelta(minutes=pack.decide(catalogue.REASONABLE_TIME).value.minutes)
    if kind is StepKind.APPROVE:
        return now + timedelta(hours=pack.decide(catalogue.SUSPENSION).value.hours)
    return None


def _waited_at(warning: Step) -> datetime:
    return warning.until or warning.at


def _is_by(step: Step | None, person: UserId) -> bool:
    return step is not None and step.by == person


def _refuse_by_law(pack: Pack) -> None:
    """Raise with the card that says why this city has no such power."""
    facts = {"misuse": misuses(pack)[0], "warned": True, "waited": True}
    pack.decide(catalogue.SUSPEND, facts)
    raise RuleNotGivenError(catalogue.SUSPEND.name, pack.id)  # pragma: no cover - it has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One step as the page shows it: open, or why not."""

    kind: StepKind
    refusal: HotlineError | None = None
    script: str = ""
    card: ArticleCard | None = None


def offers(case: Case, misuse: Misuse, call: CallId, pack: Pack, now: datetime) -> list[Offer]:
    """What an agent may do in a call, for one kind of misuse."""
    found = []
    for kind in IN_A_CALL:
        wish = Wish(kind=kind, misuse=misuse, call=call)
        try:
            taken = take(case, wish, pack, now)
        except HotlineError as refusal:
            if kind is K.PROPOSE and not has_suspension(pack):
                continue
            if kind is K.INFORM and not pack.has(catalogue.CONSEQUENCES):
                continue
            found.append(Offer(kind=kind, refusal=refusal))
        else:
            found.append(Offer(kind=kind, script=taken.script, card=taken.card))
    return found
