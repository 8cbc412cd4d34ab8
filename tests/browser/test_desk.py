"""The agent's page in a real browser, against a server that follows a script."""

import re
from datetime import UTC, datetime, timedelta

import msgspec
from playwright.async_api import expect

from rules.library import load_pack
from server.push.protocol import (
    AgentStateChanged,
    CallChanged,
    CallOpened,
    DangerShown,
    DeskCleared,
    DeskEvent,
    DraftChanged,
    LineChanged,
    LinksChanged,
    PopShown,
    PopWithdrawn,
)
from tests.browser.agent import Desk
from tests.fakes import desk_samples as samples
from tests.fakes import wall_samples
from tests.fakes.desk_backend import ADMIN_NAME, AGENT_NAME, FREE_ATTEMPTS


async def ring(desk: Desk) -> None:
    await desk.backend.happen(
        AgentStateChanged(me=samples.me("ringing")), PopShown(pop=samples.pop())
    )
    await expect(desk.pop).to_be_visible()


async def answer(desk: Desk) -> None:
    await desk.backend.happen(
        PopWithdrawn(ring="ring-1", reason="answered"),
        AgentStateChanged(me=samples.me("talking")),
        CallOpened(call=samples.card(), draft=samples.empty_draft()),
    )
    await expect(desk.page.get_by_test_id("call")).to_be_visible()


async def talk(desk: Desk) -> None:
    await desk.backend.happen(*(LineChanged(line=line) for line in samples.TALK))
    await desk.backend.happen(DraftChanged(draft=samples.full_draft()))
    await expect(desk.field("demand")).to_have_value("希望赶紧让他们停下来")


async def hang_up(desk: Desk) -> None:
    await desk.backend.happen(
        CallChanged(call=samples.card("ended", answered_s=60, ended_s=0)),
        AgentStateChanged(me=samples.me("wrap_up")),
    )
    await expect(desk.state).to_have_text("话后整理")


# ---- sign-in -------------------------------------------------------------------------------------


async def test_a_wrong_password_is_told_and_the_right_one_opens_the_desk(desk: Desk) -> None:
    await desk.open()
    await desk.sign_in(password="wrong")
    await expect(desk.page.get_by_role("alert")).to_have_text("用户名或密码不对。")
    await desk.sign_in()
    await expect(desk.state).to_have_text("小休")


async def test_a_locked_sign_in_says_for_how_long(desk: Desk) -> None:
    await desk.open()
    for _ in range(FREE_ATTEMPTS):
        await desk.sign_in(password="wrong")
        await expect(desk.page.get_by_role("alert")).to_be_visible()
    await desk.sign_in()
    await expect(desk.page.get_by_role("alert")).to_contain_text("请 4 分钟后再试")


async def test_somebody_without_a_desk_is_told_so(desk: Desk) -> None:
    await desk.open()
    await desk.sign_in(ADMIN_NAME)
    await expect(desk.page.get_by_role("heading", name="没有坐席工作台")).to_be_visible()
    await desk.page.get_by_role("button", name="签出").click()
    await expect(desk.page.get_by_label("用户名")).to_be_visible()


def talking() -> list[DeskEvent]:
    """What leads into the middle of a call."""
    return [
        AgentStateChanged(me=samples.me("talking")),
        CallOpened(call=samples.card(), draft=samples.empty_draft()),
    ]


