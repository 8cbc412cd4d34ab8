"""Marks in Asterisk's book."""

from telephony.marks import MarkKind, marks_of


def test_marks_are_read_and_everything_else_is_passed_over() -> None:
    rows = [
        ["1795774691", "hl-1.0", "hotline", "NONE", "MARK", "satisfaction", "2"],
        ["1795774692", "hl-1.1", "hotline", "NONE", "MARK", "voicemail", ""],
        ["1795774693", "hl-1.2", "hotline", "NONE", "MARK", "return_asked"],
        ["1795774693", "hl-1.3", "hotline", "NONE", "MARK", "unheard_of", ""],
        ["1795774693", "hl-1.4", "hotline", "NONE", "MARK"],
        ["1795774693", "hl-1.5", "hotline", "NONE", "MARK", "satisfaction", "2; DROP"],
        ["x", "hl-1.6", "hotline", "NONE", "MARK", "voicemail", ""],
        ["1795774693", "hl-1.7", "hotline", "1001", "CONNECT", "1", "2"],
    ]
    found = [(mark.call, mark.kind, mark.value) for mark in marks_of(rows)]
    assert found == [
        ("hl-1.0", MarkKind.SATISFACTION, "2"),
        ("hl-1.1", MarkKind.VOICEMAIL, ""),
        ("hl-1.2", MarkKind.RETURN_ASKED, ""),
    ]
