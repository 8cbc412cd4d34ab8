"""Finds the core demand: what the caller wants done, in the caller's own words.

Words of asking (希望, 请, 能不能, 想咨询 …) open it; it runs to the end of its clause. Recognised
speech has no punctuation, so leave-taking, contact details and the next word of asking end it too.
"""

import re
from functools import lru_cache

from transcription.mention import Mention, best_first

_STOP = r"[，。；！？,;!?\n]"
_OPENERS: tuple[tuple[str, float], ...] = (
    (
        (
            r"(?:我|我们|本人)?(?:的)?诉求(?:就)?是|强烈要求|强烈请求|恳请|恳求|请求|"
            r"我(?:们)?(?:的)?要求(?:就)?是|我(?:们)?要求|特此?要求|要求"
        ),
        0.85,
    ),
    (r"(?:我|我们|也|还是|就|真心|真的|非常|衷心|迫切)?希望|盼望|盼|呼吁|期望", 0.85),
    (
        (
            r"(?:我|我们)?(?:就是)?(?:想|要|来)(?:咨询|问|请问|了解|请教|查询|打听|知道|"
            r"查)(?:一下|下)?(?:关于)?|咨询(?:一下|下|的是)|请问(?:一下|下)?|请教(?:一下|下)?|"
            r"问(?:一下|下)"
        ),
        0.8,
    ),
    (
        (
            r"(?:我|我们|本人)?(?:个人)?(?:在此|特此)?建议|提(?:个|一个|条|一条)(?:小)?建议|"
            r"应该(?:尽快|要|加强|设置|增加)?"
        ),
        0.75,
    ),
    (
        (
            r"(?:你们|您那边|政府|有关部门|相关部门|领导|社区|贵局|咱们)?(?:能不能|能否|可不可以|"
            r"可否|是否可以|是不是可以|是不是能|可以(?=.{0,10}吗))"
        ),
        0.75,
    ),
    (
        (
            r"麻烦(?:你们|您|你)?|拜托|请(?!问|教|假|客|柬|求|过|你别|的|了)(?:你们|您|你|"
            r"有关部门|相关部门|政府|领导)?(?:帮忙|帮我|帮)?|帮(?:我|我们|忙)(?!的)|赶紧|尽快|"
            r"赶快|快(?:点|来)"
        ),
        0.65,
    ),
    (r"(?:我)?(?:要|想)(?:求助|投诉|举报|反映)(?:一下|下)?", 0.35),
    (r"应(?:当|予以|尽快|立即)|何时(?:能|才能|可以)?|什么时候(?:能|才能|可以|会)", 0.55),
)
_OPEN = re.compile("|".join(f"(?P<o{i}>{pattern})" for i, (pattern, _) in enumerate(_OPENERS)))
_END = re.compile(
    rf"{_STOP}|谢谢|再见|就这样|我(?:的)?(?:联系)?(?:电话|手机)|联系(?:电话|方式)|(?:我|"
    rf"本人)叫|我姓|喂|不要透露|请?(?:你们|您|帮我|给我|为我)?保密|(?<=.)(?:不用|需要|"
    rf"要)(?:给我)?回复"
)
_CONTACT_ONLY = re.compile(
    r"(?:(?:尽快|及时|给|我|一个|能|个|早日|您|你们?|们)*)(?:回复|回电|答复|联系我|保密|"
    r"匿名)(?:我|一下|吧|谢谢|的|电话)*"
)
_EMPTY = re.compile(r"[\s的了吧呢啊吗嘛呀，。一下你们您]*")
_MIN_BODY, _MAX_BODY = 2, 60
_QUESTION = re.compile(
    r"[^，。；！？,;!?\n]{0,30}(?:怎么(?:办理?|弄|申请|交|查|走|处理|报|算|领|缴|开|"
    r"补|退|转|改)|如何\w|需要什么|需要哪些|要什么|哪些(?:材料|手续|条件)|"
    r"多少(?:钱|天|费)?|什么(?:条件|材料|手续|流程|标准|政策|时间|时候)|在哪里?(?:办|交|"
    r"领|查)|到哪|去哪|哪里(?:可以|能)|是否|能不能|可不可以|有没有(?:政策|补贴|"
    r"规定))[^，。；！？,;!?\n]{0,24}"
)


def _body(text: str, opener_end: int) -> int:
    """Where the clause that begins at ``opener_end`` ends."""
    end = len(text)
    stop = _END.search(text, opener_end)
    if stop is not None:
        end = stop.start()
    following = _OPEN.search(text, min(end, opener_end + 6), end)
    if following is not None and following.lastgroup in {"o0", "o1", "o2", "o3"}:
        end = following.start()
    return min(end, opener_end + _MAX_BODY)


def _asked(text: str, match: re.Match[str]) -> Mention | None:
    assert match.lastgroup is not None
    score = _OPENERS[int(match.lastgroup[1:])][1]
    end = _body(text, match.end())
    body = text[match.end() : end].rstrip()
    if len(body) < _MIN_BODY or _EMPTY.fullmatch(body):
        return None
    if _CONTACT_ONLY.fullmatch(body):
        score = 0.3
    end = match.end() + len(body)
    return Mention(
        match.start(), end, text[match.start() : end], score + min(0.1, 0.005 * len(body))
    )


@lru_cache(maxsize=2048)
def find_demands(text: str) -> tuple[Mention, ...]:
    """Demands said in one text, best first."""
    found: list[Mention] = []
    position = 0
    while (match := _OPEN.search(text, position)) is not None:
        mention = _asked(text, match)
        if mention is not None:
            found.append(mention)
        position = mention.end if mention is not None else match.end()
    for question in _QUESTION.finditer(text):
        start = question.start() + len(question[0]) - len(question[0].lstrip())
        if not any(start < m.end and m.start < question.end() for m in found):
            found.append(Mention(start, question.end(), text[start : question.end()], 0.6))
    return tuple(best_first(found))
