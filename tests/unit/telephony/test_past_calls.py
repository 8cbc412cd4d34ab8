"""Calls found again in Asterisk's own books."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from telephony.books import CEL, QUEUE_LOG, read_book
from telephony.events import Outcome
from telephony.past_calls import PastCall, calls_between, read_past_calls

T0 = datetime(2026, 3, 1, 4, 0, 0, tzinfo=UTC)
TRUNK = "PJSIP/trunk-00000000"


def stamp(after_s: float) -> str:
    return f"{T0.timestamp() + after_s:.6f}"


def cel(
    kind: str, after_s: float, *, call: str = "h-1.0", channel: str = TRUNK, **more: str
) -> str:
    fields = (
        kind,
        stamp(after_s),
        call,
        more.get("unique", call),
        channel,
        more.get("number", "13800138000"),
        more.get("exten", "12345"),
        more.get("app", ""),
        more.get("extra", ""),
    )
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields)


def hangup(after_s: float, source: str = TRUNK, call: str = "h-1.0") -> str:
    return cel(
        "HANGUP", after_s, call=call, extra=f'{{"hangupcause":16,"hangupsource":"{source}"}}'
    )


def queued(after_s: float, verb: str, *rest: str, member: str = "NONE", call: str = "h-1.0") -> str:
    at = int(T0.timestamp() + after_s)
    return "|".join([str(at), call, "hotline", member, verb, *rest])


def cdr(end_after_s: float, *, userfield: str = "", call: str = "h-1.0") -> str:
    end = (T0 + timedelta(seconds=end_after_s)).strftime("%Y-%m-%d %H:%M:%S")
    clid = '"""王小明"" <13800138000>"'
    head = f'"","13800138000","s","waiting",{clid},"{TRUNK}","","Queue","hotline,t"'
    return (
        f'{head},"{end}","{end}","{end}",32,32,"ANSWERED","DOCUMENTATION",'
        f'"{call}","{userfield}","","{call}",0'
    )


def write(folder: Path, **books: list[str]) -> None:
    paths = {"cel": CEL.path, "queue_log": "queue_log", "cdr": "cdr-csv/Master.csv"}
    for name, lines in books.items():
        path = folder / paths[name]
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def one(folder: Path) -> PastCall:
    (call,) = read_past_calls(folder, T0 - timedelta(hours=1))
    return call


ARRIVED = cel("CHAN_START", 0)
QUEUED = cel("APP_START", 10, app="Queue", exten="s")
MET = cel("BRIDGE_ENTER", 15, channel="PJSIP/1001-00000001", unique="h-2.1")


def test_answered_call_has_every_instant(tmp_path: Path) -> None:
    write(
        tmp_path,
        cel=[ARRIVED, QUEUED, MET, hangup(40), cel("CHAN_END", 40)],
        queue_log=[
            queued(10, "ENTERQUEUE", "", "13800138000", "1"),
            queued(15, "CONNECT", "5", "h-2.1", "2", member="1001"),
            queued(40, "COMPLETECALLER", "5", "25", "1", member="1001"),
        ],
        cdr=[cdr(40)],
    )
    assert one(tmp_path) == PastCall(
        call=one(tmp_path).call,
        caller_number="13800138000",
        caller_name="王小明",
        called_number="12345",
        arrived_at=T0,
        queue="hotline",
        agent=one(tmp_path).agent,
        queued_at=T0 + timedelta(seconds=10),
        answered_at=T0 + timedelta(seconds=15),
        ended_at=T0 + timedelta(seconds=40),
        outcome=Outcome.ANSWERED,
    )
    assert (one(tmp_path).call, one(tmp_path).agent) == ("h-1.0", "1001")


def test_caller_who_hung_up_while_waiting_has_abandoned(tmp_path: Path) -> None:
    write(
        tmp_path,
        cel=[ARRIVED, QUEUED, hangup(30)],
        queue_log=[queued(10, "ENTERQUEUE", "", "1", "1"), queued(30, "ABANDON", "1", "1", "20")],
    )
    assert one(tmp_path).outcome is Outcome.ABANDONED
    assert one(tmp_path).queue == "hotline"


def test_caller_who_hung_up_in_the_greeting_has_abandoned(tmp_path: Path) -> None:
    write(tmp_path, cel=[ARRIVED, hangup(3)])
    assert (one(tmp_path).outcome, one(tmp_path).queue) == (Outcome.ABANDONED, None)


def test_call_that_asterisk_ended_has_failed(tmp_path: Path) -> None:
    write(tmp_path, cel=[ARRIVED, hangup(3, source="")])
    assert one(tmp_path).outcome is Outcome.FAILED


