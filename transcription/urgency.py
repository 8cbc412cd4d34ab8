"""How urgent: emergency when a life may be in danger, urgent when waiting a day does harm.

Dangers to life are found by ``transcription.danger``; here is what harms within the day. Risks
talked about ("可能会停电") are no harm yet.
"""

import re
from enum import StrEnum
from functools import lru_cache

from transcription.mention import Mention, best_first


class Urgency(StrEnum):
    """The three steps the agent sees."""

    NORMAL = "normal"
    """Nothing says otherwise."""
    URGENT = "urgent"
    """Harm grows by the hour: burst pipes, no power, a missing child's school place tomorrow."""
    EMERGENCY = "emergency"
    """A life may be in danger now."""


_HARMS = (
    re.compile(
        r"(?:水管|管道|自来水|暖气管?|管子|消防栓|主管).{0,6}(?:爆了?|爆裂|破裂|裂了|破了|喷|"
        r"断了|炸了)|爆管|(?:污水|雨水).{0,4}(?:倒灌|涌进)|(?:水|漏水).{0,6}(?:淹了|灌进|"
        r"漫进|涌出|哗哗|往外冒|流(?:了|得|到)?(?:一|满)地)"
    ),
    re.compile(
        r"(?:停|断)(?:水|电|气|暖)(?:了)?|没有?(?:水|电|气)(?:了|用|$|[，。啊呢])|(?:家里|"
        r"小区|整栋|"
        r"整个).{0,4}(?:没水|没电|没气|停电|停水)|跳闸"
    ),
    re.compile(
        r"(?:电线|电缆|高压线|线杆|电线杆).{0,6}(?:掉|断|漏电|垂|倒|裸露|冒火花)|漏电|"
        r"(?:井盖|窨井盖).{0,4}(?:丢|没了|不见|缺失|破|塌|没有|掉)|(?:树|广告牌|路牌|"
        r"红绿灯).{0,4}(?:倒了|砸|掉下来|要倒)|(?:高空)?(?:坠|抛)物.{0,4}(?:砸|伤)"
    ),
    re.compile(
        r"(?:路面|马路|地面).{0,4}(?:塌|陷)|(?:摔|绊|砸|撞)(?:倒|伤|了跟头)(?:了)?|"
        r"(?:食物中毒|上吐下泻|拉肚子)|(?:老人|孩子|婴儿|孕妇|病人).{0,8}(?:冻|发烧|受不了|"
        r"病倒|住院)|聚众(?!赌)|堵门|拉横幅|讨薪.{0,4}(?:堵|跳)|十万火急|人命关天|"
        r"非常(?:紧急|着急|"
        r"急)|情况紧急|急(?:需|着用)|加急"
    ),
)
_RISK_BEFORE = re.compile(
    r"(?:怕|担心|容易|可能会?|会|如果|万一|要是|一旦|引发|引起|造成|导致|避免|防止|预防|"
    r"存在|发生|假如|以免|小心|恐怕|不|随时(?:有|会|可能)?|差点|险些|严禁|禁止|不能|避免|"
    r"威胁|若|当|没有|没|还没|不是|未|并未)[^，。！？]{0,8}$"
)
_RISK_AFTER = re.compile(
    r"^(?:的)?(?:隐患|危险|风险|怎么办|怎么处理|可能|应急|演练|保险|报警|事故频发|现象|"
    r"预防|宣传|检查|的话|赔偿|鉴定|知识|逃生|之后|以后)"
)
_PAST_BEFORE = re.compile(
    r"(?:去年|前年|以前|曾经|上个?月|上次|之前|多年前|\d{2,4}年\S{0,6}|年(?:的)?时候|"
    r"前几年|当年|当时|昨天|前天|上周|上个?星期|那次|几个?月前|经常|频繁|频频|多次|"
    r"好几次)[^。！？]{0,14}$"
)
_STILL = re.compile(r"现在|正在|还在|里面|快|救|赶紧|马上|目前|刚刚|刚才")


def _read(text: str, match: re.Match[str]) -> Mention | None:
    before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() :]
    if _RISK_BEFORE.search(before) or _RISK_AFTER.match(after):
        return None
    is_past = _PAST_BEFORE.search(before) and not _STILL.search(before[-8:] + after[:12])
    score = 0.4 if is_past else 0.7
    return Mention(match.start(), match.end(), Urgency.URGENT.value, score)


@lru_cache(maxsize=2048)
def find_harms(text: str) -> tuple[Mention, ...]:
    """What cannot wait in one text, the surest first. Dangers to life: ``transcription.danger``."""
    read = (_read(text, match) for harm in _HARMS for match in harm.finditer(text))
    return tuple(best_first([mention for mention in read if mention is not None]))