async def test_a_message_becomes_a_ticket_and_its_return_call_is_marked_done(desk: Desk) -> None:
    await desk.open_signed_in()
    async with desk.page.expect_popup() as opened:
        await desk.page.get_by_role("link", name="语音留言").click()
    page = await opened.value
    card = page.locator("[data-call=m1]")
    await expect(card).to_contain_text("待回拨")
    await card.get_by_label("标题").fill("人民路路灯不亮")
    await card.get_by_label("不用再回拨").check()
    await card.get_by_role("button", name="生成工单").click()
    await expect(card.get_by_role("link")).to_have_text(samples.TICKET)
    await expect(card).to_contain_text("已办结")
    await expect(card.get_by_role("button")).to_have_count(0)
    (asked,) = desk.backend.asked.messages
    assert asked["fields"]["summary"] == "人民路路灯不亮"
    assert (asked["fields"]["place"], asked["version"]) == ("人民路", 1)
    waiting = page.locator("[data-call=m2]")
    await expect(waiting).to_contain_text("正在由录音转写")
    await waiting.get_by_role("button", name="生成工单").click()
    await expect(waiting.get_by_role("alert")).to_contain_text("没有填写")
    await expect(desk.page.get_by_test_id("idle")).to_be_visible()
    desk.backend.asked.page_loads -= 1  # the other window's


async def test_an_open_event_is_pinned_with_its_newest_facts_and_the_call_is_tagged_by_one_press(
    desk: Desk,
) -> None:
    desk.backend.events = [wall_samples.event()]
    await desk.open_signed_in()
    strip = desk.page.get_by_test_id("events")
    await expect(strip).to_contain_text("抢修中，约十八时恢复")
    await expect(strip.get_by_role("button")).to_have_count(0)  # nobody is on the line
    await desk.backend.happen(*talking())
    await strip.get_by_role("button", name="标记本次来电").click()
    await expect(strip.get_by_role("status")).to_have_text("本次来电已标记")
    assert desk.backend.asked.tagged == [(3, samples.CALL)]


