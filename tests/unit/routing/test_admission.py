"""The decision at call entry."""

import time
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.admission import Admission, Book, Notice, admit
from routing.hours import LOCAL, parse_hours
from routing.queues import Plan, Queue, default_plan

AT = datetime(2026, 11, 27, 10, tzinfo=LOCAL)
PLAN = Plan(
    queues=(
        Queue(name="hotline", title="综合", numbers=("12345",)),
        Queue(
            name="law",
            title="法律",
            numbers=("12348",),
            skill="law",
            hours=parse_hours("mon-fri 09:00-17:00"),
        ),
        Queue(name="language", title="方言", skill="language", takes_back=True),
    )
)


@pytest.mark.parametrize(
    ("called", "at", "queue"),
    [
        ("12345", AT, "hotline"),
        ("12348", AT, "law"),
        ("12348", AT + timedelta(days=1), "hotline"),
        ("unheard of", AT, "hotline"),
    ],
)
def test_the_number_dialled_and_the_hour_choose_the_queue(
    called: str, at: datetime, queue: str
) -> None:
    decision = admit(caller_number="1", called_number=called, at=at, book=Book(PLAN))
    assert decision == Admission(queue)


def test_a_caller_whom_a_queue_takes_back_comes_to_it_by_the_general_number_alone() -> None:
    book = Book(PLAN, former={"138": "language"})
    assert admit(caller_number="138", called_number="12345", at=AT, book=book).queue == "language"
    assert admit(caller_number="138", called_number="12348", at=AT, book=book).queue == "law"
    assert admit(caller_number="139", called_number="12345", at=AT, book=book).queue == "hotline"


def test_callers_hear_of_an_event_that_concerns_their_queue() -> None:
    book = Book(
        PLAN, notices=(Notice("event-7", frozenset({"law"})), Notice("event-3", priority=2))
    )
    law = admit(caller_number="", called_number="12348", at=AT, book=book)
    other = admit(caller_number="", called_number="12345", at=AT, book=book)
    assert law.as_line() == "queue=law&priority=0&prompt=event-7"
    assert other.as_line() == "queue=hotline&priority=2&prompt=event-3"


@given(
    st.text(max_size=20),
    st.text(max_size=20),
    st.datetimes(timezones=st.just(LOCAL)),
    st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5),
)
def test_every_caller_is_admitted_to_an_open_queue_whatever_is_asked(
    caller: str, called: str, at: datetime, former: dict[str, str]
) -> None:
    book = Book(PLAN, former=former)
    decision = admit(caller_number=caller, called_number=called, at=at, book=book)
    assert PLAN.queue(decision.queue).hours.is_open(at)


def test_a_thousand_decisions_take_a_moment() -> None:
    book = Book(default_plan(), former={str(n): "language" for n in range(50_000)})
    begun = time.thread_time()
    for n in range(1000):
        admit(caller_number=str(n), called_number="12345", at=AT, book=book)
    assert time.thread_time() - begun < 0.5
