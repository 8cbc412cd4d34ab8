from tickets.registration import MachineField, corrections_of
from tickets.ticket import checked_fields


def found(machine: dict[str, str], given: dict[str, str]) -> dict[str, tuple[str | None, ...]]:
    proposed = {name: MachineField(value=value) for name, value in machine.items()}
    corrections = corrections_of(proposed, checked_fields(given), given)
    return {each.field: (each.machine_value, each.final_value) for each in corrections}


LEAST = {"type": "help", "demand": "修复路灯"}


def test_machine_that_was_right_is_not_corrected() -> None:
    assert found(LEAST, LEAST) == {}


def test_changed_emptied_and_added_fields_are_told_apart() -> None:
    machine = LEAST | {"place": "经四路", "phone": "13800138000"}
    given = LEAST | {"place": "经十路", "phone": "", "time": "昨晚"}
    assert found(machine, given) == {
        "place": ("经四路", "经十路"),
        "phone": ("13800138000", None),
        "time": (None, "昨晚"),
    }


def test_defaults_and_what_is_made_of_other_fields_correct_nothing() -> None:
    assert found(LEAST, LEAST | {"urgency": "normal", "wants_reply": "yes"}) == {}


def test_spaces_around_a_value_are_no_correction() -> None:
    assert found(LEAST, {"type": " help ", "demand": "修复路灯\n"}) == {}
