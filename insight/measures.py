"""Every figure with its definition: the page, the API and docs/METRICS.md are made from this list.

Names and formulas are Chinese, because a leader reads them beside the number.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from insight.sums import Sums
from insight.timeline import HANDLING
from insight.visits import IN_TIME_S, SHORT_S

_SECOND: Final = 1_000_000
AT_WORK: Final = ("ready", "reserved", "ringing", *sorted(HANDLING))
"""States in which an agent is there for callers."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure; ``goal`` is the least that is wanted."""

    code: str
    name: str
    unit: str
    """``count``, ``share`` (0 to 1) or ``seconds``."""
    formula: str
    of: Callable[[Sums], float | None]
    goal: float | None = None
    source: str = ""


def _n(sums: Sums, name: str) -> int:
    return sums.get((name, 0), 0)


def _count(name: str) -> Callable[[Sums], float | None]:
    return lambda sums: _n(sums, name)


def _ratio(part: float, whole: float, digits: int = 4) -> float | None:
    return round(part / whole, digits) if whole else None


def _asked(sums: Sums) -> int:
    """Calls whose fate is known and that wanted an agent."""
    return _n(sums, "answered") + _n(sums, "abandoned") + _n(sums, "failed")


def _service_level(sums: Sums) -> float | None:
    return _ratio(_n(sums, "in_time"), _asked(sums) - _n(sums, "abandoned_short"))


def _connected(sums: Sums) -> float | None:
    return _ratio(_n(sums, "answered"), _asked(sums))


def _connected_without_short(sums: Sums) -> float | None:
    return _ratio(_n(sums, "answered"), _asked(sums) - _n(sums, "abandoned_short"))


def _abandonment(sums: Sums) -> float | None:
    return _ratio(_n(sums, "abandoned"), _asked(sums))


def _abandonment_without_short(sums: Sums) -> float | None:
    short = _n(sums, "abandoned_short")
    return _ratio(_n(sums, "abandoned") - short, _asked(sums) - short)


def _mean_s(total: str, count: str) -> Callable[[Sums], float | None]:
    return lambda sums: _ratio(_n(sums, total) / _SECOND, _n(sums, count), 1)


def _percentile(percent: int) -> Callable[[Sums], float | None]:
    """Nearest rank: the least wait that so many of the answered did not exceed."""

    def of(sums: Sums) -> float | None:
        tenths = sorted((tenth, n) for (name, tenth), n in sums.items() if name == "waits")
        total, seen = sum(n for _, n in tenths), 0
        for tenth, n in tenths:
            seen += n
            if seen * 100 >= percent * total:
                return tenth / 10
        return None

    return of


def _handling(sums: Sums) -> float | None:
    total = sum(_n(sums, f"handling_{state}") for state in HANDLING)
    return _ratio(total / _SECOND, _n(sums, "handled"), 1)


def _time(*states: str) -> Callable[[Sums], float | None]:
    return lambda sums: round(sum(_n(sums, f"time_{state}") for state in states) / _SECOND, 1)


def _occupancy(sums: Sums) -> float | None:
    work = sum(_n(sums, f"time_{state}") for state in HANDLING)
    return _ratio(work, sum(_n(sums, f"time_{state}") for state in AT_WORK))


def _agent_handling(sums: Sums) -> float | None:
    work = sum(_n(sums, f"time_{state}") for state in HANDLING)
    return _ratio(work / _SECOND, _n(sums, "taken"), 1)


_GBT = "GB/T 33358"