def test_caller_put_through_to_an_emergency_line(tmp_path: Path) -> None:
    line = cel("BRIDGE_ENTER", 5, channel="PJSIP/emergency-00000001", unique="h-2.1")
    write(
        tmp_path,
        cel=[cel("CHAN_START", 0, exten="110"), line, hangup(60)],
        cdr=[cdr(60, userfield="emergency-110")],
    )
    assert (one(tmp_path).outcome, one(tmp_path).emergency_line) == (Outcome.EMERGENCY, "110")


def test_queue_log_alone_still_gives_the_call(tmp_path: Path) -> None:
    call = "h-1772337600.0"
    write(
        tmp_path,
        queue_log=[
            queued(10, "ENTERQUEUE", "", "13800138000", "1", call=call),
            queued(15, "CONNECT", "5", "h-2.1", "2", member="PJSIP/1001", call=call),
        ],
    )
    found = one(tmp_path)
    assert (found.arrived_at, found.agent) == (T0, "1001")
    assert (found.caller_number, found.ended_at) == ("13800138000", None)


def test_call_that_stood_when_asterisk_died_ends_with_its_next_start(tmp_path: Path) -> None:
    start = f"{int(T0.timestamp()) + 99}|NONE|NONE|NONE|QUEUESTART|"
    write(tmp_path, cel=[ARRIVED, QUEUED, MET], queue_log=[start])
    assert one(tmp_path).ended_at == T0 + timedelta(seconds=99)


def test_agents_own_calls_and_forks_are_no_callers(tmp_path: Path) -> None:
    agent = cel("CHAN_START", 0, channel="PJSIP/1001-00000001")
    fork = cel("CHAN_START", 0, call="h-9.9", channel="AudioSocket/127.0.0.1:1-abc")
    write(tmp_path, cel=[agent, fork])
    assert read_past_calls(tmp_path, T0) == []


def test_only_calls_of_the_gap_are_told(tmp_path: Path) -> None:
    lines = []
    for number in range(10):
        call = f"h-{number}.0"
        lines += [cel("CHAN_START", number * 10, call=call), hangup(number * 10 + 5, call=call)]
    write(tmp_path, cel=lines)
    start, end = T0 + timedelta(seconds=24), T0 + timedelta(seconds=60)
    gap = calls_between(tmp_path, start, end)
    assert [call.call for call in gap] == ["h-2.0", "h-3.0", "h-4.0", "h-5.0"]


@pytest.mark.parametrize("hours_ago", [1, 300, 999])
def test_large_book_is_read_from_the_right_place(tmp_path: Path, hours_ago: int) -> None:
    lines = [cel("CHAN_START", -hour * 3600.0, call=f"h-{hour}.0") for hour in range(1000, 0, -1)]
    write(tmp_path, cel=[line for line in lines for _ in range(9)])
    since = T0 - timedelta(hours=hours_ago, minutes=1)
    assert len(read_book(tmp_path, CEL, since=since)) == hours_ago * 9


def test_half_damaged_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, cel=["", '"', "a,b", ARRIVED, "\0\0", '"CHAN_START","x","","","","","","",""'])
    path = tmp_path / CEL.path
    path.write_bytes(path.read_bytes() + b"\xff\xfe,,,\n" + hangup(5).encode())
    assert one(tmp_path).ended_at is None  # its hang-up has no line end yet
    assert read_book(tmp_path, QUEUE_LOG, since=T0) == []


def test_name_with_quotes_and_commas_stays_whole(tmp_path: Path) -> None:
    line = cdr(9).replace("王小明", '张""""三, 李')
    write(tmp_path, cel=[ARRIVED, hangup(9)], cdr=[line])
    assert one(tmp_path).caller_name == '张""三, 李'


@pytest.mark.parametrize("is_connected", [True, False])
def test_line_brought_in_by_the_agents_button_belongs_to_the_call(
    tmp_path: Path, is_connected: bool
) -> None:
    beside = {"channel": "Local/110@emergency-warm-00000000;2", "unique": "h-3.0"}
    told = '{"extra":"handover=h-3.0&call=h-1.0%s"}'
    dialled = cel(
        "EmergencyDialled", 20, call="h-3.0", extra=told % "&line=110&source=button", **beside
    )
    connected = cel("EmergencyConnected", 25, call="h-3.0", extra=told % "", **beside)
    middle = [dialled, connected] if is_connected else [dialled]
    write(tmp_path, cel=[ARRIVED, QUEUED, MET, *middle, hangup(40)])
    call = one(tmp_path)
    assert call.emergency_line == "110"
    assert call.outcome is (Outcome.EMERGENCY if is_connected else Outcome.ANSWERED)
    assert call.agent == "1001"