async def test_a_danger_proposes_a_line_and_one_press_brings_it_in(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(*talking())
    danger = desk.page.get_by_test_id("danger")
    await expect(danger).to_have_count(0)
    shown = DangerShown(call=samples.CALL, dangers=samples.DANGERS)
    await desk.backend.happen(LineChanged(line=samples.FIRE), shown)
    await expect(danger).to_contain_text("疑似险情：火情")
    await expect(danger).to_contain_text("在话机上按 *119")
    assert desk.backend.asked.emergencies == []
    await danger.get_by_role("button", name="接通 119").click()
    await expect(desk.page.get_by_text("正在呼叫 119")).to_be_visible()
    assert desk.backend.asked.emergencies == ["119"]
    await desk.backend.happen(DangerShown(call=samples.CALL, dangers=[]))
    await expect(danger).to_have_count(0)


async def test_a_danger_that_is_none_is_put_away_until_another_is_told(desk: Desk) -> None:
    await desk.open_signed_in()
    fire, trapped = samples.DANGERS
    await desk.backend.happen(*talking(), DangerShown(call=samples.CALL, dangers=[fire]))
    danger = desk.page.get_by_test_id("danger")
    await danger.get_by_role("button", name="不是险情").click()
    await expect(danger).to_have_count(0)
    (put_away,) = desk.backend.view.dangers
    await desk.backend.happen(DangerShown(call=samples.CALL, dangers=[put_away, trapped]))
    await expect(danger).to_contain_text("有人被困")
    await expect(danger).not_to_contain_text("火情")


async def test_a_button_that_fails_tells_the_code_of_the_phone(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(*talking())
    desk.backend.edits_fail = True
    lines = desk.page.get_by_test_id("emergency")
    await expect(lines).to_contain_text("通话中在话机上按 *110")
    await lines.get_by_role("button", name="120").click()
    await expect(desk.page.get_by_text("请在话机上按 *120")).to_be_visible()


async def test_a_caller_is_warned_in_the_words_of_the_law_by_keyboard_alone(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(*talking())
    panel = desk.page.get_by_test_id("nuisance")
    await panel.locator("summary").focus()
    await desk.page.keyboard.press("Enter")
    await panel.get_by_label("情形").select_option("harassment")
    propose = panel.get_by_role("button", name="提出暂停使用")
    await expect(propose).to_have_attribute("aria-disabled", "true")
    await panel.get_by_role("button", name="提醒 / 劝阻").focus()
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.get_by_test_id("nuisance-script")).to_contain_text("提醒您")
    await expect(panel).to_contain_text("已提醒或劝阻过")
    assert [kept.step.kind.value for kept in desk.backend.steps] == ["warn"]
    await panel.get_by_role("button", name="按规定结束通话").click()
    await expect(desk.page.get_by_role("dialog")).to_contain_text("紧急键仍然有效")


async def test_where_the_law_gives_no_power_to_suspend_there_is_no_button(desk: Desk) -> None:
    desk.backend.pack = load_pack("taian_draft")
    await desk.open_signed_in()
    await desk.backend.happen(*talking())
    panel = desk.page.get_by_test_id("nuisance")
    await panel.locator("summary").click()
    await expect(panel.get_by_role("button", name="告知法律后果")).to_be_visible()
    await expect(panel.get_by_role("button", name="提出暂停使用")).to_have_count(0)


async def test_the_demo_model_is_named_before_and_after_sign_in(desk: Desk) -> None:
    desk.backend.is_demo = True
    await desk.open()
    await expect(desk.page.get_by_text("演示语音模型")).to_be_visible()
    await desk.sign_in()
    await expect(desk.state).to_be_visible()
    await expect(desk.page.get_by_text("演示语音模型")).to_be_visible()


# ---- pop -----------------------------------------------------------------------------------------


async def test_a_pop_shows_who_calls_with_history_and_warnings(desk: Desk) -> None:
    await desk.open_signed_in()
    await ring(desk)
    await expect(desk.page.get_by_test_id("pop-number")).to_have_text("13800138000")
    await expect(desk.pop).to_contain_text("夜间施工噪声影响休息")
    await expect(desk.pop).to_contain_text("重复来电：30 天内来电 2 次")
    await expect(desk.pop).to_contain_text("坐席 1003")
    await expect(desk.page).to_have_title("【来电】13800138000")
    await expect(desk.page.locator("[aria-live=assertive]")).to_contain_text("来电：13800138000")


async def test_a_pop_answered_elsewhere_goes_and_says_so(desk: Desk) -> None:
    await desk.open_signed_in()
    await ring(desk)
    await expect(desk.pop).to_be_visible()
    await desk.backend.happen(
        PopWithdrawn(ring="ring-1", reason="answered_elsewhere"),
        AgentStateChanged(me=samples.me("ready")),
    )
    await expect(desk.pop).to_have_count(0)
    await expect(desk.page.get_by_text("来电已由其他坐席接听")).to_be_visible()


# ---- words and draft -----------------------------------------------------------------------------


async def test_words_appear_by_speaker_and_partials_are_provisional(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await talk(desk)
    await desk.backend.happen(LineChanged(line=samples.PARTIAL))
    partial = desk.page.locator("#line-citizen-3")
    await expect(partial).to_contain_text("识别中，可能会变")
    await expect(desk.page.locator("#line-agent-0 .meta")).to_have_text(re.compile("坐席 *0:00"))
    final = msgspec.structs.replace(
        samples.PARTIAL, text="家里老人和孩子都睡不着", is_final=True, revision=5
    )
    await desk.backend.happen(LineChanged(line=final))
    await expect(partial).not_to_contain_text("识别中")
    await expect(partial).to_contain_text("家里老人和孩子都睡不着")


async def test_a_field_lights_its_words_and_words_lead_to_their_field(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await talk(desk)
    await desk.field("place").focus()
    await expect(desk.page.locator("mark.lit")).to_have_text("槐荫区经十路")
    await desk.page.locator("#line-citizen-2 mark").first.click()
    assert await desk.focused() == "field-wants_reply"


async def test_a_correction_is_sent_once_and_marked_as_the_agents(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await talk(desk)
    await expect(desk.mark("place")).to_have_text("机器 88%")
    await desk.field("place").fill("经十路 324 号对面工地")
    await expect(desk.mark("place")).to_have_text("人工")
    await expect(desk.page.get_by_text("保存中…")).to_have_count(0)
    assert desk.backend.asked.edits == [("place", "经十路 324 号对面工地")]


async def test_a_machine_update_never_replaces_what_the_agent_types(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await talk(desk)
    await desk.field("time").focus()
    newer = samples.full_draft(version=8)
    newer.fields["time"] = samples.field("夜里十一点", 0.9)
    newer.fields["place"] = samples.field("省立医院对面", 0.9)
    await desk.backend.happen(DraftChanged(draft=newer))
    await expect(desk.field("place")).to_have_value("省立医院对面")
    await expect(desk.field("time")).to_have_value("每天夜里十一点以后")
    await expect(desk.page.get_by_text("机器新识别：夜里十一点")).to_be_visible()
    await desk.press("Alt+a")
    await expect(desk.field("time")).to_have_value("夜里十一点")


async def test_an_edit_survives_a_failing_server_and_is_saved_later(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await talk(desk)
    desk.backend.edits_fail = True
    await desk.field("place").fill("新地点")
    await expect(desk.page.get_by_text("未保存，正在重试")).to_be_visible()
    desk.backend.edits_fail = False
    await expect(desk.mark("place")).to_have_text("人工")
    await expect(desk.page.get_by_text("未保存，正在重试")).to_have_count(0)
    await expect(desk.field("place")).to_have_value("新地点")


async def test_a_confirmed_draft_shows_its_number_and_stays_read_only(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await talk(desk)
    await hang_up(desk)
    await desk.page.get_by_role("button", name="确认工单").click()
    await expect(desk.page.get_by_test_id("ticket")).to_contain_text(samples.TICKET)
    await expect(desk.field("place")).not_to_be_editable()
    assert len(desk.backend.asked.confirmations) == 1
    assert desk.backend.asked.confirmations[0]["place"] == "槐荫区经十路省立医院对面"


async def test_a_draft_kept_on_disk_says_so_and_gets_its_number_later(desk: Desk) -> None:
    desk.backend.keeps_on_disk = True
    await desk.open_signed_in()
    await answer(desk)
    await talk(desk)
    await desk.press("Control+Enter")
    ticket = desk.page.get_by_test_id("ticket")
    await expect(ticket).to_contain_text("工单已保存在本机")
    entered = samples.full_draft(version=9, saved="entered", number=samples.TICKET)
    await desk.backend.happen(DraftChanged(draft=entered))
    await expect(ticket).to_contain_text(samples.TICKET)


async def test_the_page_says_what_still_works_when_parts_are_down(desk: Desk) -> None:
    await desk.open_signed_in()
    links = msgspec.structs.replace(samples.ALL_UP, database="down", speech="down")
    await desk.backend.happen(LinksChanged(links=links))
    await expect(desk.page.get_by_text("工单照常确认，先保存在本机磁盘")).to_be_visible()
    await expect(desk.page.get_by_text("没有实时文字，请手工填写工单")).to_be_visible()


async def test_refused_speech_is_explained(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await desk.backend.happen(CallChanged(call=samples.card("refused")))
    await expect(desk.page.get_by_text("语音识别席位已满")).to_be_visible()


# ---- the line ------------------------------------------------------------------------------------


async def test_a_cut_line_resumes_what_was_missed_without_a_reload(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await desk.backend.happen(LineChanged(line=samples.TALK[0]))
    await expect(desk.page.locator("#line-agent-0")).to_be_visible()
    desk.backend.is_accepting = False
    await desk.backend.cut()
    await expect(desk.page.get_by_test_id("line-lost")).to_be_visible()
    await expect(desk.state).to_have_text("连接中断")
    await desk.backend.happen(*(LineChanged(line=line) for line in samples.TALK[1:]))
    desk.backend.is_accepting = True
    await expect(desk.state).to_have_text("通话中")
    await expect(desk.page.locator(".line")).to_have_count(len(samples.TALK))
    assert [hello.epoch for hello in desk.backend.asked.hellos] == [None, "epoch-1"]
    assert desk.backend.asked.hellos[1].seq == 4


async def test_lost_history_brings_a_new_snapshot(desk: Desk) -> None:
    await desk.page.clock.install()
    await desk.open_signed_in()
    # The page's own next try never comes: it would take the button away before it is pressed.
    await desk.page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    await desk.backend.cut()
    await expect(desk.page.get_by_test_id("line-lost")).to_be_visible()
    desk.backend.lose_history()
    await desk.backend.happen(PopShown(pop=samples.pop()))
    await desk.page.get_by_role("button", name="立即重连").click()
    await expect(desk.page.get_by_test_id("pop-number")).to_have_text("13800138000")


async def test_an_offline_network_shows_at_once_and_comes_back(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.page.context.set_offline(True)
    await expect(desk.state).to_have_text("连接中断")
    await desk.page.context.set_offline(False)
    await expect(desk.state).to_have_text("小休")


async def test_an_ended_session_leads_to_sign_in(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.page.context.clear_cookies()
    await desk.backend.cut()
    await expect(desk.page.get_by_text("登录已失效，请重新登录。")).to_be_visible()


# ---- states and keys -----------------------------------------------------------------------------


async def test_a_control_that_cannot_be_used_says_why(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    ready = desk.page.get_by_role("button", name="就绪")
    await ready.focus()
    await expect(ready).to_have_attribute("aria-disabled", "true")
    await expect(ready).to_have_accessible_description("通话中不能切换，请先结束通话")
    await expect(desk.page.get_by_text("通话中不能切换，请先结束通话").first).to_be_visible()
    await ready.click(force=True)
    assert desk.backend.asked.states == []


async def test_leaving_an_unconfirmed_draft_behind_is_asked_first(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await talk(desk)
    await hang_up(desk)
    await desk.press("Alt+r")
    await expect(desk.page.get_by_role("dialog")).to_contain_text("工单还没有确认")
    await desk.press("Escape")
    await expect(desk.page.get_by_role("dialog")).to_have_count(0)
    assert desk.backend.asked.states == []
    await desk.press("Alt+r")
    await desk.page.get_by_role("button", name="不生成工单，就绪").click()
    await expect(desk.state).to_have_text("就绪")


async def test_a_whole_call_by_keyboard_alone(desk: Desk) -> None:
    """From sign-in to ready for the next call, no mouse."""
    await desk.open()
    await expect(desk.page.get_by_label("用户名")).to_be_focused()
    await desk.page.keyboard.type(AGENT_NAME)
    await desk.press("Tab")
    await desk.page.keyboard.type("right horse battery")
    await desk.press("Enter")
    await expect(desk.state).to_have_text("小休")

    await desk.press("F1")
    await expect(desk.page.get_by_role("dialog")).to_contain_text("快捷键")
    await desk.press("Escape")
    await expect(desk.page.get_by_role("dialog")).to_have_count(0)
    await desk.press("Alt+p")
    await desk.press("2")
    await expect(desk.page.get_by_text("小休中 · 用餐")).to_be_visible()
    # The event may come before the request's own answer; until then the page takes no new wish.
    ready = desk.page.locator("header.top .action button").first
    await expect(ready).to_have_attribute("aria-disabled", "false")
    await desk.press("Alt+r")
    await expect(desk.state).to_have_text("就绪")

    await ring(desk)
    await expect(desk.pop).to_be_visible()
    await answer(desk)
    await talk(desk)

    await desk.press("Alt+g")
    assert await desk.focused() == "field-type"
    order = ["topic", "summary", "demand", "place", "time", "urgency"]
    for name in [*order, "phone", "wants_reply", "confidential"]:
        await desk.press("Tab")
        assert await desk.focused() == f"field-{name}"
    await desk.press("Alt+t")
    await desk.press("ArrowUp")
    await desk.press("ArrowUp")
    await desk.press("ArrowUp")
    await desk.press("Enter")
    assert await desk.focused() == "field-place"
    await desk.press("Control+a")
    await desk.page.keyboard.type("经十路工地")
    await hang_up(desk)
    await desk.press("Control+Enter")
    await expect(desk.page.get_by_test_id("ticket")).to_contain_text(samples.TICKET)
    assert desk.backend.asked.confirmations[0]["place"] == "经十路工地"

    await desk.press("Alt+r")
    await expect(desk.state).to_have_text("就绪")
    await desk.backend.happen(DeskCleared(call=samples.CALL))
    await expect(desk.page.get_by_test_id("last-ticket")).to_contain_text(samples.TICKET)
    assert [wish["state"] for wish in desk.backend.asked.states] == ["paused", "ready", "ready"]


async def test_the_help_lists_the_keys_and_question_mark_types_in_fields(desk: Desk) -> None:
    await desk.open_signed_in()
    await answer(desk)
    await desk.press("Alt+g")
    await desk.press("Tab")
    await desk.press("Tab")
    await desk.page.keyboard.type("?")
    await expect(desk.page.get_by_role("dialog")).to_have_count(0)
    await expect(desk.field("summary")).to_have_value("?")
    await desk.press("Alt+t")
    await desk.press("?")
    await expect(desk.page.get_by_role("dialog")).to_contain_text("Ctrl Enter")


# ---- tickets -------------------------------------------------------------------------------------


async def test_a_former_ticket_opens_beside_the_desk_by_keyboard(desk: Desk) -> None:
    await desk.open_signed_in()
    await ring(desk)
    link = desk.pop.get_by_role("link").first
    await link.focus()
    async with desk.page.context.expect_page() as opened:
        await desk.press("Enter")
    page = await opened.value
    await expect(page.get_by_role("heading", name="投诉工地夜间打桩")).to_be_focused()
    await expect(page.get_by_text("在槐荫区经十路，就是省立医院对面那个")).to_be_visible()
    await expect(page.get_by_role("row", name="事发地点")).to_contain_text("槐荫区经十路")
    await expect(page.get_by_role("row", name="登记")).to_contain_text("李敏")
    await expect(desk.pop).to_be_visible()
    await page.close()
    desk.backend.asked.page_loads -= 1


async def test_the_way_to_a_ticket_goes_on_after_signing_in(desk: Desk) -> None:
    await desk.page.goto(f"{desk.backend.url}#/tickets/{samples.TICKET}")
    await desk.sign_in()
    await expect(desk.page.get_by_role("heading", name="办理记录")).to_be_visible()
    await desk.page.get_by_role("link", name="← 工作台").click()
    await expect(desk.state).to_have_text("小休")


async def test_a_ticket_that_is_not_there_is_told(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.page.goto(f"{desk.backend.url}#/tickets/20200101-000001")
    await expect(desk.page.get_by_role("alert")).to_contain_text("没有这张工单")


async def test_a_server_that_hears_nothing_says_so_and_the_page_never_looks_live(
    desk: Desk,
) -> None:
    await desk.open_signed_in()
    await desk.backend.pause()
    await expect(desk.page.get_by_test_id("line-paused")).to_be_visible()
    await expect(desk.state).to_have_text("暂停更新")
    desk.backend.is_paused = False
    await desk.backend.happen(AgentStateChanged(me=samples.me("ready")))
    await expect(desk.state).to_have_text("就绪")
    await expect(desk.page.get_by_test_id("line-paused")).to_have_count(0)


# ---- inside the call -----------------------------------------------------------------------------


async def in_call(desk: Desk, *, needs_consent: bool = False) -> None:
    await desk.open_signed_in()
    card = samples.card()
    if needs_consent:
        card = msgspec.structs.replace(
            card, consent_for=["transfer", "three_way"], consent_script="为您接通承办单位，可以吗？"
        )
    await desk.backend.happen(
        AgentStateChanged(me=samples.me("talking")),
        CallOpened(call=card, draft=samples.empty_draft()),
    )
    await expect(desk.page.get_by_test_id("call")).to_be_visible()


async def test_the_caller_is_held_and_taken_back_by_keys(desk: Desk) -> None:
    await in_call(desk)
    await desk.press("Alt+h")
    await expect(desk.page.get_by_text("来电人保持中")).to_be_visible()
    # The push may come before the answer to the wish; until that, a second one is not taken.
    back = desk.page.get_by_role("button", name="取回来电人")
    await expect(back).to_have_attribute("aria-disabled", "false")
    await desk.press("Alt+h")
    await expect(desk.page.get_by_test_id("call")).to_contain_text("通话中")
    assert [each["action"] for each in desk.backend.asked.actions] == ["hold", "resume"]


async def test_a_unit_is_asked_and_joined_in_from_the_directory_by_keys(desk: Desk) -> None:
    await in_call(desk)
    await desk.press("Alt+c")
    await desk.page.get_by_role("button", name="市城市管理局").click()
    await desk.page.get_by_label("号码").press("Enter")
    party = desk.page.get_by_test_id("party")
    await expect(party).to_contain_text("振铃中")
    join = desk.page.get_by_role("button", name="三方通话")
    await expect(join).to_have_attribute("aria-disabled", "true")
    await desk.backend.party_answers()
    await join.click()
    await expect(party).to_contain_text("三方通话中")
    assert [each["action"] for each in desk.backend.asked.actions] == ["consult", "three_way"]
    assert desk.backend.asked.actions[0]["number"] == "057188880002"


async def test_without_the_callers_consent_the_law_holds_the_transfer_up(desk: Desk) -> None:
    await in_call(desk, needs_consent=True)
    await desk.press("Alt+c")
    consent = desk.page.get_by_test_id("consent")
    await expect(consent).to_contain_text("为您接通承办单位，可以吗？")
    await desk.page.get_by_role("button", name="市水务集团").click()
    await desk.page.get_by_role("button", name="先咨询").click()
    await expect(desk.page.locator(".notice")).to_contain_text("第十五条")
    await desk.page.get_by_role("button", name="来电人同意").click()
    await expect(consent).to_contain_text("已同意")
    await desk.page.get_by_role("button", name="先咨询").click()
    await expect(desk.page.get_by_test_id("party")).to_be_visible()


async def test_the_recording_is_paused_with_a_reason_only(desk: Desk) -> None:
    await in_call(desk)
    await desk.page.get_by_role("button", name="暂停录音").click()
    await desk.page.get_by_label("原因").press("Enter")
    assert not desk.backend.asked.actions
    await desk.page.get_by_label("原因").fill("报身份证号")
    await desk.page.get_by_label("原因").press("Enter")
    await expect(desk.page.get_by_text("录音已暂停")).to_be_visible()
    assert desk.backend.asked.actions == [{"action": "pause_recording", "reason": "报身份证号"}]


async def test_the_caller_is_called_back_from_the_wrap_up(desk: Desk) -> None:
    await in_call(desk)
    await hang_up(desk)
    await desk.press("Alt+d")
    await expect(desk.page.get_by_label("号码")).to_have_value("13800138000")
    await desk.page.get_by_label("号码").press("Enter")
    await expect(desk.page.get_by_test_id("dialled")).to_contain_text("请接起您的话机")
    (asked,) = desk.backend.asked.dialled
    assert (asked["number"], asked["call"]) == ("13800138000", samples.CALL)


async def test_the_caller_is_called_from_the_ticket(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.page.goto(f"{desk.url}#/tickets/{samples.TICKET}")
    await expect(desk.page.get_by_text("无人接听")).to_be_visible()
    await desk.page.get_by_role("button", name="联系来电人").click()
    await desk.page.get_by_label("号码").press("Enter")
    await expect(desk.page.locator("dialog[open]")).to_have_count(0)
    assert desk.backend.asked.dialled[0]["ticket"] == samples.TICKET
