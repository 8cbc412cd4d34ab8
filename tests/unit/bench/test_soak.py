"""What the soak's figures are made of."""

import json
import random
import socket
from datetime import UTC, datetime
from pathlib import Path

from bench.garbage import mutated
from bench.soak_bridge import FaultReport, SoakReport
from bench.soak_log import RoleLogs
from bench.soak_sipp import SERVED, Figures, Sipp


def a_sipp(folder: Path) -> Sipp:
    return Sipp(folder, "agent", "127.0.0.1:5060", "127.0.0.1")


def test_the_last_whole_line_of_sipps_statistics_counts(tmp_path: Path) -> None:
    sipp = a_sipp(tmp_path)
    assert sipp.figures() == Figures()
    head = f"StartTime;TotalCallCreated;SuccessfulCall(C);FailedCall(C);{SERVED};"
    rows = f"{head}\n1;5;3;1;2;\n2;9;6;1;4;\n"
    for torn in ("", "3", "3;11", "3;11;8;1;5", "3;11;8;1;57", "3;11;8;1;57;"):
        sipp.statistics.write_text(rows + torn)
        assert sipp.figures() == Figures(created=9, succeeded=6, failed=1, served=4)
    assert sipp.figures().current == 2
    sipp.statistics.write_text(rows + "3;11;8;1;57;\n")
    assert sipp.figures().served == 57


def test_a_citizen_hears_the_sound_that_is_asked_for(tmp_path: Path) -> None:
    sipp = Sipp(tmp_path, "citizen", "127.0.0.1:5060", "127.0.0.2")
    sipp.sound = tmp_path / "a.alaw"
    assert str(sipp.sound) in sipp._scenario().read_text(encoding="utf-8")


def test_the_reason_why_sipp_ended_is_told(tmp_path: Path) -> None:
    sipp = Sipp(tmp_path, "citizen", "127.0.0.1:5060", "127.0.0.2")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", sipp.port))
        sipp.start()
        assert sipp.wait(timeout_s=10)
    assert "Address already in use" in sipp.said()


def write(path: Path, action: str, level: str, at: datetime) -> None:
    line = {"event": action, "level": level, "timestamp": at.isoformat()}
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")


def test_the_logs_tell_what_was_noticed_first_since_the_fault_began(tmp_path: Path) -> None:
    logs, path = RoleLogs(tmp_path), tmp_path / "bridge.log"
    at = [datetime(2026, 11, 22, 4, 0, second, tzinfo=UTC) for second in range(4)]
    write(path, "ami_link_down", "warning", at[0])
    logs.forget()
    assert logs.first({"ami_link_down"}) is None
    write(path, "redis_away", "warning", at[2])
    write(path, "ami_link_down", "warning", at[1])
    with path.open("a") as file:
        file.write('{"event": "half a li')
    logs.read()
    found = logs.first({"ami_link_down", "redis_away"})
    assert found is not None
    assert (found.process, found.action, found.at) == ("bridge", "ami_link_down", at[1])
    assert logs.loud == {"bridge ami_link_down": 2, "bridge redis_away": 1}


def test_garbage_is_the_same_for_the_same_seed() -> None:
    data = b"Event: Hangup\r\nUniqueid: 1\r\n\r\n"
    first = [mutated(data, random.Random(seed)) for seed in range(50)]
    assert first == [mutated(data, random.Random(seed)) for seed in range(50)]
    assert len(set(first)) > 40


def test_a_soak_is_good_only_when_nothing_was_lost() -> None:
    report = SoakReport(seed=1, rate_per_s=5)
    report.faults.append(FaultReport("ami cut", 0.0, 0.1, 0.3))
    assert report.is_good
    report.callers_lost = 1
    assert not report.is_good
