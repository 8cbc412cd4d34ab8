"""Progress by telephone on a real Asterisk: number and code by key; or the product is dead."""

from telephony.phone import PhoneCall, answer_after
from tests.asterisk.people import AGENT_HZ, Admission, People, voice
from tests.asterisk.switch import PROMPT_HZ, until_heard

NUMBER, CODE = "20261019000001", "902817"
HANDLED = "state=handled&month=2&day=3"


def key_in(call: PhoneCall, keys: str) -> None:
    for key in keys:
        call.send_digit(key)


async def asked_for_number(people: People, number: str) -> PhoneCall:
    call = await (await people.citizen(number)).call("12345")
    await until_heard(call, PROMPT_HZ["hotline/greeting"])
    call.send_digit("7")
    await until_heard(call, PROMPT_HZ["hotline/progress-number"])
    return call


async def test_caller_keys_number_and_code_hears_state_and_due_day_and_gets_to_an_agent(
    people: People, admission: Admission
) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0, play=voice(AGENT_HZ)))
    admission.progress = [HANDLED]
    call = await asked_for_number(people, "13800000091")
    call.send_digit("1")  # no number begins so
    await until_heard(call, PROMPT_HZ["hotline/progress-wrong"])
    key_in(call, NUMBER)
    await until_heard(call, PROMPT_HZ["hotline/progress-code"])
    key_in(call, CODE)
    await until_heard(call, PROMPT_HZ["hotline/progress-is-handled"])
    for digit in ("digits/2", "digits/3"):
        await until_heard(call, PROMPT_HZ[digit])
    await until_heard(call, AGENT_HZ, timeout_s=8)
    told = [each for each in admission.questions if each.get("what") == "progress-of"]
    assert [each["asked"] for each in told] == [f"number={NUMBER}&code={CODE}"]
    assert {each["number"] for each in told} == {"13800000091"}
    await call.hangup()


async def test_with_the_product_dead_the_caller_is_told_so_and_goes_on_to_a_person(
    people: People, admission: Admission
) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0, play=voice(AGENT_HZ)))
    await admission.stop()
    call = await asked_for_number(people, "13800000092")
    key_in(call, NUMBER)
    await until_heard(call, PROMPT_HZ["hotline/progress-code"])
    key_in(call, CODE)
    await until_heard(call, PROMPT_HZ["hotline/progress-unknown"])
    await until_heard(call, AGENT_HZ, timeout_s=8)
    await call.hangup()


async def test_emergency_key_works_where_a_number_is_asked_for(people: People) -> None:
    call = await asked_for_number(people, "13800000093")
    call.send_digit("9")
    await until_heard(call, PROMPT_HZ["hotline/emergency-menu"])
    await call.hangup()
