"""Whether the caller wants a reply, and whether the contact must be kept secret."""

import re
from functools import lru_cache

from transcription.mention import Mention

YES, NO = "yes", "no"
_NOT = (
    r"(?:不用|不需要|不必|无需|不要|无须|没必要|不想要?|别|用不着|就不用)(?:再|了|给我|"
    r"跟我|给|你们|打电话)*"
)
_REPLY_WORD = r"(?:回复|答复|回访|回电话?|反馈|回个?(?:电话|信|话))"
_REPLY_NO = re.compile(rf"{_NOT}{_REPLY_WORD}|{_REPLY_WORD}(?:就)?(?:不用|不需要|不必)了?")
_REPLY_YES = re.compile(
    rf"(?:希望|请|要|需要|想要|等|盼|能|尽快|及时|给我|给个|给一个|给予|早日|务必|麻烦|"
    rf"可以)[^，。！？]{{0,10}}?{_REPLY_WORD}(?!不用|不需要|不必)(?:我|一下)?|盼复|望复|"
    rf"望回复|请(?:回|打)(?:我)?电话|(?:处理完|有结果|有了?消息|"
    rf"有进展)[^，。]{{0,6}}(?:告诉|通知|联系|打)(?:我|给我)"
)
_ALREADY = re.compile(
    rf"(?:没有?|未|一直没有?|不)(?:人|给我|任何|见|得到|收到|有)*{_REPLY_WORD}|"
    rf"{_REPLY_WORD}(?:说|是|我说|了|称)"
)
_SECRET_NO = re.compile(
    r"(?:不用|不需要|不必|无需|没必要)(?:给我|帮我|对我)?(?:的信息|的?身份|"
    r"个人信息)?(?:保密|匿名)|(?:可以|愿意)(?:公开|实名)|实名(?:举报|反映|投诉)|"
    r"不怕(?:他们|你们)?知道|保密(?:就)?不用"
)
_SECRET_YES = re.compile(
    r"(?:帮我|为我|给我|请|要|需要|希望|对我|信息|身份|一定|务必|能|得|想|"
    r"求)[^，。！？不]{0,8}?保密(?!协议|工作|费|局|室|级|制度)|匿名(?!性)|"
    r"(?:不要|别|不能|勿|千万别|不可以|不想)(?:把|让|向|跟|对|给|"
    r"将)?[^，。！？]{0,10}?(?:透露|泄露|泄漏|告诉(?:他们|别人|物业|老板|公司|对方|学校|"
    r"单位|任何人)|知道(?:是)?我|说是我|公开我|暴露)[^，。！？]{0,8}|(?:不要|别)(?:说|"
    r"告诉)[^，。！？]{0,6}(?:是我|我的(?:名字|电话|信息))|保密(?=$|[，。！？吧])"
)
_ASKS_REPLY = re.compile(
    rf"{_REPLY_WORD}.{{0,6}}(?:吗|么|不|$)|(?:需不需要|要不要|是否需要|需要).{{0,8}}{_REPLY_WORD}"
)
_ASKS_SECRET = re.compile(
    r"保密.{0,6}(?:吗|么|不|$)|匿名.{0,4}(?:吗|么|$)|(?:需不需要|要不要|是否).{0,8}(?:保密|匿名)"
)
_SAYS_NO = re.compile(r"(?:嗯|呃|啊|哦)?(?:不用|不要|不需要|不必|不了|没事|无所谓|算了|不|没有)")
_SAYS_YES = re.compile(
    r"(?:嗯+|对+|是的?|要的?|需要|好的?|可以|行|当然|必须|麻烦|没错|最好|有的|正确)"
)


def says_no(text: str) -> re.Match[str] | None:
    """Whether an answer begins with a no."""
    return _SAYS_NO.match(text)


def says_yes(text: str) -> re.Match[str] | None:
    """Whether an answer begins with a yes."""
    return None if says_no(text) or re.match(r"(?:对|是)?不", text) else _SAYS_YES.match(text)


def _find(text: str, no: re.Pattern[str], yes: re.Pattern[str]) -> list[Mention]:
    found = [Mention(m.start(), m.end(), NO, 0.9) for m in no.finditer(text)]
    for match in yes.finditer(text):
        if not any(match.start() < n.end and n.start < match.end() for n in found):
            found.append(Mention(match.start(), match.end(), YES, 0.85))
    return sorted(found, key=lambda m: m.start)


@lru_cache(maxsize=2048)
def find_reply_wishes(text: str) -> tuple[Mention, ...]:
    """Said wishes about a reply, in the order said."""
    complaints = [(m.start(), m.end()) for m in _ALREADY.finditer(text)]
    return tuple(
        m
        for m in _find(text, _REPLY_NO, _REPLY_YES)
        if m.value == NO or not any(m.start < end and start < m.end for start, end in complaints)
    )


@lru_cache(maxsize=2048)
def find_secrecy_wishes(text: str) -> tuple[Mention, ...]:
    """Said wishes about secrecy, in the order said."""
    return tuple(_find(text, _SECRET_NO, _SECRET_YES))


def asks_about_reply(text: str) -> bool:
    """Whether the agent asks if a reply is wanted."""
    return _ASKS_REPLY.search(text) is not None


def asks_about_secrecy(text: str) -> bool:
    """Whether the agent asks if the contact is to be kept secret."""
    return _ASKS_SECRET.search(text) is not None
