"""The draft as a whole: evidence, growth, speakers, speed, and input that makes no sense."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.transcription.talks import AGENT, CALLER, NOW, draft, talk, value
from transcription.draft import SUMMARY_MAX, extract
from transcription.draft_ticket import Draft, FieldName, Speaker, Utterance

LINES = (
    f"{AGENT}您好请问有什么可以帮您",
    "你好我要投诉我们楼下那个洗车店",
    "就是滨河区文昌路四十六号金水湾小区九栋楼下",
    f"{AGENT}请问是什么时间的事情呢",
    "每天早上五点多就开始用高压水枪噪音特别大",
    "我们已经找物业反映过三次了他们不管",
    f"{AGENT}您的诉求是什么",
    "希望你们让他八点以后再开工",
    f"{AGENT}请留一下您的电话",
    "一三九一二三",
    "四五六七八",
    f"{AGENT}一三九一二三四五六七八对吗",
    "对的",
    f"{AGENT}您的信息需要保密吗",
    "要的不要告诉老板是我说的",
    f"{AGENT}处理完需要给您回复吗",
    "需要",
)
SYLLABLES = st.sampled_from(
    "我你在的了一二三四五六七八九零幺十百点半号楼栋路街区市县村每天晚上昨希望请不用回复保密电话投诉"
    "咨询火灾水停公交学校，。 ab1390\n朝阳南京和到对嗯"
)
TEXTS = st.one_of(st.text(SYLLABLES, max_size=60), st.text(max_size=40))
TALKS = st.lists(st.tuples(st.sampled_from(Speaker), TEXTS), max_size=8)


def utterances_of(turns: list[tuple[Speaker, str]]) -> list[Utterance]:
    counts = dict.fromkeys(Speaker, 0)
    found = []
    for position, (speaker, text) in enumerate(turns):
        found.append(Utterance(speaker, counts[speaker], text, float(position), position + 0.5))
        counts[speaker] += 1
    return found


def assert_evidence_is_in_the_words(result: Draft, utterances: list[Utterance]) -> None:
    texts = {(u.speaker, u.number): u.text for u in utterances}
    for name, field in result.fields.items():
        assert field.evidence, name
        assert 0 <= field.confidence <= 1
        for piece in field.evidence:
            text = texts[piece.speaker, piece.utterance]
            assert 0 <= piece.start < piece.end <= len(text)
            assert piece.text == text[piece.start : piece.end]
    for name in (FieldName.PLACE, FieldName.TIME, FieldName.DEMAND):
        if name in result.fields:
            said = "".join(piece.text for piece in result.fields[name].evidence)
            assert result.fields[name].value == said


def test_nothing_said_gives_an_empty_draft() -> None:
    assert draft().fields == {}
    assert draft("").fields == {}
    assert draft("嗯", "喂你好").fields == {}


def test_the_agents_own_words_fill_nothing() -> None:
    assert (
        draft(f"{AGENT}您要投诉的是文昌路的工地噪音吗请留电话一三九一二三四五六七八").fields == {}
    )


def test_a_whole_call_fills_every_field() -> None:
    result = draft(*LINES)
    values = {name: field.value for name, field in result.fields.items()}
    assert set(values) == set(FieldName)
    assert values[FieldName.TYPE] == "complain"
    assert values[FieldName.TOPIC] == "environment"
    assert values[FieldName.PLACE] == "滨河区文昌路四十六号金水湾小区九栋楼下"
    assert values[FieldName.TIME].startswith("每天早上五点")
    assert values[FieldName.DEMAND] == "希望你们让他八点以后再开工"
    assert values[FieldName.PHONE] == "13912345678"
    assert values[FieldName.CONFIDENTIAL] == "yes"
    assert values[FieldName.WANTS_REPLY] == "yes"
    assert values[FieldName.URGENCY] == "normal"
    assert_evidence_is_in_the_words(result, talk(*LINES))


def test_a_field_changes_only_when_an_utterance_brings_new_evidence_for_it() -> None:
    """Machine fields hold still while others speak: no flapping under the agent's eyes."""
    before: Draft = draft()
    for count in range(1, len(LINES) + 1):
        now = draft(*LINES[:count])
        for name in (FieldName.PLACE, FieldName.TIME, FieldName.PHONE, FieldName.DEMAND):
            old, new = before.fields.get(name), now.fields.get(name)
            if old is not None and (new is None or new.value != old.value):
                newest = talk(*LINES[:count])[-1]
                assert new is not None
                assert any(
                    (piece.speaker, piece.utterance) == (newest.speaker, newest.number)
                    for piece in new.evidence
                )
        before = now


def test_utterances_given_out_of_order_make_the_same_draft() -> None:
    there = extract(talk(*LINES), caller_number=CALLER, now=NOW)
    back = extract(talk(*LINES)[::-1], caller_number=CALLER, now=NOW)
    assert there == back


def test_the_topic_settles_as_a_sentence_grows() -> None:
    said = "我在厂里干了三年老板拖欠工资也不给交社保"
    topics = [value(FieldName.TOPIC, said[:length]) for length in range(len(said))]
    known = [topic for topic in topics if topic is not None]
    assert set(known) == {"labour_social_security"}


def test_a_three_minute_call_is_reread_within_five_milliseconds_after_each_new_word() -> None:
    lines = [line for _ in range(5) for line in LINES]
    assert sum(len(line) for line in lines) > 700
    said = talk(*lines)
    extract(said, caller_number=CALLER, now=NOW)
    took = []
    for length in range(1, 30):
        last = Utterance(
            Speaker.CITIZEN,
            999,
            "我刚才说的那个洗车店旁边还有一家修理厂也是半夜敲敲打打"[:length],
            999.0,
            1000.0,
        )
        began = time.process_time()
        extract([*said, last], caller_number=CALLER, now=NOW)
        took.append(time.process_time() - began)
    assert sorted(took)[len(took) // 2] < 0.005


@settings(max_examples=300)
@given(TALKS)
def test_any_words_give_a_draft_whose_evidence_is_in_them(turns: list[tuple[Speaker, str]]) -> None:
    utterances = utterances_of(turns)
    result = extract(utterances, caller_number=CALLER, now=NOW)
    assert_evidence_is_in_the_words(result, utterances)
    summary = result.fields.get(FieldName.SUMMARY)
    assert summary is None or len(summary.value) <= SUMMARY_MAX


@settings(max_examples=60)
@given(
    st.text(
        st.sampled_from("一二三零幺每天的路号点个，希望请不到和在"), min_size=400, max_size=2000
    )
)
def test_no_text_makes_the_rules_slow(text: str) -> None:
    began = time.thread_time()
    extract([Utterance(Speaker.CITIZEN, 0, text, 0.0, 1.0)], caller_number=CALLER, now=NOW)
    assert time.thread_time() - began < 1.0
