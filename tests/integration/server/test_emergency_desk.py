"""What a desk shows and does about an emergency, through the bridge role as it runs."""

from collections.abc import AsyncIterator

import pytest

from base.ids import AgentId
from server.live.commands import (
    BringInEmergency,
    CommandRefused,
    DismissDangers,
)
from server.settings import Settings
from tests.fakes.live_bridge import LiveBridge


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveBridge]:
    async with LiveBridge(settings) as made:
        await made.make_ready("1001")
        await made.until_view(lambda view: view.links.speech == "up", what="speech")
        yield made


async def test_words_of_danger_raise_the_banner_and_dial_nothing(live: LiveBridge) -> None:
    call = await live.answered_call()
    stream = await live.begin(call)
    await live.say(call, stream, 0, "快来人啊三楼着火了")
    view = await live.until_view(lambda view: bool(view.dangers), what="the banner")
    (danger,) = view.dangers
    assert (danger.kind, danger.line) == ("fire", "119")
    assert "".join(span.text for span in danger.evidence) in "快来人啊三楼着火了"
    assert live.switch.brought_in == []
    await live.say(call, stream, 1, "没有着火我看错了")
    await live.until_view(lambda view: not view.dangers, what="the danger is taken back")


async def test_banner_is_there_again_after_the_bridge_was_killed(live: LiveBridge) -> None:
    call = await live.answered_call()
    stream = await live.begin(call)
    await live.say(call, stream, 0, "三楼着火了")
    await live.until_view(lambda view: bool(view.dangers), what="the banner")
    before = await live.epoch()
    await live.restart()
    await live.until_new(before)
    await live.until_view(
        lambda view: bool(view.dangers) and view.links.telephony == "up", what="the banner again"
    )


async def test_leaders_see_what_was_heard_and_which_line_is_proposed_until_it_is_said_to_be_none(
    live: LiveBridge,
) -> None:
    call = await live.answered_call("13800138000")
    stream = await live.begin(call)
    await live.say(call, stream, 0, "三楼着火了电话一三八零零一三八零零零")
    wall = await live.until_wall(lambda wall: bool(wall.dangers), "the danger")
    (danger,) = wall.dangers
    assert (danger.call, danger.agent, danger.caller_number) == (call, "1001", "138****8000")
    assert [(told.kind, told.line) for told in danger.told] == [("fire", "119")]
    assert danger.told[0].heard in "三楼着火了"
    assert danger.emergency is None
    assert wall.agents[0].flags == ["danger"]
    assert live.switch.brought_in == []
    with pytest.raises(CommandRefused) as refusal:
        await live.ask(DismissDangers(agent="1002", call=call, kinds=["fire"]))
    assert refusal.value.code == "call_not_on_desk"
    await live.ask(DismissDangers(agent="1001", call=call, kinds=["fire"]))
    wall = await live.until_wall(lambda wall: not wall.dangers, "nothing")
    assert wall.agents[0].flags == []
    before = await live.epoch()
    await live.restart()  # neither its time nor the dismissal is forgotten
    await live.until_new(before)
    view = await live.until_view(lambda view: bool(view.dangers), what="the desk again")
    assert [(each.since_at, each.is_dismissed) for each in view.dangers] == [
        (danger.since_at, True)
    ]


@pytest.mark.parametrize("how", ["the line answers", "the call ends"])
async def test_the_danger_leaves_the_wall_when(live: LiveBridge, how: str) -> None:
    call = await live.answered_call()
    stream = await live.begin(call)
    await live.say(call, stream, 0, "三楼着火了")
    await live.until_wall(lambda wall: bool(wall.dangers), "the danger")
    if how == "the call ends":
        live.switch.hang_up(call)
    else:
        await live.ask(BringInEmergency(agent="1001", call=call, line="119"))
        await live.until_wall(
            lambda wall: any(danger.emergency for danger in wall.dangers), "the line asked for"
        )
        live.switch.emergency_answers(call)
    await live.until_wall(lambda wall: not wall.dangers, "nothing")


async def test_button_brings_the_line_in_and_the_card_tells_how_far_it_is(
    live: LiveBridge,
) -> None:
    call = await live.answered_call()
    await live.ask(BringInEmergency(agent="1001", call=call, line="110"))
    assert live.switch.brought_in == [(call, "110", AgentId("1001"))]
    for state in ("dialling", "connected"):
        if state == "connected":
            live.switch.emergency_answers(call)
        view = await live.until_view(
            lambda view, state=state: (  # type: ignore[misc]
                view.call is not None
                and view.call.emergency is not None
                and view.call.emergency.state == state
            ),
            what=state,
        )
        assert view.call is not None
        assert view.call.emergency is not None
        assert view.call.emergency.line == "110"


async def test_button_of_another_desk_is_refused(live: LiveBridge) -> None:
    call = await live.answered_call()
    with pytest.raises(CommandRefused) as refusal:
        await live.ask(BringInEmergency(agent="1002", call=call, line="110"))
    assert refusal.value.code == "call_not_on_desk"
    assert live.switch.brought_in == []


async def test_button_with_a_dead_link_is_refused_at_once(live: LiveBridge) -> None:
    call = await live.answered_call()
    live.switch.lose_link()
    with pytest.raises(CommandRefused) as refusal:
        await live.ask(BringInEmergency(agent="1001", call=call, line="110"))
    assert refusal.value.code == "telephony_link_down"
