"""A picture of every page and state: ``python -m tests.browser.shots DIR`` (``hotline shots DIR``).

The real bundle in a real browser, against the scripted desk; so that a person can look at each
state, also those that are hard to bring about.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from playwright.async_api import Browser, expect

from rules.library import load_pack
from server.push.protocol import (
    AgentStateChanged,
    CallChanged,
    CallOpened,
    DangerShown,
    DeskCleared,
    DeskEvent,
    DraftChanged,
    DraftView,
    LineChanged,
    Links,
    LinksChanged,
    PopShown,
    PopWithdrawn,
    SpeechState,
    WallAlarm,
    WallChanged,
)
from tests.browser.agent import Desk
from tests.browser.chromium import find_chromium, new_page, open_browser
from tests.fakes import desk_samples as samples
from tests.fakes import orders_backend as orders
from tests.fakes import wall_samples
from tests.fakes.desk_backend import ADMIN_NAME, FREE_ATTEMPTS, LEADER_NAME
from tests.fakes.orders_backend import OrdersBackend

Scene = Callable[[Desk], Awaitable[None]]

SILENT_MICROPHONE = """navigator.mediaDevices.getUserMedia = async () =>
  new AudioContext().createMediaStreamDestination().stream"""


def talking(
    speech: SpeechState = "live", draft: DraftView | None = None, lines: int = 6
) -> list[DeskEvent]:
    """What leads into the middle of a call."""
    card = samples.card(speech, answered_s=49)
    events: list[DeskEvent] = [
        AgentStateChanged(me=samples.me("talking", for_s=49)),
        CallOpened(call=card, draft=samples.empty_draft()),
    ]
    events += [LineChanged(line=line) for line in samples.TALK[:lines]]
    return [*events, DraftChanged(draft=draft or samples.full_draft())]


def wrapping_up(draft: DraftView) -> list[DeskEvent]:
    """The caller has gone."""
    card = samples.card("ended", answered_s=70, ended_s=15)
    return [
        *talking(draft=draft),
        CallChanged(call=card),
        AgentStateChanged(me=samples.me("wrap_up", for_s=15)),
    ]


async def sign_in(desk: Desk) -> None:
    await desk.open()


async def sign_in_demo_model(desk: Desk) -> None:
    desk.backend.is_demo = True
    await desk.open()


async def sign_in_wrong(desk: Desk) -> None:
    await desk.open()
    await desk.sign_in(password="wrong")
    await expect(desk.page.get_by_role("alert")).to_be_visible()


async def sign_in_locked(desk: Desk) -> None:
    for _ in range(FREE_ATTEMPTS):
        await desk.open()
        await desk.sign_in(password="wrong")
        await expect(desk.page.get_by_role("alert")).to_be_visible()
    await desk.sign_in()
    await expect(desk.page.get_by_text("锁定")).to_be_visible()


async def no_desk(desk: Desk) -> None:
    await desk.open()
    await desk.sign_in(ADMIN_NAME)
    await expect(desk.page.get_by_role("heading")).to_be_visible()


async def ready(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(AgentStateChanged(me=samples.me("ready", for_s=83)))
    await expect(desk.state).to_have_text("就绪")


async def paused_menu(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.press("Alt+p")


async def missed_call(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(PopShown(pop=samples.pop()))
    await desk.backend.happen(
        PopWithdrawn(ring="ring-1", reason="no_answer"),
        AgentStateChanged(me=samples.me("paused", reason="missed_call")),
    )
    await expect(desk.page.locator(".notice")).to_be_visible()


async def phone_unregistered(desk: Desk) -> None:
    await desk.open_signed_in()
    me = samples.me("ready", registered=False, for_s=5)
    await desk.backend.happen(AgentStateChanged(me=me))


async def ringing(desk: Desk) -> None:
    await desk.open_signed_in()
    me = samples.me("ringing", for_s=2)
    await desk.backend.happen(AgentStateChanged(me=me), PopShown(pop=samples.pop()))
    await expect(desk.pop).to_be_visible()


async def ringing_unknown(desk: Desk) -> None:
    await desk.open_signed_in()
    me = samples.me("ringing", for_s=2)
    await desk.backend.happen(AgentStateChanged(me=me), PopShown(pop=samples.stranger()))
    await expect(desk.pop).to_be_visible()


async def answered_elsewhere(desk: Desk) -> None:
    await ringing(desk)
    await desk.backend.happen(
        PopWithdrawn(ring="ring-1", reason="answered_elsewhere"),
        AgentStateChanged(me=samples.me("ready", for_s=90)),
    )
    await expect(desk.page.locator(".notice")).to_be_visible()


async def call_begins(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(*talking("waiting", samples.empty_draft(), lines=0))
    await expect(desk.page.get_by_test_id("call")).to_be_visible()


async def call_live(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(*talking(), LineChanged(line=samples.PARTIAL))
    await expect(desk.page.locator("#line-citizen-3")).to_be_visible()


async def call_field_in_hand(desk: Desk) -> None:
    """Words lit up, a correction, and a newer reading that waits."""
    await call_live(desk)
    await desk.field("place").fill("经十路 324 号对面")
    await desk.field("time").focus()
    await expect(desk.mark("place")).to_have_text("人工")
    newer = msgspec.structs.replace(desk.backend.view.draft or samples.full_draft(), version=30)
    newer.fields["time"] = samples.field("夜里十一点以后", 0.83, (samples.TALK[1], "十一点"))
    await desk.backend.happen(DraftChanged(draft=newer))
    await expect(desk.page.locator(".offered")).to_be_visible()


async def call_long(desk: Desk) -> None:
    """The page follows the talk; long values stay readable."""
    await desk.open_signed_in()
    draft = samples.full_draft()
    draft.fields["demand"] = samples.field("希望相关部门尽快到现场查处并给居民一个答复。" * 8)
    more = [
        samples.line(
            ("citizen", "agent")[n % 2], 10 + n, "这是后面接着说的话，" * (1 + n % 4), 40 + 6 * n
        )
        for n in range(24)
    ]
    await desk.backend.happen(*talking(draft=draft), *(LineChanged(line=line) for line in more))
    await expect(desk.page.locator("#line-agent-33")).to_be_in_viewport()


async def call_emergency(desk: Desk) -> None:
    await desk.open_signed_in()
    draft = samples.full_draft()
    draft.fields["urgency"] = samples.field("emergency", 0.85)
    await desk.backend.happen(*talking(draft=draft))
    await expect(desk.page.locator(".emergency")).to_be_visible()


async def call_nuisance(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(*talking())
    panel = desk.page.get_by_test_id("nuisance")
    await panel.locator("summary").click()
    await panel.get_by_label("情形").select_option("harassment")
    await panel.get_by_role("button", name="提醒 / 劝阻").click()
    await expect(desk.page.get_by_test_id("nuisance-script")).to_be_visible()


async def call_danger(desk: Desk) -> None:
    await desk.open_signed_in()
    words = LineChanged(line=samples.FIRE)
    shown = DangerShown(call=samples.CALL, dangers=samples.DANGERS)
    await desk.backend.happen(*talking(), words, shown)
    await expect(desk.page.get_by_test_id("danger")).to_be_visible()


async def call_danger_dialling(desk: Desk) -> None:
    await call_danger(desk)
    await desk.page.get_by_role("button", name="接通 119").click()
    await expect(desk.page.get_by_text("正在呼叫 119")).to_be_visible()


async def call_event(desk: Desk) -> None:
    desk.backend.events = [wall_samples.event()]
    await call_live(desk)
    await expect(desk.page.get_by_test_id("events")).to_be_visible()


async def call_speech_refused(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(*talking("refused", samples.empty_draft(), lines=0))
    await expect(desk.page.get_by_test_id("call")).to_be_visible()


async def call_speech_broken(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(*talking("broken", lines=3))
    await expect(desk.page.get_by_test_id("call")).to_be_visible()


async def call_edit_not_saved(desk: Desk) -> None:
    await call_live(desk)
    desk.backend.edits_fail = True
    await desk.field("place").fill("经十路 324 号对面")
    await expect(desk.page.get_by_text("未保存，正在重试")).to_be_visible()


async def call_all_links_down(desk: Desk) -> None:
    await desk.open_signed_in()
    links = Links(telephony="down", speech="down", database="down")
    await desk.backend.happen(*talking("broken", lines=3), LinksChanged(links=links))
    await expect(desk.page.locator(".banner.down")).to_have_count(3)


async def line_lost(desk: Desk) -> None:
    await call_live(desk)
    desk.backend.is_accepting = False
    await desk.backend.cut()
    await expect(desk.page.get_by_test_id("line-lost")).to_be_visible()


async def call_held(desk: Desk) -> None:
    await call_live(desk)
    await desk.press("Alt+h")
    await desk.backend.happen(AgentStateChanged(me=samples.me("holding", for_s=12)))
    await expect(desk.page.get_by_text("来电人保持中")).to_be_visible()


async def call_targets(desk: Desk) -> None:
    await call_live(desk)
    assert desk.backend.view.call is not None
    card = msgspec.structs.replace(
        desk.backend.view.call,
        consent_for=["transfer", "three_way"],
        consent_script="我可以为您接通承办单位，请他们直接答复，您同意吗？",
    )
    await desk.backend.happen(CallChanged(call=card))
    await desk.press("Alt+c")
    await expect(desk.page.get_by_text("市水务集团")).to_be_visible()


async def call_consulting(desk: Desk) -> None:
    await call_live(desk)
    await desk.press("Alt+c")
    await desk.page.get_by_label("号码").fill("057188880002")
    await desk.page.get_by_label("号码").press("Enter")
    await expect(desk.page.get_by_test_id("party")).to_be_visible()
    await desk.backend.party_answers()
    await desk.backend.happen(AgentStateChanged(me=samples.me("holding", for_s=20)))


async def call_three_way(desk: Desk) -> None:
    await call_consulting(desk)
    await desk.page.get_by_role("button", name="三方通话").click()
    await desk.backend.happen(AgentStateChanged(me=samples.me("talking", for_s=40)))
    await desk.page.get_by_role("button", name="暂停录音").click()
    await desk.page.get_by_label("原因").fill("报身份证号")
    await desk.page.get_by_label("原因").press("Enter")
    await expect(desk.page.get_by_text("录音已暂停")).to_be_visible()


async def dialling(desk: Desk) -> None:
    await ready(desk)
    await desk.press("Alt+d")
    await desk.page.get_by_label("号码").fill("13800138000")
    await desk.page.get_by_label("号码").press("Enter")
    await expect(desk.page.get_by_test_id("dialled")).to_be_visible()


async def phone_lost(desk: Desk) -> None:
    await desk.open_signed_in()
    me = samples.me("lost", registered=False, for_s=5)
    await desk.backend.happen(AgentStateChanged(me=me))
    await expect(desk.state).to_have_text("话机断线")


async def page_phone(desk: Desk) -> None:
    desk.backend.phone.is_page = True
    await ready(desk)


async def page_phone_no_microphone(desk: Desk) -> None:
    await page_phone(desk)
    await desk.page.get_by_role("button", name="用本页接电话").click()
    await expect(desk.page.get_by_test_id("phone-line")).to_contain_text("没有麦克风")


async def page_phone_rings(desk: Desk) -> None:
    await desk.page.add_init_script(SILENT_MICROPHONE)
    await page_phone(desk)
    await desk.page.get_by_role("button", name="用本页接电话").click()
    await expect(desk.page.get_by_test_id("phone-line")).to_contain_text("已就绪")
    await desk.backend.phone.ring()
    me = samples.me("ringing", for_s=2)
    await desk.backend.happen(AgentStateChanged(me=me), PopShown(pop=samples.pop()))
    await expect(desk.page.get_by_test_id("phone-answer")).to_be_visible()


async def wrap_up(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.backend.happen(*wrapping_up(samples.full_draft()))
    await expect(desk.state).to_have_text("话后整理")


async def wrap_up_leave_behind(desk: Desk) -> None:
    await wrap_up(desk)
    await desk.press("Alt+r")
    await expect(desk.page.get_by_role("dialog")).to_be_visible()


async def confirmed(desk: Desk) -> None:
    await wrap_up(desk)
    await desk.press("Control+Enter")
    await expect(desk.page.get_by_test_id("ticket")).to_be_visible()


async def confirmed_on_disk(desk: Desk) -> None:
    desk.backend.keeps_on_disk = True
    await wrap_up(desk)
    links = msgspec.structs.replace(samples.ALL_UP, database="down")
    await desk.backend.happen(LinksChanged(links=links))
    await desk.press("Control+Enter")
    await expect(desk.page.get_by_test_id("ticket")).to_be_visible()


async def next_call(desk: Desk) -> None:
    await confirmed(desk)
    await desk.backend.happen(
        AgentStateChanged(me=samples.me("ready")), DeskCleared(call=samples.CALL)
    )
    await expect(desk.page.get_by_test_id("last-ticket")).to_be_visible()


async def line_paused(desk: Desk) -> None:
    await call_live(desk)
    await desk.backend.pause()
    await expect(desk.page.get_by_test_id("line-paused")).to_be_visible()


async def ticket(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.page.goto(f"{desk.backend.url}#/tickets/{samples.TICKET}")
    await expect(desk.page.get_by_role("heading", name="办理记录")).to_be_visible()


async def ticket_unknown(desk: Desk) -> None:
    await desk.open_signed_in()
    await desk.page.goto(f"{desk.backend.url}#/tickets/20200101-000001")
    await expect(desk.page.get_by_role("alert")).to_be_visible()


async def help_keys(desk: Desk) -> None:
    await call_live(desk)
    await desk.press("F1")


async def why_disabled(desk: Desk) -> None:
    await call_live(desk)
    await desk.page.get_by_role("button", name="签出").focus()


async def large_screen(desk: Desk) -> None:
    await desk.page.set_viewport_size({"width": 1920, "height": 1080})
    await call_live(desk)


async def wall(desk: Desk) -> None:
    await desk.open()
    await desk.sign_in(LEADER_NAME)
    await expect(desk.page.locator(".tile").first).to_be_visible()


async def wall_paused(desk: Desk) -> None:
    await wall(desk)
    await desk.backend.pause()
    await expect(desk.page.get_by_text("画面可能已经过时")).to_be_visible()


async def wall_alarms(desk: Desk) -> None:
    await wall(desk)
    links = Links(telephony="up", speech="down", database="up")
    alarm = WallAlarm(
        kind="event",
        about="城东自来水主管爆裂",
        since_at=wall_samples.ago(2700),
        params={"calls": "37"},
    )
    await desk.backend.happen_on_wall(WallChanged(alarms=[alarm], links=links))
    await expect(desk.page.get_by_text("主管爆裂")).to_be_visible()


async def wall_act(desk: Desk) -> None:
    await wall(desk)
    await desk.page.get_by_role("button", name="督导坐席 1005").click()
    await desk.page.get_by_label("理由").fill("新员工带教")


async def nuisance_hangzhou(desk: Desk) -> None:
    desk.backend.pack = load_pack("hangzhou_2024")
    await wall(desk)
    await desk.page.get_by_role("link", name="通话秩序").click()
    await expect(desk.page.locator("[data-suspension]")).to_be_visible()


async def nuisance_elsewhere(desk: Desk) -> None:
    desk.backend.pack = load_pack("jinan_2018")
    await wall(desk)
    await desk.page.get_by_role("link", name="通话秩序").click()
    await expect(desk.page.get_by_test_id("no-power")).to_be_visible()


async def event_answer(desk: Desk) -> None:
    desk.backend.events = [wall_samples.event()]
    await wall(desk)
    await desk.page.get_by_role("link", name="突发事件").click()
    card = desk.page.locator("[data-event]")
    await card.get_by_role("button", name="统一答复").click()
    await card.get_by_label("统一答复内容").fill("抢修已完成，预计十八时恢复供水。")
    await card.get_by_role("button", name="答复所选").click()
    await expect(card.get_by_role("status")).to_be_visible()


async def messages(desk: Desk) -> None:
    await wall(desk)
    await desk.page.get_by_role("link", name="留言").click()
    await expect(desk.page.get_by_role("button", name="生成工单").first).to_be_visible()


async def report(desk: Desk) -> None:
    await wall(desk)
    await desk.page.get_by_role("link", name="报表").click()
    await expect(desk.page.get_by_role("heading", name="坐席")).to_be_visible()


def scripted(desk: Desk) -> OrdersBackend:
    """The desk's server, which has tickets too."""
    assert isinstance(desk.backend, OrdersBackend)
    return desk.backend


