"""The file of queues: read whole, or refused with its name."""

from pathlib import Path

import pytest

from base.errors import SetupError
from routing.hours import ALWAYS
from routing.return_call import CALLING_HOURS
from server.queue_file import plan_of, read_plan
from server.services.asterisk_queues import lines_out, queue_configs
from server.settings_loader import load_settings

EXAMPLE = Path(__file__).parents[3] / "docs" / "queues.example.toml"


def load(tmp_path: Path, text: str, **more: str) -> Path:
    path = tmp_path / "queues.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_of_the_documentation_becomes_queues_of_asterisk() -> None:
    plan = read_plan(EXAMPLE)
    configs = {each.name: each for each in queue_configs(plan, ("1001", "1002", "1003", "1004"))}
    law = configs["law"]
    assert [(m.name, m.penalty) for m in law.members][:2] == [("1001", 0), ("1002", 10)]
    assert law.open_at == ("08:30-17:29,mon&tue&wed&thu&fri",)
    assert [line.name for line in law.outside] == ["neighbour", "duty1", "duty2"]
    assert [line.is_shared for line in lines_out(plan)] == [True, False, False]
    assert [name for name, _ in law.rules()][:2] == ["law-0", "law-0-stay"]
    stay = dict(law.rules())["law-0-stay"]
    assert all(penalty < 200 for _after_s, penalty in stay)


def test_return_hours_are_those_of_the_file_or_from_eight_to_nine(tmp_path: Path) -> None:
    queue = "[[queue]]\nname='hotline'\ntitle='x'"
    assert read_plan(load(tmp_path, queue)).return_hours == CALLING_HOURS
    assert read_plan(load(tmp_path, f"return_hours='always'\n{queue}")).return_hours == ALWAYS


@pytest.mark.parametrize(
    "text",
    [
        "queue = 1",
        "return_hours='now and then'\n[[queue]]\nname='hotline'\ntitle='x'",
        "[[queue]]\nname='hotline'\ntitle='x'\ncolour='red'",
        "[[queue]]\nname='hotline'\ntitle='x'\nhours='sometimes'",
        "[[queue]]\nname='hotline'\ntitle='x'\nnumbers=['12a']",
        "[[queue]]\nname='law'\ntitle='x'\nskill='law'",
        "\x00",
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(SetupError, match=r"queues\.toml"):
        read_plan(load(tmp_path, text))


def test_agents_that_are_not_there_and_lines_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    settings = load_settings({"HOTLINE_HOME": str(tmp_path)})
    load(tmp_path, "[[queue]]\nname='hotline'\ntitle='x'\n[skills.9999]\nlaw=1")
    with pytest.raises(SetupError, match="9999"):
        plan_of(settings)
    load(
        tmp_path,
        "neighbour='057112345'\n[[queue]]\nname='hotline'\ntitle='x'\noverflow=['neighbour']",
    )
    with pytest.raises(SetupError, match="no line leads out"):
        plan_of(settings)
