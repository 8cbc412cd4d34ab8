"""The words of those fields that a move declares as text, since its act knows them. Pure data.

The page's forms and the API's document are made with them; which of them a city's rules give is
asked when the move is made.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from rules.values import ReturnGround, Route, RouteStage, Secret
from tickets import moves as m
from tickets.acts.at_unit import TRIGGERS
from tickets.acts.ending import GROUNDS as EXPLANATIONS
from tickets.acts.registration import ELEMENTS, EMERGENCY_MEANS, GROUNDS, UNCLEAR
from tickets.acts.requests import STOPS, TERMINATIONS
from tickets.assignment import Part

KNOWN_CODES: Final[Mapping[tuple[type, str], Iterable[str]]] = {
    (m.NotAccept, "reason"): GROUNDS,
    (m.NotAccept, "route"): Route,
    (m.NotAccept, "stage"): RouteStage,
    (m.NotAccept, "secret"): Secret,
    (m.NotRegister, "reason"): sorted(UNCLEAR),
    (m.HandOver, "line"): ("110", "119", "120", "122"),
    (m.HandOver, "means"): EMERGENCY_MEANS,
    (m.PassCheck, "elements"): ELEMENTS,
    (m.Share, "part"): [each for each in Part if each is not Part.CHILD],
    (m.AskReturn, "ground"): ReturnGround,
    (m.AskTermination, "ground"): TERMINATIONS,
    (m.StopRepeat, "case"): STOPS,
    (m.Supervise, "trigger"): TRIGGERS,
    (m.AskExplanation, "ground"): EXPLANATIONS,
}
"""Codes that a move declares as text, because its act knows which there are."""