async def pool_dispatcher(desk: Desk) -> None:
    await desk.open()
    await desk.sign_in(orders.DISPATCHER)
    await desk.page.get_by_role("button", name="全部").click()
    await expect(desk.page.get_by_role("row")).to_have_count(1 + len(orders.POOL))


async def pool_unit(desk: Desk) -> None:
    await desk.open()
    await desk.sign_in(orders.UNIT_PERSON)
    await expect(desk.page.locator(".due.over")).to_be_visible()


async def order_to_dispatch(desk: Desk) -> None:
    await desk.open()
    await desk.sign_in(orders.DISPATCHER)
    await desk.page.get_by_role("link", name=orders.NUMBER).click()
    await expect(desk.page.get_by_role("heading", name="可以办理")).to_be_visible()


async def studies_unit(desk: Desk) -> None:
    await desk.page.goto(f"{desk.backend.url}#/studies")
    await desk.sign_in(orders.UNIT_PERSON)
    await expect(desk.page.get_by_label("停供原因和范围")).to_be_visible()


async def oversight_evidence(desk: Desk) -> None:
    await desk.page.goto(f"{desk.backend.url}#/oversight")
    await desk.sign_in(orders.SUPERVISOR)
    await desk.page.get_by_role("combobox", name="情形").select_option(label="答复弄虚作假")
    await expect(desk.page.get_by_test_id("evidence")).to_contain_text("与其他答复雷同")


