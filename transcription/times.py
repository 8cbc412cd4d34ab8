"""Finds when it happens or happened, as said: 每天晚上十二点以后, 上周三下午, 已经半个月.

Deadlines a caller sets ("请在三天内处理") are no such time. A relative day is also given as a date,
which is why the finder wants today's date; it never reads a clock.
"""

import re
from datetime import date, timedelta
from functools import lru_cache

from transcription.mention import Mention, best_first
from transcription.numbers import NUMERAL, number_of

_N = f"{NUMERAL}{{1,8}}"
_PART = (
    "早上|早晨|清早|清晨|凌晨|大清早|上午|中午|午休|午间|下午|傍晚|晚上|晚间|夜里|夜间|"
    "半夜|深夜|大半夜|后半夜|大晚上|"
    "早高峰|晚高峰|高峰期?|上下班(?:高峰)?(?:期间|时间|的?时候)?|白天|夜晚|通宵|整晚|"
    "一整夜|一大早|放学(?:的?时候|时间|期间|以?后)"
)
_CLOCK = rf"{_N}点(?:钟)?(?:半|{_N}分?|左右|多钟?|来钟)?|[0-2]?\d[:：][0-5]\d"
_RANGE_JOIN = r"(?:到|至|[-－—~～]|一直到|直到)"
_EDGE = r"(?:以后|之后|过后|以前|之前|左右|前后|开始|起|期间)"
_HABIT = (
    r"每天|天天|每晚|每日|每夜|每周[一二三四五六日天末]?|每个?(?:星期|"
    r"礼拜)[一二三四五六日天]?|每个?月|每年|每隔\S{1,4}天|"
    r"每到(?:周末|节假日|晚上|夏天|冬天|下雨天?|雨天|傍晚|半夜|放学)?|一到(?:周末|节假日|"
    r"晚上|夏天|冬天|下雨天?|雨天|半夜)|一下雨|周末|节假日|工作日|逢年过节|每次下雨"
)
_DAY = (
    r"大前天|前天|昨天|昨日|今天|今日|今早|今晚|昨晚|昨夜|前晚|明天|后天|前几天|前两天|"
    r"这两天|这几天|最近(?:几天|几个月|一个?月|一段时间|一周)?|近期|近日|"
    r"上个?(?:周|星期|礼拜)[一二三四五六日天末]?|这个?(?:周|星期|"
    r"礼拜)[一二三四五六日天末]?|本周[一二三四五六日末]?|(?:星期|礼拜|"
    r"周)[一二三四五六日天]|"
    r"上个?月|这个月|本月|月初|月底|今年|去年|前年|大前年|年初|年底|刚才|刚刚|国庆(?:节|"
    r"期间)?|春节(?:期间)?|五一(?:期间|假期|放假)|元旦|暑假|寒假|中秋节?|清明节?"
)
_YEAR = (
    r"(?:[12１２][0-9０-９]{3}|[零〇一二三四五六七八九]{4}|[0-9]{2}|[零〇一二三四五六七八九]{2})年"
)
_DATE = (
    rf"(?:{_YEAR})?(?:[0-9]{{1,2}}|[一二三四五六七八九十]{{1,2}})月(?:份|初|底|中旬|上旬|"
    rf"下旬)?(?:(?:[0-9]{{1,2}}|[一二三四五六七八九十]{{1,3}})[日号])?|{_YEAR}(?:初|底|"
    rf"上半年|下半年)?"
    r"|(?<![0-9零一二三四五六七八九十])(?:[0-9]{1,2}|"
    r"[一二三四五六七八九十]{1,3})号(?=上午|下午|晚上|早上|凌晨|那天|开始|中午)"
    r"|(?:20\d\d)[-./](?:\d{1,2})[-./](?:\d{1,2})"
)
_DURATION = (
    rf"(?:快|将近|超过|长达|连续|近|大概)?(?:好几|{_N}|好多|一整)(?:多)?(?:个)?(?:半)?(?:多)?"
    r"(?:小时|钟头|分钟|天|星期|礼拜|周|月|年|晚上|季度)(?:多|半|左右|以上)?"
)
_CHAIN = re.compile(
    rf"(?:从|自|大概|大约|差不多|自从)?(?:(?P<date>{_DATE})|(?P<habit>{_HABIT})|"
    rf"(?P<day>{_DAY})|(?P<part>{_PART})|(?P<clock>{_CLOCK}))"
    rf"(?:(?:的|大概|大约|差不多|都是|基本上?)?(?:{_DATE}|{_HABIT}|{_DAY}|"
    rf"{_PART}|{_CLOCK}|{_RANGE_JOIN}|{_EDGE}))*"
    r"(?:的?时候)?"
)
_LENGTH = re.compile(_DURATION)
_WHOLE_MONTHS = re.compile(rf"{NUMERAL}+月$")
_DEADLINE_AFTER = re.compile(r"(?:之?内|以内|里)(?!容|部|科)")
_WISH_BEFORE = re.compile(r"(?:希望|请|要求|尽快|能不能|在|最好|务必)[^，。,]{0,4}$")
_NOT_LENGTH = re.compile(r"^(?:半天|一天到晚|[一二三四五六七八九]年级)")
_LASTING = re.compile(r"(?:已经|等了?|停了|都|整整|坏了|快|有|过了|差不多)$")
_TRAILING = re.compile(rf"(?:{_RANGE_JOIN}|的|，|,|\s)+$")
_SCORES = {"date": 0.8, "habit": 0.82, "day": 0.75, "clock": 0.6, "part": 0.55}
_DAYS_AGO = {"今": 0, "昨": 1, "前天": 2, "前晚": 2, "大前天": 3, "明天": -1, "后天": -2}
_ISO = re.compile(r"(?:(20\d\d)年)?(\S{1,2})月(?:份)?(\S{1,3})[日号]")