CALLS: Final = (
    Measure("offered", "请求人工", "count", "时段内进入排队的来电数", _count("offered")),
    Measure("answered", "人工接听", "count", "其中截至时段末已由坐席接听的", _count("answered")),
    Measure(
        "in_time", f"{IN_TIME_S} 秒内接听", "count",
        f"其中从进入排队到坐席接听不超过 {IN_TIME_S} 秒的", _count("in_time"),
    ),
    Measure("abandoned", "排队放弃", "count", "其中未接听即由市民挂断的", _count("abandoned")),
    Measure(
        "abandoned_short", "短时放弃", "count",
        f"排队放弃中，进入排队不超过 {SHORT_S} 秒的", _count("abandoned_short"),
    ),
    Measure("failed", "系统中断", "count", "其中未接听即因系统原因中断的", _count("failed")),
    Measure(
        "to_emergency", "转紧急电话", "count",
        "其中排队时按键转 110、119、120、122 的，不计入以下各率", _count("to_emergency"),
    ),
    Measure(
        "waiting", "仍在排队", "count", "其中截至时段末仍在等待的，不计入以下各率",
        _count("waiting"),
    ),
    Measure(
        "service_level", f"{IN_TIME_S} 秒接听率", "share",
        f"{IN_TIME_S} 秒内接听 ÷（人工接听 + 排队放弃 + 系统中断 − 短时放弃）",
        _service_level, source=_GBT,
    ),
    Measure(
        "connected", "接通率", "share", "人工接听 ÷（人工接听 + 排队放弃 + 系统中断）",
        _connected, goal=0.95, source=f"{_GBT}：任意连续 24 小时不低于 95%",
    ),
    Measure(
        "connected_without_short", "接通率（不计短时放弃）", "share",
        "人工接听 ÷（人工接听 + 排队放弃 + 系统中断 − 短时放弃）", _connected_without_short,
    ),
    Measure(
        "abandonment", "放弃率", "share", "排队放弃 ÷（人工接听 + 排队放弃 + 系统中断）",
        _abandonment,
    ),
    Measure(
        "abandonment_without_short", "放弃率（不计短时放弃）", "share",
        "（排队放弃 − 短时放弃）÷（人工接听 + 排队放弃 + 系统中断 − 短时放弃）",
        _abandonment_without_short,
    ),
    Measure(
        "mean_wait", "平均等待", "seconds", "已接听来电从进入排队到接听的时间之和 ÷ 人工接听",
        _mean_s("wait", "answered"),
    ),
    *(
        Measure(
            f"wait_p{percent}", f"{percent}% 等待", "seconds",
            f"已接听来电中 {percent}% 的等待不超过此值（按 0.1 秒向上取整）",
            _percentile(percent),
        )
        for percent in (50, 80, 95)
    ),
    Measure(
        "mean_abandoned_wait", "放弃前平均等待", "seconds",
        "排队放弃来电从进入排队到挂断的时间之和 ÷ 排队放弃", _mean_s("abandoned_wait", "abandoned"),
    ),
    Measure(
        "handled", "处理完毕", "count",
        "人工接听中，截至时段末所有坐席都已结束通话和话后整理的", _count("handled"),
    ),
    Measure(
        "handling", "平均处理时长", "seconds",
        "处理完毕来电的（通话 + 保持 + 话后整理时间）÷ 处理完毕", _handling,
    ),
    Measure(
        "mean_talk", "平均通话", "seconds", "通话时间 ÷ 处理完毕",
        _mean_s("handling_talking", "handled"),
    ),
    Measure(
        "mean_hold", "平均保持", "seconds", "保持时间 ÷ 处理完毕",
        _mean_s("handling_holding", "handled"),
    ),
    Measure(
        "mean_wrap_up", "平均话后整理", "seconds", "话后整理时间 ÷ 处理完毕",
        _mean_s("handling_wrap_up", "handled"),
    ),
)  # fmt: skip
"""Of all calls, and of those of one queue."""

STAFF: Final = (
    Measure(
        "occupancy", "占用率", "share",
        "（通话 + 保持 + 话后整理）÷（就绪 + 预留 + 振铃 + 通话 + 保持 + 话后整理）的坐席时间",
        _occupancy,
    ),
    Measure(
        "at_work", "在岗时间", "seconds", "就绪、预留、振铃、通话、保持、话后整理的坐席时间之和",
        _time(*AT_WORK),
    ),
    Measure("paused", "小休时间", "seconds", "处于小休的坐席时间之和", _time("paused")),
    Measure("lost", "话机断线时间", "seconds", "想接电话而话机断线的时间之和", _time("lost")),
    Measure(
        "unknown", "不明时间", "seconds", "电话服务中断、之后发现状态已变的坐席时间之和",
        _time("unknown"),
    ),
)  # fmt: skip
"""Of all agents together, and of one."""

AGENT: Final = (
    Measure("taken", "接听次数", "count", "时段内接起来电的次数", _count("taken")),
    Measure("missed", "漏接次数", "count", "时段内振铃未接或拒接的次数", _count("missed")),
    Measure(
        "handling", "平均处理时长", "seconds",
        "时段内（通话 + 保持 + 话后整理时间）÷ 接听次数", _agent_handling,
    ),
    *STAFF,
)  # fmt: skip
"""Of one agent."""

CONNECTED: Final = next(measure for measure in CALLS if measure.code == "connected")

Values = dict[str, float | None]


def values(measures: Iterable[Measure], sums: Sums) -> Values:
    """Each measure's figure by its code; None where there is nothing to divide by."""
    return {measure.code: measure.of(sums) for measure in measures}
