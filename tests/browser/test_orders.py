"""The pages on which dispatchers, reviewers and units work on tickets."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import FilePayload, Page, expect

from base.ids import UnitId
from tests.browser.agent import Desk
from tests.fakes import orders_backend as orders
from tests.fakes.desk_backend import PASSWORD
from tests.fakes.orders_backend import OrdersBackend
from tickets import moves as m
from tickets.outages import Notice
from tickets.studies import Measures


@pytest.fixture
async def backend() -> AsyncIterator[OrdersBackend]:
    async with OrdersBackend() as running:
        yield running


async def test_a_dispatcher_finds_what_waits_and_dispatches_it_by_keyboard(
    desk: Desk, page: Page, backend: OrdersBackend
) -> None:
    await desk.open()
    await desk.sign_in(orders.DISPATCHER, PASSWORD)
    await expect(page.get_by_role("row")).to_have_count(3)
    assert backend.lists[0]["state"] == "registered,to_dispatch,under_study"
    backend.has_proposals.clear()  # the page does not wait for them, nor take the focus later
    await page.get_by_role("link", name=orders.NUMBER).focus()
    await desk.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    backend.has_proposals.set()

    await expect(page.get_by_test_id("proposals").get_by_role("listitem")).to_have_count(2)
    await expect(page.get_by_test_id("similar")).to_contain_text("同一来电人")
    await expect(page.get_by_test_id("watermark")).to_contain_text("周婷")
    await page.get_by_role("button", name="按此派单").click()
    await expect(page.get_by_label("派单依据")).to_have_value("城市供水条例")
    await page.get_by_role("button", name="返回").click()
    await page.get_by_role("button", name="派单", exact=True).focus()
    await desk.press("Enter")
    await expect(page.locator("dialog").get_by_label("单位")).to_be_focused()
    await page.locator("dialog").get_by_label("单位").select_option(label="市水务集团")
    await page.get_by_label("承办方式").select_option(label="单独承办")
    await page.get_by_label("派单依据").fill("供水设施由其维护")
    backend.refuse = backend.refuse_by_law
    await desk.press("Enter")
    refusal = page.get_by_role("alert")
    await expect(refusal).to_contain_text("第十八条")
    await expect(refusal).to_contain_text("应当说明理由和依据")
    await expect(page.get_by_label("派单依据")).to_have_value("供水设施由其维护")
    await page.get_by_label("派单依据").press("Enter")
    await expect(page.locator("dialog[open]")).to_have_count(0)
    assert backend.moved == [
        m.Dispatch(
            units=[m.Share(unit=UnitId("city.water"), part="single")], basis="供水设施由其维护"
        )
    ]
    (first, key), (again, same_key) = backend.keys
    assert first == again == '"3"'
    assert key == same_key, "the same content is the same request"
    await expect(page.locator(".order-page")).to_contain_text("办理中")

    await expect(page.get_by_test_id("caller")).to_contain_text("138****8000")
    await page.get_by_role("button", name="查看完整信息").click()
    await page.get_by_label("原因").fill("回电核实地点")
    await page.get_by_label("原因").press("Enter")
    await expect(page.get_by_test_id("caller")).to_contain_text("13800138000")


async def test_a_unit_begins_at_its_own_tickets_and_sees_no_desk(
    desk: Desk, page: Page, backend: OrdersBackend
) -> None:
    backend.at_unit()
    await page.goto(f"{backend.url}#/tickets/{orders.NUMBER}")
    await desk.sign_in(orders.UNIT_PERSON, PASSWORD)
    await expect(page.get_by_text("反映人要求保密")).to_be_visible()
    await page.get_by_role("button", name="反馈结果").click()
    await page.get_by_label("办理结果").select_option(label="已办结")
    await page.get_by_label("答复市民的内容").fill("已抢修完毕，恢复供水。")
    await page.get_by_label("告知时间").fill("2026-03-02T09:30")
    await page.get_by_label("市民是否满意").select_option(label="是")
    await page.locator("dialog").get_by_role("button", name="反馈结果").click()
    await expect(page.locator("dialog[open]")).to_have_count(0)
    (moved,) = backend.moved
    assert isinstance(moved, m.Feedback)
    assert (moved.outcome.value, moved.asked_satisfied) == ("done", True)
    assert moved.told_at is not None
    assert moved.told_at.isoformat() == "2026-03-02T09:30:00+08:00"

    await page.get_by_role("link", name="工单池").click()
    await expect(page.locator(".due.over")).to_have_count(1)
    await expect(page.locator(".due.soon")).to_have_count(1)
    await page.goto(f"{backend.url}#/")
    await expect(page.locator(".pool")).to_be_visible()


async def test_a_file_is_added_and_stands_in_the_list_to_be_read(
    desk: Desk, page: Page, backend: OrdersBackend
) -> None:
    await page.goto(f"{backend.url}#/orders/{orders.NUMBER}")
    await desk.sign_in(orders.DISPATCHER, PASSWORD)
    await page.get_by_label("市民提供").check()
    photo = FilePayload(name="现场.png", mimeType="image/png", buffer=b"\x89PNG" + bytes(2000))
    await page.get_by_label("上传附件").set_input_files(photo)
    link = page.get_by_role("link", name="现场.png")
    await expect(link).to_have_attribute("href", f"api/work-orders/{orders.NUMBER}/attachments/a0")
    (added,) = backend.attachments
    assert (added.source, added.size_bytes) == ("caller", 2004)


async def test_a_utility_tells_of_an_outage_and_gives_the_measures_of_a_study(
    desk: Desk, page: Page, backend: OrdersBackend
) -> None:
    await page.goto(f"{backend.url}#/studies")
    await desk.sign_in(orders.UNIT_PERSON, PASSWORD)
    await expect(page.get_by_label("停供原因和范围")).to_be_visible()
    await expect(page.get_by_role("heading", name="转为专题研究")).to_be_hidden()
    await page.get_by_label("停供原因和范围").fill("经十路主管道抢修")
    await page.get_by_role("button", name="报送停供通知").click()
    await expect(page.get_by_text("停供通知已报送")).to_be_visible()
    await page.get_by_label("治本措施").fill("更换老旧管网")
    await page.get_by_label("长效机制").fill("每季度巡检")
    await page.get_by_role("button", name="提交措施").click()
    await expect(page.get_by_text("措施已提交")).to_be_visible()
    notice, measures = backend.told
    assert isinstance(notice, Notice)
    assert notice.what == "经十路主管道抢修"
    assert notice.ends_at > notice.begins_at
    assert measures == Measures(measures="更换老旧管网", lasting="每季度巡检")


async def test_supervision_is_led_from_a_fault_to_the_ticket(
    desk: Desk, page: Page, backend: OrdersBackend
) -> None:
    await page.goto(f"{backend.url}#/oversight")
    await desk.sign_in(orders.SUPERVISOR, PASSWORD)
    await page.get_by_role("combobox", name="情形").select_option(label="答复弄虚作假")
    await expect(page.get_by_test_id("evidence")).to_contain_text("与其他答复雷同")
    await page.get_by_role("link", name=orders.NUMBER).click()
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