def _date_of(text: str, today: date) -> tuple[str, ...]:
    """The calendar day said, if one can be told."""
    for name in ("大前天", "前天", "前晚", "明天", "后天", "昨", "今"):
        if text.startswith(name) and not text.startswith("今年"):
            return ((today - timedelta(days=_DAYS_AGO[name])).isoformat(),)
    match = _ISO.match(text)
    if match is None:
        return ()
    month, day = number_of(match[2]), number_of(match[3])
    if month is None or day is None:
        return ()
    try:
        said = date(int(match[1] or today.year), month, day)
    except ValueError:
        return ()
    if match[1] is None and said > today:
        said = _year_before(said)
    return (said.isoformat(),)


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, 28 if day.month == 2 else day.day))


def _moments(text: str, today: date) -> list[Mention]:
    found = []
    for match in _CHAIN.finditer(text):
        said = _TRAILING.sub("", match[0])
        if len(said) < 2 or said == "一点":
            continue
        kind = next(name for name in _SCORES if match[name])
        score = _SCORES[kind] + min(0.12, 0.02 * (len(said) - len(match[kind])))
        end = match.start() + len(said)
        if kind == "clock" and not re.search(r"[点:：]", said):
            continue
        if re.match(r"(?:我们|来|也)?(?:打电话|来电|投诉|反映)", text[end:]) and kind in {
            "day",
            "part",
        }:
            score -= 0.2
        if kind in {"day", "date"} and _DEADLINE_AFTER.match(text, end):
            continue
        found.append(Mention(match.start(), end, said, score, _date_of(said, today)))
    return found


def _lengths(text: str) -> list[Mention]:
    found = []
    for match in _LENGTH.finditer(text):
        if _NOT_LENGTH.match(match[0]) or _DEADLINE_AFTER.match(text, match.end()):
            continue
        if match[0] in {"一天", "一年"} and not _LASTING.search(
            text, max(0, match.start() - 40), match.start()
        ):
            continue
        if _WHOLE_MONTHS.search(match[0]) and "个" not in match[0] and "半" not in match[0]:
            continue
        score = 0.6 if text[match.end() : match.end() + 1] == "前" else 0.5
        if (
            _WISH_BEFORE.search(text[max(0, match.start() - 40) : match.start()])
            and text[match.start()] != "在"
        ):
            score = 0.3
        found.append(Mention(match.start(), match.end(), match[0], score))
    return found


@lru_cache(maxsize=2048)
def find_times(text: str, today: date) -> tuple[Mention, ...]:
    """Times said in one text, best first."""
    moments = _moments(text, today)
    lengths = [
        m for m in _lengths(text) if not any(m.start < t.end and t.start < m.end for t in moments)
    ]
    return tuple(best_first(moments + lengths))