async def order_dispatch_form(desk: Desk) -> None:
    await order_to_dispatch(desk)
    await desk.page.get_by_role("button", name="派单", exact=True).click()
    await desk.page.locator("dialog").get_by_label("单位").select_option(label="市水务集团")
    await desk.page.get_by_role("button", name="再加一项").click()


async def order_refused(desk: Desk) -> None:
    await order_to_dispatch(desk)
    await desk.page.get_by_role("button", name="派单", exact=True).click()
    await desk.page.locator("dialog").get_by_label("单位").select_option(label="市水务集团")
    await desk.page.get_by_label("承办方式").select_option(label="单独承办")
    await desk.page.get_by_label("派单依据").fill("供水设施由其维护")
    scripted(desk).refuse = scripted(desk).refuse_by_law
    await desk.page.get_by_label("派单依据").press("Enter")
    await expect(desk.page.get_by_role("alert")).to_be_visible()


async def order_return_asked(desk: Desk) -> None:
    scripted(desk).return_asked()
    await desk.page.set_viewport_size({"width": 1280, "height": 1500})
    await desk.open()
    await desk.sign_in(orders.REVIEWER)
    await expect(desk.page.locator(".pool")).to_be_visible()
    await desk.page.goto(f"{desk.url}#/orders/{orders.NUMBER}")
    await expect(desk.page.get_by_role("heading", name="单位申请")).to_be_visible()


