"""What each field of a draft makes of words as a recogniser writes them."""

import pytest

from tests.unit.transcription.talks import AGENT, CALLER, codes, draft, value
from transcription.draft_ticket import FieldName

PLACES = [
    ("我住在城北区文昌路一百二十号翠湖花园七栋二单元", "城北区文昌路一百二十号翠湖花园七栋二单元"),
    ("长江路和黄河路交叉口西北角有个坑", "长江路和黄河路交叉口西北角"),
    ("那个就是呃光明小学门口晚上没有路灯", "光明小学门口"),
    ("李家村三组一直没有通自来水", "李家村三组"),
    ("市第二人民医院门口天天堵车", "市第二人民医院门口"),
    ("地铁二号线西湖站A出口的扶梯坏了", "地铁二号线西湖站A出口"),
    ("我家住五一广场旁边那个丽景华庭三栋", "五一广场旁边那个丽景华庭三栋"),
    ("在长春市朝阳区红旗街有人摆摊", "长春市朝阳区红旗街"),
    ("我们小区十六号楼的电梯不动了", "我们小区十六号楼"),
    ("幸福路一百二十号院三号楼四单元五零二室漏水", "幸福路一百二十号院三号楼四单元五零二室"),
    ("我在文一西路和古墩路路口被撞了", "文一西路和古墩路路口"),
    ("棋牌室在和平里小区十一号楼一层", "和平里小区十一号楼一层"),
    ("A7县星沙镇凉塘路口有人摆摊", "A7县星沙镇凉塘路口"),
]
TIMES = [
    ("每天早上五点半就开始放音乐", "每天早上五点半"),
    ("他们每天晚上十一点到凌晨三点施工", "每天晚上十一点到凌晨三点"),
    ("上周三下午我去办事窗口没人", "上周三下午"),
    ("路灯坏了快两个月了", "快两个月"),
    ("二零二四年三月买的房子到现在没交房", "二零二四年三月"),
    ("一到周末楼下就有人唱歌", "一到周末"),
    ("停电停了好几天", "好几天"),
    ("晚高峰的时候堵得走不动", "晚高峰的时候"),
    ("2024年5月3日晚上8点停的电", "2024年5月3日晚上8点"),
]
PHONES = [
    ("我的电话是零二五八四七七一二三四", "02584771234"),
    ("打我手机吧幺三九幺二三四五六七八", "13912345678"),
    ("号码一三七 零零一二 三四五六", "13700123456"),
    ("我手机一三八四个零一二三四", "13800001234"),
    ("一五零一二三四五六七八是我的手机", "15012345678"),
    ("我的联系方式是13912345678，谢谢", "13912345678"),
    ("就打这个电话就行", CALLER),
    ("我是用这个号码打过来的有事联系我", CALLER),
]
NO_PHONES = [
    "物业的电话是零二五八八八八九九九九没人接",
    "我的身份证是三二零一零二一九八零零一零一一二三四",
    "我打过一二三四五也打过一一零",
    "一共欠了一万三千八百块",
    "你们别打这个电话",
]


@pytest.mark.parametrize(("said", "expected"), PLACES)
def test_the_place_is_the_longest_sensible_phrase(said: str, expected: str) -> None:
    assert value(FieldName.PLACE, said) == expected


@pytest.mark.parametrize("said", ["有人要跳河", "我想问一下怎么办", "这个问题什么时候解决"])
def test_words_that_only_look_like_places_are_none(said: str) -> None:
    assert value(FieldName.PLACE, said) is None


def test_a_district_name_shared_by_two_cities_stays_ambiguous() -> None:
    found = codes(FieldName.PLACE, "朝阳区那边的广场有人放鞭炮")
    assert {"110105", "220104"} <= set(found)


def test_the_home_city_tells_shared_names_apart() -> None:
    assert codes(FieldName.PLACE, "我在朝阳区", home="2201") == ("220104",)


