"""Tells the type of a demand (R005): consult, help, suggest, complain, report.

Each type has cues of three strengths, a word list of our own; what a caller says of the call
itself ("我要投诉") outweighs what the story sounds like. docs/DRAFT.md says how we draw the lines
between the types. Pure.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class DemandType(StrEnum):
    """Demand type codes, R005."""

    CONSULT = "consult"
    """咨询: wants to know."""
    HELP = "help"
    """求助: wants a trouble removed, blames nobody."""
    SUGGEST = "suggest"
    """建议: proposes how something public could be better."""
    COMPLAIN = "complain"
    """投诉: somebody does harm or does not do their duty."""
    REPORT = "report"
    """举报: tells of an unlawful act, wants it looked into."""
    OTHER = "other"
    """其他: set by an agent only."""


TYPE_NAMES = {
    DemandType.CONSULT: "咨询",
    DemandType.HELP: "求助",
    DemandType.SUGGEST: "建议",
    DemandType.COMPLAIN: "投诉",
    DemandType.REPORT: "举报",
    DemandType.OTHER: "反映",
}


@dataclass(frozen=True, slots=True)
class TypeCue:
    """Words in a text that speak for a type."""

    start: int
    end: int
    type: DemandType
    weight: float


@dataclass(frozen=True, slots=True)
class TypeGuess:
    """The type that the cues of a call point to."""

    type: DemandType
    confidence: float


_SAID, _STRONG, _LIKELY, _HINT = 6.0, 3.0, 2.0, 1.0
_CUES: dict[DemandType, dict[float, str]] = {
    DemandType.CONSULT: {
        _SAID: (
            r"(?:想|要|来|再|先)(?:咨询|请教|打听|了解|查询)(?:一下|下)?|咨询(?:一下|下|个|的是|"
            r"：|:)|^咨询|(?:想|要|来)问(?:一?下|问)?|问(?:一?下|个问题)|打听(?:一?下)?"
        ),
        _STRONG: (
            r"请问|请教|(?:需要|要)(?:准备|提供|带|提交|交)?(?:什么|哪些|啥)(?:材料|手续|证件|"
            r"条件|资料|证明)?|(?:怎么|如何|怎样)(?:办理|申请|办|申领|报名|缴费|缴纳|查询|报销|"
            r"领取|计算|补办|认定|转|交|算|报|开|领|查|缴|补|预约|注册|注销|操作|参加)|(?:到|去|"
            r"在)(?:哪里?|哪儿|哪个(?:部门|窗口|地方))(?:去)?(?:办|申请|查|交|领|报|开)?|"
            r"有(?:什么|哪些|没有(?:相关|这方面)?的?)(?:政策|规定|补贴|优惠|条件|要求)|(?:什么|"
            r"哪些)(?:人|情况|条件)(?:可以|能|才能)"
        ),
        _LIKELY: (
            r"能不能(?:直接|在\S{1,4})?(?:交|报|办|领|申请|享受|转|补|落|上|用|提)|(?:可以|可否|"
            r"能否|能|是否(?:可以|能|能够)?|算不算|可不可以|还能|还可以)(?:报销|办理|申请|享受|"
            r"领取?|转|补|落户|买|参加|认定|提取?|入|上)|多少(?:钱|天|费用?|岁|年|分)|(?:什么|"
            r"啥)(?:标准|流程|政策|条件|手续)|要不要|怎么(?:考|处理|走|写|用|坐|去)|还有没有|"
            r"有没有(?:政策|变化|规定|补贴)|多久|几点|求解|求答|解答|特?咨询"
        ),
        _HINT: (
            r"[吗么](?=$|[，。？?！!\s])|什么时候|是不是|有没有|是否|何时|疑问|合理|多少|政策|"
            r"规定|哪里|哪个"
        ),
    },
    DemandType.HELP: {
        _SAID: r"求助|救命|(?:需要|寻求|请求|想要)(?:一些)?(?:帮助|援助|救助)|来(?:个)?人(?:帮|救)",
        _STRONG: (
            r"(?:帮帮|帮忙|帮我(?!保密)|帮助我|帮一下|帮下)|(?:派|叫|找|安排)(?:个|一个|几个|"
            r"些)?(?:人|"
            r"师傅|工作人员|车)(?:来|过来|去)?|(?:请|赶紧|赶快|快|马上|麻烦|尽快)(?:来|上门|"
            r"派)(?:个?人|一下|看看|盖|修|处理|清理)?|上门(?:看|检查|维修|服务)|没有?(?:地方|人|"
            r"钱)(?:住|照顾|治|看病)|抢修|被困|着火|起火|走失|走丢|不见了|(?:尽快|赶快|赶紧|快点|"
            r"马上)(?:来)?(?:修|救|抢修|恢复|处理)|无家可归|无依无靠|昏倒|晕倒|掉(?:进|到)|受伤|"
            r"(?:请求|恳求|恳请)(?:政府|领导|有关部门|社会|书记|市长|县长|厅长|各位|"
            r"贵)?\S{0,10}(?:帮|救|解决|援)|(?:停|断)(?:水|电|气)了"
        ),
        _LIKELY: (
            r"(?:水管|管道|水|电|路灯|暖气|马桶|下水道|井盖|高压线|电线|天然气|煤气|"
            r"燃气).{0,6}(?:爆|坏|"
            r"漏|堵|破|断|不亮|丢|塌|掉|没了|停了)|(?:停|没)(?:水|电|气|暖)|不热|(?:修|补|换|通|"
            r"清理)(?:一下|一修|好)|修补|维修|疏通|(?:很|非常|特别|十分|太|生活|家庭)困难|"
            r"走投无路|(?:该)?找谁|走散|摔断|骨折|躺在(?:地上|路边)|叫不醒|动不了|下不了(?:床|"
            r"楼)|出不了(?:门|去)|断粮|没吃的|全黑|漆黑|(?:麻烦|请)(?:你们?|您)?(?:联系|通知|"
            r"转告|问|催|告诉)|没办法|不知道(?:该)?(?:怎么办|找谁)|怎么办|该怎么|丢了|捡到|"
            r"找不到|冻|"
            r"生病|没人照顾|讨回|讨要|维权|求(?:解决|帮)|为(?:我们|民|老百姓|百姓)?做主|作主|"
            r"(?:恳请|恳求|请求|跪求)|诉求|(?:倒|塌|淹|冲)(?:了|断|垮)|很?危险|弱势群体|残疾|"
            r"贫困|实际困难"
        ),
        _HINT: r"解决|急|帮|救|恢复|协调|联系不上|盼",
    },
    DemandType.SUGGEST: {
        _SAID: (
            r"提(?:个|一个|点|几个|几点|些|一点|一条|条)?(?:小|合理化|意见|的)*(?:建议|意见)|"
            r"(?:我|本人|个人|我们)(?:个人)?(?:在此|特|想)?建议|^\S{0,6}(?:关于.{0,30}的?)?建议|"
            r"(?:以上|此)(?:几点)?建议|有个?(?:想法|建议)|(?:一点|几点|一些|小小?)的?(?:建议|"
            r"想法)|建言|献策"
        ),
        _STRONG: (
            r"建议|提议|倡议|可以(?:考虑|把|给|让|搞|在\S{1,8}(?:设|装|建|放|开))|(?:能不能|能否|"
            r"是不是能|可不可以)(?:给|把|在|让|多|再|也)\S{0,12}(?:多|建|设|装|换|改|加|搞|开|放|"
            r"修|种|弄)|(?:希望|能不能|能否|应该|最好|要是)能?(?:进到|修一个|修个|"
            r"建一个|再多|多一些|向\S{1,6}开放)|是不是可以|可不可以在|应该(?:要)?(?:禁止|建|设|"
            r"有一个)|(?:急需|应该|必须|要)(?:加大|加快|重视)|(?:希望)\S{0,10}(?:重视|推动|加快|"
            r"加大|推进|免费|开放|鼓励)|(?:希望|能不能|能否|可否|可不可以|最好|是不是可以|应该|"
            r"应|请|盼)\S{0,12}?(?:增加|增设|加装|加设|开通|延长|优化|完善|设置|设立|推广|引进|"
            r"开设|多设|改成|改为|安装|新建|增开|加开|推行|建一个|建一座|修建|延伸|放宽|出台|"
            r"建个|缩短|调整)"
        ),
        _LIKELY: (
            r"(?:可以|应该|应当|不如)(?:多|增|设|建|考虑|学习|借鉴|采用|实行)|呼吁|借鉴|更好地?|"
            r"更加|有利于|方便(?:市民|群众|老人|居民|大家|百姓|老百姓)|加强|提高|规范|推动|打造|"
            r"发展"
        ),
        _HINT: r"希望|应该|能否|促进|完善|改进|优化|增加|打造|价值",
    },
    DemandType.COMPLAIN: {
        _SAID: (
            r"(?:要|想|来|再次|我们|进行|强烈|^)投诉|投诉(?:一下|下|他|它|这|那|的是|：|:)|"
            r"要个?说法|讨个?(?:说法|公道)"
        ),
        _STRONG: (
            r"投诉|不作为|推诿|推来推去|踢皮球|互相推|(?:态度|服务)(?:非常|很|特别|极其|极|太|"
            r"十分|也)?(?:恶劣|差|不好|蛮横|傲慢)|扰民|乱收费|(?:没有?人|无人|没谁|都不|也不|"
            r"不)(?:管|理睬|处理|解决)|拒不|霸王条款|置之不理|无人(?:过问|问津|理睬)|推三阻四|"
            r"漫天要价|怨声载道|民不聊生|苦不堪言|何时休|一直不(?:赔|给|退|修)|关门(?:跑路|了)|"
            r"跑路|骂人|发脾气|打骂|辱骂|(?:强迫|强行|强制|被迫)|拖着不|还我|翻新机|不打表|"
            r"不停车|胡作非为|昧着良心|一纸空文|形同虚设|变相|侵犯|侵占|何在|天理|敢怒不敢言|"
            r"说法不一|不给(?:办|退|开)|久拖不决|不履行|泛滥|猖獗|拖延|推脱|互相推|私自|(?:退费|"
            r"退款|退押金).{0,6}(?:拖|不)|还没(?:修|交|退|发|解决|处理|好)|无果|违背|欠(?:薪|款|"
            r"我)|不给(?:钱|退|办|修|发|解决|处理|换|说法|结)|言而无信|刁难|坑(?:害|人|骗|老百姓|"
            r"业主|消费者)|强制|强迫|敷衍|不负责任?|黑心|无良|蛮横|欺负|欺压|欺骗|忽悠|霸占|违约|"
            r"太过分|不合理|怠工"
        ),
        _LIKELY: (
            r"没有?人(?:来|清理|修|来修|打扫|维护|负责|接电话|值班)|[吵熏照弄害气搞闹震晒](?:得|"
            r"的)|睡不(?:着|好)|吃不(?:饱|上)|喝不上|用不(?:上|了)|走不了|太\S{1,3}了|涨了|非要|"
            r"硬要|逼(?:着|我|迫)|(?:收|交|付)了?(?:钱|定金|押金|款|费)|(?:根本|就是|从来|死活|"
            r"硬是|偏)(?:都|也)?(?:不|没)|不理|不让|不牵|吓(?:到|得|坏)|赶(?:下|走|出)|玩手机|"
            r"打人|骂|拖欠|克扣|噪[音声]|吵|(?:一直|迟迟|始终|至今|还是|仍然|到现在)(?:都|还|"
            r"也)?(?:没有?|不|未)|(?:没法|无法|不能|根本没法)(?:正常)?(?:睡|休息|生活|出行|居住|"
            r"走|开)|脏乱差|乱(?:停|放|扔|摆|涨|象|收|倒|搞|堆|占)|(?:太|特别|非常|严重|极其|"
            r"十分)(?:大|吵|臭|脏|差|慢|贵|难闻|影响|乱|黑)|严重影响|凭什么|难道|"
            r"反映.{0,12}(?:问题|现象|乱象)|存在(?:严重)?.{0,8}(?:问题|行为)|推迟|逾期|延期|"
            r"没有给|扯皮|怎么能|(?:多次|反复|几次|好几次)(?:反映|打电话|投诉|找|沟通|交涉|要求|"
            r"报修)|不满|不公|堆(?:了|满|积)|占用|占了|污染|臭|收费|拒绝|耽误|违规|侵害|损害|"
            r"侵犯|失职|受骗|上当|虚假|隐瞒|等了|不来"
        ),
        _HINT: (
            r"为何|为什么|不(?:热|亮|通|退|让|肯|符)|坏|差|影响|收取|反映|质疑|可恶|无奈|合理吗|"
            r"老是|总是|经常|到底|试问|罚款|困扰|严重|投诉无门|居然|竟然|！！|高价|不公平|不公正|"
            r"拖|弄丢|隐患|存在"
        ),
    },
    DemandType.REPORT: {
        _SAID: r"举报|检举|揭发",
        _STRONG: (
            r"(?:没有?|无)(?:任何)?(?:证|执照|环评|许可证?|资质|手续|营业执照|牌照|审批)(?:的|就|"
            r"往|也|在|给|搞|$)|赌局|赌场|开赌|赌钱|做假账|假账|盗版|往(?:河|江|湖|沟|田|海|"
            r"水)(?:里|边|库里)?(?:排|倒|扔|放)|色情|淫秽|冒充|(?:改|换|涂)\S{0,3}(?:日期|标签)|"
            r"日期改|贩卖|倒卖|勒索|保护费|强买强卖|偷电|盗电|毒品|野味|野生动物|高利贷|刷单|"
            r"洗钱|替考|代考|号贩子|黄牛|医托|碰瓷|邪教|套牌|(?:倒|埋|填)\S{0,4}(?:废料|废渣|"
            r"化工|医疗垃圾|危废)|涉嫌|传销|赌博|聚赌|卖淫|嫖|吸毒|贩毒|偷税|漏税|"
            r"逃税|受贿|行贿|贪污|回扣|索贿|偷排|"
            r"非法(?:行医|经营|集资|营运|占用?|开采|采|生产|倾倒|排放|办学|捕|买卖|销售|建)|"
            r"无证(?:经营|行医|驾驶|办|生产|上岗|开)|无照|制假|售假|假(?:药|酒|烟|证|冒|货|发票)|"
            r"黑(?:作坊|诊所|车|网吧|中介|工厂|煤窑)|有偿补课|违规补课|(?:盗|偷|滥)(?:采|伐|挖|"
            r"砍|猎)|以权谋私|套取|骗取|骗保|弄虚作假|冒领|私设|地下(?:赌场|加工)|走私|电鱼|毒鱼|"
            r"偷工减料|私(?:建|设)(?:收费|赌)|彻查|查处|骗取|病死猪|地沟油|打击取缔|严厉打击"
        ),
        _LIKELY: (
            r"违法|非法|查处|取缔|严查|彻查|违规(?:操作|建|办|经营|收|招|占|排|生产)|违建|"
            r"违章(?:建|搭)|犯罪|诈骗|骗局|腐败|贿|黑恶|窝点|包庇|私自|偷偷"
        ),
        _HINT: r"严惩|打击|监管|调查|曝光|证据",
    },
}
_PATTERNS = tuple(
    (kind, weight, re.compile(words))
    for kind, strengths in _CUES.items()
    for weight, words in strengths.items()
)
_NOT_MEANT = re.compile(r"(?:不是|不想|不要|不|没有|无意|算不上|并非)(?:要|想|来)?$")
_EARLIER = re.compile(
    r"(?:之前|已经|上次|多次|以前|曾|曾经|几次|向\S{1,8}|打\S{0,8}|被|到\S{1,8}|去\S{1,8}|一直|经)$"
)
_MIN_WEIGHT = 1.0
_HINT_CEILING = 3.0
"""Hints alone never outweigh one plain word: long letters are full of rhetorical questions."""
_LEAD_CHARS = 40
_LEAD_FACTOR = 1.5
"""What a caller begins with is what they called for."""


@lru_cache(maxsize=2048)
def find_type_cues(text: str) -> tuple[TypeCue, ...]:
    """Cues in one text; of overlapping cues of one type only the strongest."""
    found: list[TypeCue] = []
    for kind, weight, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if weight >= _STRONG and _NOT_MEANT.search(
                text, max(0, match.start() - 40), match.start()
            ):
                continue
            heavy = weight
            if weight == _SAID and _EARLIER.search(
                text[max(0, match.start() - 12) : match.start()]
            ):
                heavy = _HINT
            cue = TypeCue(match.start(), match.end(), kind, heavy)
            if not any(c.type is kind and c.start < cue.end and cue.start < c.end for c in found):
                found.append(cue)
    return tuple(sorted(found, key=lambda c: c.start))


def guess_type(texts: Sequence[str]) -> TypeGuess | None:
    """The type of a whole call from all its texts; None when nothing speaks for any."""
    plain: dict[DemandType, float] = defaultdict(float)
    hints: dict[DemandType, float] = defaultdict(float)
    seen: dict[tuple[str, DemandType], int] = defaultdict(int)
    offset = 0
    for text in texts:
        for cue in find_type_cues(text):
            words = text[cue.start : cue.end]
            seen[words, cue.type] += 1
            weight = cue.weight / seen[words, cue.type]
            if offset + cue.start < _LEAD_CHARS:
                weight *= _LEAD_FACTOR
            (hints if cue.weight <= _HINT else plain)[cue.type] += weight
        offset += len(text)
    return _heaviest({t: plain[t] + min(hints[t], _HINT_CEILING) for t in DemandType})


def _heaviest(weights: dict[DemandType, float]) -> TypeGuess | None:
    order = list(DemandType)
    ranked = sorted(weights, key=lambda t: (-weights[t], order.index(t)))
    first, second = weights[ranked[0]], weights[ranked[1]]
    if first < _MIN_WEIGHT:
        return None
    return TypeGuess(ranked[0], round(first / (first + second + 1.0), 3))
