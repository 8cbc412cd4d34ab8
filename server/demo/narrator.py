"""Tells the terminal what happens on the desk, as it happens."""

from collections.abc import Callable
from pathlib import Path

from base.errors import HotlineError
from server.push.protocol import (
    CallChanged,
    CallOpened,
    DeskCleared,
    DeskEvent,
    DraftChanged,
    LineChanged,
    PopShown,
    PopWithdrawn,
)
from telephony.phone.sound import Sound
from transcription.demo_sentences import demo_sentences

DEMO_MODEL_NOTE = (
    "Speech is recognised by the DEMO MODEL: it knows the 17 sentences of this demo and nothing\n"
    "else; whatever else you say comes out as noise. `./hotline model install cn-small` fetches\n"
    "a real Mandarin model where there is internet."
)


class Narrator:
    """One line an event that a person new to this would ask about."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._fields: dict[str, str] = {}
        self._told: dict[str, str] = {}

    def welcome(self, *, address: str, username: str, password: str, is_demo_model: bool) -> None:
        """Where to look."""
        self._say("")
        self._say(f"console:  {address}")
        self._say(f"sign in:  {username} / {password}")
        if is_demo_model:
            self._say(f"\n{DEMO_MODEL_NOTE}")
        self._say("\nEnter: the next caller now; Ctrl-C: the end")

    def calls(self, sound: Sound | None) -> None:
        """A citizen dials."""
        self._fields, self._told = {}, {}
        match sound:
            case None:
                what = "and will say nothing"
            case Path():
                what = f"and says {sound.stem}: {_text(sound.stem)}"
            case _:
                what = "and plays your recording"
        self._say(f"\na citizen calls 12345, hears the greeting {what}")

    def waits(self, wait_s: float) -> None:
        """Between two calls."""
        self._say(f"the next caller comes in {wait_s:.0f} s, or when you press Enter")

    def failed(self, error: HotlineError) -> None:
        """A call that did not come to its end; the next may."""
        self._say(f"this call did not come to its end: {error}")
        self._say("(a call is answered only while the agent is ready: see the console)")

    def confirmed_for_you(self, ticket: dict[str, object] | None) -> None:
        """Nobody confirmed in the browser."""
        number = ticket["number"] if ticket else "(kept on disk)"
        self._say(f"  nobody confirmed in the browser, so the demo did: ticket {number}")

    def tell(self, event: DeskEvent) -> None:
        """One event of the desk."""
        match event:
            case PopShown():
                pop = event.pop
                self._say(
                    f"  the agent's phone rings; pop: {pop.caller_number} {pop.caller_name}, "
                    f"{len(pop.former_calls)} former calls, {len(pop.former_tickets)} tickets"
                )
            case PopWithdrawn() if event.reason != "answered":
                self._say(f"  the pop is withdrawn: {event.reason}")
            case CallOpened():
                self._say("  the agent answers")
            case CallChanged() if event.call.ended_at is not None:
                self._draft()
                self._say("  the call is over; the draft awaits its confirmation in the browser")
            case CallChanged() if event.call.speech == "live":
                self._say("  both voices are being recognised")
            case CallChanged():
                self._say(f"  speech: {event.call.speech}")
            case LineChanged() if event.line.is_final and event.line.text:
                self._say(f"  {event.line.speaker} said: {event.line.text}")
                self._draft()
            case DraftChanged():
                self._fields = {n: field.value for n, field in event.draft.fields.items()}
                if event.draft.ticket_number:
                    self._draft()
                    self._say(f"  ticket {event.draft.ticket_number}")
            case DeskCleared():
                self._say("  the desk is free again")
            case _:
                pass

    def _draft(self) -> None:
        """The draft changes with each word; it is told when somebody has finished speaking."""
        for name, value in self._fields.items():
            if self._told.get(name) != value:
                self._say(f"    draft {name}: {value}")
        self._told = dict(self._fields)


def _text(sentence: str) -> str:
    return next((line.text for line in demo_sentences() if line.id == sentence), "")