def test_a_city_said_before_its_district_tells_shared_names_apart() -> None:
    assert codes(FieldName.PLACE, "长春市朝阳区红旗街堵车") == ("220104",)


def test_a_district_of_another_utterance_leads_the_place() -> None:
    found = draft("我是江宁区的", "呃东山街道文靖路翠屏花园十二栋有人违建").fields[FieldName.PLACE]
    assert found.value == "江宁区东山街道文靖路翠屏花园十二栋"
    assert found.codes == ("320115",)
    assert [piece.utterance for piece in found.evidence] == [0, 1]


@pytest.mark.parametrize(("said", "expected"), TIMES)
def test_the_time_is_kept_as_said(said: str, expected: str) -> None:
    assert value(FieldName.TIME, said) == expected


@pytest.mark.parametrize("said", ["希望三天之内解决", "有一点点吵", "一年级的小孩"])
def test_deadlines_and_look_alikes_are_no_time(said: str) -> None:
    assert value(FieldName.TIME, said) is None


def test_yesterday_is_dated_in_chinas_day() -> None:
    assert codes(FieldName.TIME, "昨天晚上水管爆了") == ("2026-05-05",)


@pytest.mark.parametrize(("said", "expected"), PHONES)
def test_spoken_digits_become_a_number(said: str, expected: str) -> None:
    assert value(FieldName.PHONE, said) == expected


@pytest.mark.parametrize("said", NO_PHONES)
def test_other_digits_are_no_contact(said: str) -> None:
    assert value(FieldName.PHONE, said) is None


def test_a_number_broken_by_a_pause_is_joined() -> None:
    found = draft("我电话一三九一二三", "四五六七八").fields[FieldName.PHONE]
    assert found.value == "13912345678"
    assert [piece.text for piece in found.evidence] == ["一三九一二三", "四五六七八"]


def test_the_corrected_number_wins() -> None:
    said = (
        "手机一三八零零一三八零零一",
        f"{AGENT}一三八零零一三八零零一对吗",
        "不对是一三八零零一三八零零二",
    )
    assert value(FieldName.PHONE, *said) == "13800138002"


def test_saying_this_number_to_a_number_read_back_does_not_mean_the_callers_own() -> None:
    said = ("我手机一三九一二三四五六七八", f"{AGENT}一三九一二三四五六七八", "对就是这个号码")
    assert value(FieldName.PHONE, *said) == "13912345678"


def test_a_number_the_agent_reads_back_counts_once_confirmed() -> None:
    question = f"{AGENT}您的电话是一三九零零零零一一一一对吗"
    assert value(FieldName.PHONE, question) is None
    assert value(FieldName.PHONE, question, "对") == "13900001111"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("有结果了给我回个电话",), "yes"),
        (("请尽快给我回复",), "yes"),
        (("不用回复我了",), "no"),
        (("你们一直没有给我回复",), None),
        ((f"{AGENT}需要给您回复吗", "不用了"), "no"),
        ((f"{AGENT}需要给您回复吗", "需要的"), "yes"),
        (("希望给我回电话", "算了不用回电话了"), "no"),
        ((f"{AGENT}我们会尽快给您回复",), None),
    ],
)
def test_the_last_word_on_a_reply_counts(lines: tuple[str, ...], expected: str | None) -> None:
    assert value(FieldName.WANTS_REPLY, *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("请帮我保密",), "yes"),
        (("千万别告诉物业是我说的",), "yes"),
        (("不要透露我的信息",), "yes"),
        (("不用保密我实名举报",), "no"),
        ((f"{AGENT}您的信息需要保密吗", "要"), "yes"),
        ((f"{AGENT}您的信息需要保密吗", "不用"), "no"),
        (("我签了保密协议",), None),
    ],
)
def test_secrecy_is_heard_with_its_negation(lines: tuple[str, ...], expected: str | None) -> None:
    assert value(FieldName.CONFIDENTIAL, *lines) == expected


