"""Bytes to messages and back."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from telephony.wire import (
    MAX_ACTION_LINE_BYTES,
    ActionUnsafe,
    Message,
    MessageReader,
    WireBroken,
    encode_action,
)
from tests.unit.telephony.recordings import raw

ANSWERED = raw("answered")
# A busy machine is slow, and no error.


def read(chunks: list[bytes], *, max_message_bytes: int = 256 * 1024) -> list[Message]:
    reader = MessageReader(max_message_bytes=max_message_bytes)
    return [message for chunk in chunks for message in reader.feed(chunk)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.integers(min_value=0), max_size=40))
def test_any_cut_of_the_bytes_gives_the_same_messages(places: list[int]) -> None:
    assert read(cut(ANSWERED, places)) == read([ANSWERED])


def test_one_byte_at_a_time_gives_the_same_messages() -> None:
    assert read([ANSWERED[at : at + 1] for at in range(len(ANSWERED))]) == read([ANSWERED])


@given(st.binary(max_size=300), st.lists(st.integers(min_value=0), max_size=10))
@example(b"Asterisk Call Manager/1\r\n\r\n\r\nA: b\r\n\r\n", [23, 24, 26])
@example(b"\r\n\r\nAsterisk", [1, 2, 3])
@example(b"Asterisk Call Manager/", [9])
@example(b"A\r\n\r\n\r\n" + b"x" * 50 + b"\r\n\r\n", [50, 54, 55, 56, 57, 58])
@example(b"A\r\n\r\n\r\n" + b"x" * 51 + b"\r\n\r\n", [50, 54, 55, 56, 57, 58])
@example(b"\n" * 60 + b"x\r\n\r\n", [50, 54, 55, 56, 57, 58])
def test_any_cut_of_garbage_gives_the_same(data: bytes, places: list[int]) -> None:
    def outcome(chunks: list[bytes]) -> tuple[list[Message], bool]:
        reader, messages = MessageReader(max_message_bytes=50), []
        try:
            for chunk in chunks:
                for message in reader.feed(chunk):
                    messages.append(message)  # noqa: PERF402  # kept where the reader then fails
        except WireBroken:
            return messages, True
        return messages, False

    assert outcome(cut(data, places)) == outcome([data])


def test_chinese_name_cut_inside_a_character_stays_whole() -> None:
    data = "Event: Newchannel\r\nCallerIDName: 王小明\r\n\r\n".encode()
    inside = data.index("小".encode()) + 1
    (message,) = read([data[:inside], data[inside:]])
    assert message.get("CallerIDName") == "王小明"


def test_recording_gives_its_banner_and_all_messages() -> None:
    reader = MessageReader()
    messages = list(reader.feed(ANSWERED))
    assert reader.banner == "11.0.0"
    assert messages[0].is_response
    assert messages[0].get("Message") == "Authentication accepted"
    assert len(messages) == ANSWERED.count(b"\nEvent: ") + 1


def test_recording_without_login_banner_is_read_too() -> None:
    start = ANSWERED.index(b"Event: Newchannel")
    assert read([ANSWERED[start:]]) == read([ANSWERED])[2:]


def test_repeated_headers_are_all_kept() -> None:
    (message,) = read([b"Event: X\r\nChanVariable: A=1\r\nChanVariable: B=2=3\r\n\r\n"])
    assert message.all("chanvariable") == ["A=1", "B=2=3"]
    assert message.get("ChanVariable") == "A=1"


def test_empty_last_header_is_kept() -> None:
    (message,) = read([b"Event: Cdr\r\nUniqueID: 1\r\nUserField: \r\n\r\n"])
    assert message.has("UserField")
    assert message.get("UserField", "absent") == ""


def test_blank_lines_between_messages_are_no_messages() -> None:
    assert len(read([b"\r\n\r\n\r\nEvent: A\r\n\r\n\r\n\r\nEvent: B\r\n\r\n"])) == 2


def test_message_without_end_is_an_error_and_those_before_it_are_given() -> None:
    reader = MessageReader(max_message_bytes=100)
    messages = reader.feed(b"Event: A\r\n\r\nX: " + b"x" * 200)
    assert next(messages).name == "A"
    with pytest.raises(WireBroken):
        next(messages)


def test_bytes_that_are_no_utf8_do_not_stop_the_reader() -> None:
    (message,) = read([b"Event: X\r\nCallerIDName: \xff\xfe\r\nNext: 1\r\n\r\n"])
    assert message.get("Next") == "1"


def test_callers_numbers_do_not_show_in_a_message_s_repr() -> None:
    (message,) = read([b"Event: X\r\nCallerIDNum: 13800000001\r\n\r\n"])
    assert "138" not in repr(message)


def test_action_is_written_with_repeated_headers() -> None:
    data = encode_action("Originate", [("Variable", "A=1"), ("Variable", "B=小")])
    assert data == "Action: Originate\r\nVariable: A=1\r\nVariable: B=小\r\n\r\n".encode()


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\n\r\nAction: Command", "a\0b"])
def test_line_break_in_an_action_is_refused(value: str) -> None:
    with pytest.raises(ActionUnsafe):
        encode_action("Setvar", [("Value", value)])
    with pytest.raises(ActionUnsafe):
        encode_action(value, [])


@pytest.mark.parametrize("name", ["", "A: B", "A\r\nB", "小", "-a"])
def test_bad_header_name_in_an_action_is_refused(name: str) -> None:
    with pytest.raises(ActionUnsafe):
        encode_action("Setvar", [(name, "x")])


def test_line_that_is_too_long_for_asterisk_is_refused() -> None:
    with pytest.raises(ActionUnsafe):
        encode_action("Setvar", [("Value", "王" * (MAX_ACTION_LINE_BYTES // 3))])


@given(
    st.lists(
        st.tuples(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True), st.text(max_size=30)),
        max_size=5,
    )
)
def test_no_values_make_more_than_one_action(headers: list[tuple[str, str]]) -> None:
    try:
        data = encode_action("Setvar", headers)
    except ActionUnsafe:
        return
    assert data.count(b"\r\n\r\n") == 1
    assert data.endswith(b"\r\n\r\n")
    assert data.count(b"\n") == len(headers) + 2
