"""One call, played by the people of the demo and watched on the agent's desk."""

import asyncio
import time
from dataclasses import dataclass, field

import structlog

from server.demo.desk_client import DeskClient, DeskError
from server.demo.people import People
from server.demo.report import CallReport, PopReport, SpokenLine
from server.demo.sentences import spoken
from server.push.protocol import DeskView, DraftChanged, DraftView, LineChanged, PopShown
from server.settings import Settings
from telephony.phone import CallState, PhoneCall
from telephony.phone.sound import Sound

log = structlog.get_logger(__name__)

RING_TIMEOUT_S = 60.0
"""Greeting and recording notice play first."""
QUIET_S = 2.0
"""No new word for this long after the last sound: the recogniser has said what it had."""
MOST_WAIT_FOR_WORDS_S = 20.0
TOLD_TIMEOUT_S = 5.0
NOTHING_SAID = "来电人未说明诉求，请回听录音。"


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds since the citizen dialled."""

    started_mono: float = field(default_factory=time.monotonic)
    marks: dict[str, float] = field(default_factory=dict)

    def mark(self, name: str, at_mono: float | None = None) -> None:
        """Note when something first happened."""
        at = time.monotonic() if at_mono is None else at_mono
        self.marks.setdefault(name, round((at - self.started_mono) * 1000, 1))


async def play_call(
    settings: Settings, everybody: People, desk: DeskClient, sound: Sound | None
) -> tuple[str, Stopwatch]:
    """Let the citizen call and speak ``sound`` (None: say nothing); returns the call's id."""
    watch = Stopwatch()
    line = await everybody.citizen.call("12345")
    answered = asyncio.create_task(_note_answer(line, watch))
    agent_line = await everybody.agent.until_ringing(RING_TIMEOUT_S)
    watch.mark("rang")
    view = await desk.until(
        lambda v: v.call is not None and v.call.ended_at is None, "the call", timeout_s=30
    )
    assert view.call is not None
    watch.mark("agent_answered")
    await answered
    await agent_line.until(CallState.UP, timeout_s=10)
    await agent_line.say(spoken(settings, "greeting"))
    if sound is not None:
        await line.say(sound)
    await until_quiet(desk)
    await agent_line.say(spoken(settings, "farewell"))
    await line.hangup()
    await desk.until(
        lambda v: v.call is None or v.call.ended_at is not None, "the end", timeout_s=15
    )
    watch.mark("ended")
    await until_quiet(desk)
    return view.call.call, watch


async def _note_answer(line: PhoneCall, watch: Stopwatch) -> None:
    await line.until_answered(RING_TIMEOUT_S)
    watch.mark("answered")


async def until_quiet(desk: DeskClient) -> None:
    """Wait until no word has come for ``QUIET_S`` and none is still a guess."""
    began_mono = time.monotonic()
    while time.monotonic() - began_mono < MOST_WAIT_FOR_WORDS_S:
        words = [seen.at_mono for seen in desk.seen if isinstance(seen.event, LineChanged)]
        last_mono = max([began_mono, *words])
        has_guess = desk.view is not None and any(not line.is_final for line in desk.view.lines)
        if time.monotonic() - last_mono >= QUIET_S and not has_guess:
            return
        await asyncio.sleep(0.1)


async def confirm(desk: DeskClient, view: DeskView) -> dict[str, object] | None:
    """Confirm the draft as an agent would: what the machine missed is filled in by hand."""
    assert view.call is not None
    assert view.draft is not None
    fields = {name: value.value for name, value in view.draft.fields.items()}
    said = "".join(line.text for line in view.lines if line.speaker == "citizen")
    fields.setdefault("type", "other")
    if not fields.get("demand"):
        fields["demand"] = said or NOTHING_SAID
    if said:
        fields["content"] = said
    answer = await desk.request(
        "POST",
        f"/api/calls/{view.call.call}/confirm",
        {"version": view.draft.version, "fields": fields},
    )
    ticket = answer.get("ticket")
    if not isinstance(ticket, dict):
        return None
    # The desk is told too; it is cleared right after, so the last draft is kept in what was seen.
    await desk.until(
        lambda _view: final_draft(desk, view).ticket_number is not None,
        "the ticket's number on the desk",
        timeout_s=TOLD_TIMEOUT_S,
    )
    return ticket


def report(
    desk: DeskClient,
    view: DeskView,
    watch: Stopwatch,
    ticket: dict[str, object] | None,
    *,
    is_demo_model: bool,
) -> CallReport:
    """Put together what the desk saw of the call."""
    assert view.call is not None
    assert view.draft is not None
    call = view.call.call
    pops = [s for s in desk.seen if isinstance(s.event, PopShown) and s.event.pop.call == call]
    latency_ms = None
    if pops and isinstance(pops[0].event, PopShown):
        latency_ms = round((pops[0].at - pops[0].event.pop.rang_at).total_seconds() * 1000, 1)
        watch.mark("popped", pops[0].at_mono)
    for seen in desk.seen:
        if isinstance(seen.event, LineChanged) and seen.event.line.speaker == "citizen":
            watch.mark("first_words", seen.at_mono)
            break
    return CallReport(
        call=call,
        pop=PopReport(count=len(pops), latency_ms=latency_ms),
        engine=view.call.engine,
        model=view.call.model,
        is_demo_model=is_demo_model,
        transcript=transcript(view),
        draft=final_draft(desk, view),
        ticket=ticket,
        timings_ms=dict(sorted(watch.marks.items(), key=lambda mark: mark[1])),
    )


def transcript(view: DeskView) -> list[SpokenLine]:
    """The lines with words, by time."""
    return [
        SpokenLine(line.speaker, line.text, line.start_s, line.end_s)
        for line in view.lines
        if line.text
    ]


def final_draft(desk: DeskClient, view: DeskView) -> DraftView:
    """The call's draft as the desk saw it last."""
    drafts = [s.event.draft for s in desk.seen if isinstance(s.event, DraftChanged)]
    drafts = [draft for draft in drafts if view.call is not None and draft.call == view.call.call]
    last = drafts[-1] if drafts else view.draft
    if last is None:
        raise DeskError("the call has no draft")
    return last