@pytest.mark.parametrize(
    ("said", "level", "line"),
    [
        ("三楼起火了好多烟", "emergency", "119"),
        ("煤气味很重我不敢开灯", "emergency", "119"),
        ("两个人被困在货梯里出不来", "emergency", "119"),
        ("有人在桥上要跳下去了要跳河", "emergency", "110"),
        ("我老公打我我躲在厕所", "emergency", "110"),
        ("我奶奶晕倒了叫不醒", "emergency", "120"),
        ("大货车撞到一个骑车的有人受伤了", "emergency", "122"),
        ("楼上掉下来的花盆砸伤了路人", "emergency", "120"),
        ("小区门口水管爆了水一直喷", "urgent", None),
        ("整栋楼停电了", "urgent", None),
        ("担心老化的电线会引起火灾", "normal", None),
        ("去年这里发生过火灾现在又堆满杂物", "normal", None),
        ("没有人受伤就是车撞了护栏", "normal", None),
        ("消防火灾隐患一直没有整改", "normal", None),
    ],
)
def test_danger_now_is_told_from_risk_and_past(said: str, level: str, line: str | None) -> None:
    found = draft(said).fields[FieldName.URGENCY]
    assert found.value == level
    assert found.codes == ((line,) if line else ())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("这个路灯坏了希望尽快派人来修一下谢谢", "希望尽快派人来修一下"),
        ("我要求物业把电梯修好并且赔偿我们的损失", "我要求物业把电梯修好并且赔偿我们的损失"),
        ("我想问一下公积金怎么提取", "我想问一下公积金怎么提取"),
        ("建议在校门口装红绿灯我的电话是一三九一二三四五六七八", "建议在校门口装红绿灯"),
        ("楼下太吵了，请城管来管一管，再见", "请城管来管一管"),
    ],
)
def test_the_demand_is_what_was_asked_for(said: str, expected: str) -> None:
    assert value(FieldName.DEMAND, said) == expected


def test_without_a_word_of_asking_the_demand_is_the_trouble_with_low_confidence() -> None:
    found = draft("化工厂天天排废水，我们都不敢开窗").fields[FieldName.DEMAND]
    assert found.value == "化工厂天天排废水"
    assert found.confidence < 0.5


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("开发商一直不给办房产证", "urban_construction"),
        ("工厂拖欠工资还不交社保", "labour_social_security"),
        ("学校乱收补课费", "education_culture_sport"),
        ("景区门票乱涨价导游强迫购物", "commerce_tourism"),
        ("楼下油烟和噪音扰民", "environment"),
        ("医院误诊还不给看病历", "health_family_planning"),
        ("出租车不打表还拒载", "transport"),
        ("有人在小区里聚众赌博派出所不管", "public_security"),
        ("我想申请低保", "civil_affairs"),
        ("村干部把承包地收走了", "rural_affairs"),
        ("宽带一直断网电信公司不来修", "economy_telecom"),
    ],
)
def test_the_topic_follows_the_issue_words(said: str, topic: str) -> None:
    assert value(FieldName.TOPIC, said) == topic


def test_a_landmark_does_not_decide_the_topic() -> None:
    assert value(FieldName.TOPIC, "实验小学门口那条路晚上没有路灯") == "urban_construction"


def test_the_summary_names_place_issue_and_type() -> None:
    found = value(FieldName.SUMMARY, "我要投诉金水湾小区楼下的烧烤店噪音太大了")
    assert found is not None
    assert found.startswith("关于金水湾小区")
    assert found.endswith("的投诉")


def test_a_long_place_is_cut_to_fit_the_summary() -> None:
    said = "江苏省南京市江宁区东山街道文靖路一百二十号翠屏国际花园南区十二栋三单元五零二室噪音扰民"
    found = value(FieldName.SUMMARY, said)
    assert found is not None
    assert len(found) <= 40