async def order_at_unit(desk: Desk) -> None:
    scripted(desk).at_unit()
    await desk.open()
    await desk.sign_in(orders.UNIT_PERSON)
    await expect(desk.page.locator(".pool")).to_be_visible()
    await desk.page.goto(f"{desk.url}#/orders/{orders.NUMBER}")
    await expect(desk.page.get_by_role("heading", name="可以办理")).to_be_visible()


async def order_feedback_form(desk: Desk) -> None:
    await order_at_unit(desk)
    await desk.page.get_by_role("button", name="反馈结果").click()


SCENES: tuple[Scene, ...] = (
    sign_in,
    sign_in_demo_model,
    sign_in_wrong,
    sign_in_locked,
    no_desk,
    ready,
    paused_menu,
    missed_call,
    phone_unregistered,
    ringing,
    ringing_unknown,
    answered_elsewhere,
    call_begins,
    call_live,
    call_field_in_hand,
    call_long,
    call_emergency,
    call_nuisance,
    call_danger,
    call_danger_dialling,
    call_event,
    call_speech_refused,
    call_speech_broken,
    call_edit_not_saved,
    call_held,
    call_targets,
    call_consulting,
    call_three_way,
    dialling,
    phone_lost,
    page_phone,
    page_phone_no_microphone,
    page_phone_rings,
    call_all_links_down,
    line_lost,
    wrap_up,
    wrap_up_leave_behind,
    confirmed,
    confirmed_on_disk,
    next_call,
    line_paused,
    ticket,
    ticket_unknown,
    help_keys,
    why_disabled,
    large_screen,
    wall,
    wall_paused,
    wall_alarms,
    wall_act,
    report,
    messages,
    event_answer,
    nuisance_hangzhou,
    nuisance_elsewhere,
    pool_dispatcher,
    pool_unit,
    order_to_dispatch,
    order_dispatch_form,
    order_refused,
    order_return_asked,
    order_at_unit,
    order_feedback_form,
    studies_unit,
    oversight_evidence,
)


async def take(browser: Browser, scene: Scene, target: Path) -> list[str]:
    """Play a scene, take its picture, and give the page's faults."""
    page = await new_page(browser)
    async with OrdersBackend() as backend:
        desk = Desk(page, backend)
        await scene(desk)
        await page.screenshot(path=target, animations="disabled")
        await page.context.close()
        return desk.faults


async def take_all(folder: Path, executable: str) -> int:
    """Every scene into ``folder``; 1 where a page had a fault."""
    code = 0
    async with open_browser(executable) as browser:
        for number, scene in enumerate(SCENES, 1):
            target = folder / f"{number:02}_{scene.__name__}.png"
            faults = await take(browser, scene, target)
            print(f"{target.name}{' FAIL ' + '; '.join(faults) if faults else ''}", flush=True)
            code = 1 if faults else code
    return code


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    executable = find_chromium()
    if executable is None:
        print("FAIL no Chromium\nfix: apt-get install chromium fonts-noto-cjk", file=sys.stderr)
        return 1
    return asyncio.run(take_all(folder, executable))


if __name__ == "__main__":
    sys.exit(main())
