"""The leaders' pages in a real browser: the wall follows what happens, the report says how."""

import msgspec
import pytest
from playwright.async_api import Locator, expect

from server.push.protocol import Emergency, WallChanged
from tests.browser.agent import Desk
from tests.fakes import wall_samples as samples
from tests.fakes.desk_backend import LEADER_NAME


@pytest.fixture
async def wall(desk: Desk) -> Desk:
    await desk.open()
    await desk.sign_in(LEADER_NAME)
    await expect(desk.page.get_by_test_id("line")).to_have_text("实时")
    return desk


def tile(desk: Desk, agent: str) -> Locator:
    return desk.page.locator(".tile", has_text=agent)


def callers(desk: Desk) -> Locator:
    return desk.page.locator(".callers tbody tr")


async def test_a_leader_sees_callers_agents_and_figures_and_what_changes(wall: Desk) -> None:
    await expect(callers(wall)).to_have_count(4)
    await expect(callers(wall).first).to_contain_text("紧急电话")
    await expect(tile(wall, "1003")).to_contain_text("就绪")
    await wall.backend.happen_on_wall(
        WallChanged(gone=["w1", "w2"], agents=[samples.agent(2, "talking")])
    )
    await expect(callers(wall)).to_have_count(2)
    await expect(tile(wall, "1003")).to_contain_text("通话中")
    await expect(wall.page.get_by_role("row", name="今天").first).to_contain_text("96.4%")


async def test_a_danger_in_a_call_is_red_with_its_words_and_line_until_it_is_over(
    wall: Desk,
) -> None:
    banner = wall.page.get_by_test_id("wall-danger")
    for words in ("火情", "三楼着火了", "1005", "138****8004", "119 火警", "120 急救"):
        await expect(banner).to_contain_text(words)
    await expect(banner).to_contain_text("尚未接通")
    asked = msgspec.structs.replace(
        samples.DANGER, emergency=Emergency(line="119", state="dialling")
    )
    await wall.backend.happen_on_wall(WallChanged(dangers=[asked]))
    await expect(banner).to_contain_text("正在呼叫 119")
    await banner.get_by_role("button", name="介入").click()
    await expect(wall.page.get_by_role("dialog")).to_contain_text("1005")
    await wall.press("Escape")
    await wall.backend.happen_on_wall(WallChanged(dangers=[]))
    await expect(banner).to_have_count(0)


async def test_the_tickets_of_an_event_are_answered_with_one_text_and_each_says_what_came_of_it(
    wall: Desk,
) -> None:
    wall.backend.events = [samples.event()]
    await wall.page.get_by_role("link", name="突发事件").click()
    card = wall.page.locator("[data-event='3']")
    await expect(card).to_contain_text("约十八时恢复")
    await card.get_by_role("button", name="统一答复").click()
    await card.get_by_label("统一答复内容").fill("预计十八时恢复供水。")
    button = card.get_by_role("button", name="答复所选 3 张")
    wall.backend.edits_fail = True
    await button.click()
    await expect(card.get_by_role("alert")).to_be_visible()
    wall.backend.edits_fail = False
    await button.click()
    await expect(card.get_by_role("status")).to_contain_text("已答复 2 张，未答复 1 张")
    for number, words in (
        (samples.LOCKED_BY_OTHERS, "别人刚刚处理了这张工单"),
        ("20260302-000043", "短信已安排"),
        ("20260302-000044", "没有联系方式"),
    ):
        await expect(card.get_by_role("row", name=number)).to_contain_text(words)
    failed, sent = wall.backend.asked.event_answers
    assert failed == sent  # the same key: what the first has done is not done again
    assert sent[2] == ["20260302-000042", "20260302-000043", "20260302-000044"]


async def test_what_may_be_old_is_said_and_the_wall_comes_back_by_itself(wall: Desk) -> None:
    wall.backend.is_accepting = False  # until it was seen: the wall comes back in half a second
    await wall.backend.cut()
    await expect(wall.page.get_by_text("画面可能已经过时")).to_be_visible()
    wall.backend.is_accepting = True
    await expect(wall.page.get_by_test_id("line")).to_have_text("实时")
    await wall.backend.happen_on_wall(WallChanged(gone=["w1"]))
    await expect(callers(wall)).to_have_count(3)


async def test_a_window_of_the_wall_leads_to_the_report_of_the_same_interval_with_formulas(
    wall: Desk,
) -> None:
    today = wall.backend.wall.figures[1]
    await wall.page.get_by_role("link", name="今天").click()
    row = wall.page.locator("tr[data-code=connected]")
    await expect(row).to_contain_text("人工接听 ÷")
    starts, ends = wall.backend.asked.intervals[-1]
    assert (starts, ends) == (
        today.start_at.isoformat().replace("+00:00", "Z"),
        today.end_at.isoformat().replace("+00:00", "Z"),
    )


async def test_the_wall_is_used_by_keys_alone(wall: Desk) -> None:
    button = wall.page.get_by_role("button", name="就绪")
    await button.focus()
    await wall.press("Enter")
    await expect(button).to_have_attribute("aria-pressed", "true")
    await expect(wall.page.locator(".tile")).to_have_count(2)


async def test_a_leader_listens_in_with_a_reason_and_confirms_a_sign_out_in_a_call(
    wall: Desk,
) -> None:
    await wall.page.get_by_role("button", name="督导坐席 1005").click()
    await expect(wall.page.get_by_test_id("my-phone")).to_contain_text("1900")
    await wall.page.get_by_label("理由").fill("新员工带教")
    await wall.press("Enter")
    await expect(wall.page.locator(".notice")).to_contain_text("请接起您的话机")
    (asked,) = wall.backend.asked.acts
    assert (asked["act"], asked["call"]) == ("listen", "c4")
    assert "phone" not in asked
    await wall.page.get_by_role("button", name="督导坐席 1005").click()
    await wall.page.get_by_text("强制签退", exact=True).click()
    await wall.page.get_by_label("理由").fill("身体不适")
    await wall.press("Enter")
    await expect(wall.page.get_by_role("alert").last).to_contain_text("再确认一次")
    await wall.page.get_by_label("确认").check()
    await wall.page.get_by_role("button", name="执行").click()
    await expect(wall.page.get_by_role("dialog")).to_be_hidden()
    assert wall.backend.asked.acts[-1]["confirmed"] is True
