"""The leaders' page for callers who misuse the line, in a real browser."""

import pytest
from playwright.async_api import Locator, expect

from rules.library import load_pack
from tests.browser.agent import Desk
from tests.fakes.desk_backend import LEADER_NAME


@pytest.fixture
async def page_of(desk: Desk) -> Desk:
    await desk.open()
    await desk.sign_in(LEADER_NAME)
    return desk


async def open_page(desk: Desk) -> None:
    await desk.page.get_by_role("link", name="通话秩序").click()
    await expect(desk.page.get_by_role("heading", name="被标记或提醒过的号码")).to_be_visible()


async def give_reason(desk: Desk, words: str) -> None:
    dialog = desk.page.get_by_role("dialog")
    await dialog.get_by_label("原因").fill(words)
    await desk.press("Enter")
    await expect(dialog).to_be_hidden()


def card(desk: Desk) -> Locator:
    return desk.page.locator("[data-suspension]")


async def test_in_hangzhou_a_leader_approves_hears_the_objection_and_ends_a_suspension(
    page_of: Desk,
) -> None:
    desk = page_of
    desk.backend.pack = load_pack("hangzhou_2024")
    await open_page(desk)
    await expect(desk.page.get_by_text("第二十九条")).to_be_visible()
    await expect(card(desk)).to_contain_text("138****0001")
    for button, words in (
        ("批准暂停", "属实，同意"),
        ("来电人提出异议", "来信称系正常报修"),
        ("复核", "维持"),
        ("解除暂停", "已说明情况"),
    ):
        await card(desk).get_by_role("button", name=button).click()
        await give_reason(desk, words)
        await expect(card(desk).first).to_contain_text(words)
    assert desk.backend.asked.decisions == [
        ("approve", "属实，同意"),
        ("object", "来信称系正常报修"),
        ("review", "维持"),
        ("lift", "已说明情况"),
    ]
    await expect(desk.page.get_by_text("没有待决定或执行中的暂停")).to_be_visible()


async def test_elsewhere_the_page_says_that_the_law_gives_no_suspension(page_of: Desk) -> None:
    desk = page_of
    for city in ("jinan_2018", "taian_draft", "tongliao_2024"):
        pack = desk.backend.pack = load_pack(city)
        await open_page(desk)
        said = desk.page.get_by_test_id("no-power")
        await expect(said).to_contain_text("没有给出暂停")
        await expect(said).to_contain_text(pack.title)
        await expect(card(desk)).to_have_count(0)
        await expect(desk.page.get_by_role("button", name="批准暂停")).to_have_count(0)
        await desk.page.get_by_role("link", name="监控墙").click()


async def test_a_number_is_seen_with_a_reason_and_the_file_for_the_police_is_fetched(
    page_of: Desk,
) -> None:
    desk = page_of
    await open_page(desk)
    row = desk.page.locator("[data-caller='9']")
    await expect(row).to_contain_text("138****0001")
    await row.get_by_role("button", name="查看号码").click()
    await give_reason(desk, "核对报警材料")
    await expect(row).to_contain_text("13800000001")
    await expect(row).to_contain_text("核对报警材料")
    await row.get_by_role("button", name="证据材料").click()
    dialog = desk.page.get_by_role("dialog")
    await dialog.get_by_label("理由").fill("涉嫌扰乱单位秩序")
    await dialog.get_by_role("button", name="制作并下载").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("没有给出这项权力")
    await dialog.get_by_label("可能违法").check()
    async with desk.page.expect_download() as fetched:
        await dialog.get_by_role("button", name="制作并下载").click()
    assert (await fetched.value).suggested_filename.endswith(".zip")
    wish = desk.backend.asked.evidence[-1]
    assert (wish.misuse, wish.is_illegal, wish.days) == ("repeated_use", True, 90)
