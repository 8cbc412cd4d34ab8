"""The recorded words Asterisk speaks: which files must exist, and what each says.

Speech is rendered at set-up from these texts (or recorded by the operator under the same names).
A missing file must fail the start, never a call: Asterisk's transfer, for one, answers "Success"
and does nothing when ``pbx-transfer`` is missing.
"""

import wave
from collections.abc import Iterable
from pathlib import Path

from base.errors import SetupError

SAMPLE_RATE_HZ = 8000

_HOTLINE = {
    "hotline/greeting": "您好，欢迎拨打一二三四五政务服务便民热线。",
    "hotline/recording-notice": "为保证服务质量，本次通话将被录音。",
    "hotline/emergency-hint": "遇有紧急情况，请按九。",
    "hotline/emergency-menu": "报警请按一，火警请按二，急救请按三，交通事故请按四。",
    "hotline/emergency-unreachable": "紧急电话暂时无法接通，正在为您优先转接人工坐席，请不要挂机，"
    "本次通话将被录音。",
    "hotline/emergency-unreachable-agent": "紧急电话暂时无法接通，请重拨。",
    "hotline/self-test": "这是一二三四五热线的线路自检，请挂机。",
    "hotline/emergency-unreachable-warm": "紧急电话暂时无法接通。",
    "hotline/sent-back": "对方暂时无法接听，正在为您优先转回人工坐席，请稍候。",
    "hotline/busy": "当前来电较多，请您耐心等待。",
    "hotline/waiting-choices": "如不便等待，请按二登记回拨，我们将按您的排队顺序回电，"
    "查询办理进度，请按七。",
    "hotline/return-accepted": "已为您登记回拨，我们将按您的排队顺序尽快回电，请挂机等候。",
    "hotline/return-withheld": "无法获取您的电话号码，请您继续等待。",
    "hotline/return-notice": "您好，这里是一二三四五热线，现为您回电，本次通话将被录音。",
    "hotline/return-no-answer": "回拨未能接通。",
    "hotline/nobody-there": "抱歉，现在没有坐席可以接听。继续等待请按一，登记回拨请按二，"
    "留言请按三，紧急情况请按九。",
    "hotline/voicemail": "请在提示音后留言，说明您的诉求和地点，结束请按井号键。",
    "hotline/voicemail-thanks": "您的留言已收到，我们会尽快给您回电。再见。",
    "hotline/duty-call": "一二三四五热线来电，请按一接听。",
    "hotline/event": "因突发事件，当前来电较多，有关部门正在处理，请您耐心等待。",
    "hotline/often": "您近期来电较多。要听最近一件诉求的办理进度，请按一，需要人工服务，请稍候。",
    "hotline/progress-none": "没有查到您的诉求。正在为您转接人工坐席。",
    "hotline/progress-open": "您最近的一件诉求正在办理。正在为您转接人工坐席。",
    "hotline/progress-over": "您最近的一件诉求已经办结。正在为您转接人工坐席。",
    "hotline/progress-unknown": "暂时查不到办理进度。正在为您转接人工坐席。",
    "hotline/progress-number": "查询办理进度，请输入十四位工单编号。",
    "hotline/progress-code": "请输入六位查询码。",
    "hotline/progress-wrong": "工单编号或者查询码不对。",
    "hotline/progress-braked": "查询次数过多，请稍后再查。正在为您转接人工坐席。",
    "hotline/progress-person": "正在为您转接人工坐席。",
    "hotline/progress-is-registered": "您的诉求已经登记，正在审核。",
    "hotline/progress-is-unit-sought": "您的诉求已经审核，正在确定承办单位。",
    "hotline/progress-is-handled": "承办单位正在办理您的诉求。",
    "hotline/progress-is-reviewed": "承办单位已经反馈办理结果，正在审核。",
    "hotline/progress-is-replied": "您的诉求已经答复，正在回访。",
    "hotline/progress-is-closed": "您的诉求已经办结。",
    "hotline/progress-is-stopped": "您的诉求已经终止办理，原因请咨询人工坐席。",
    "hotline/progress-is-not-accepted": "您的诉求未予受理，理由和其他途径已经告知。",
    "hotline/progress-is-handed-over": "您的诉求已经移交有关部门处置。",
    "hotline/progress-due": "答复期限是",
    "hotline/progress-month": "月",
    "hotline/progress-day": "日。",
    "hotline/progress-withheld": "涉及他人和依法保密的内容，电话中不作告知。",
    "hotline/suspended-use": "因您未提出属于热线办理范围的诉求，"
    "经班长批准，已依规定暂停您使用热线。",
    "hotline/suspended-abuse": "因您不听提醒，经班长批准，已依规定暂停您使用热线。",
    "hotline/suspended-until": "恢复使用还有",
    "hotline/suspended-hours": "小时，到时自动恢复。",
    "hotline/suspended-ways": "暂停期间，您仍可通过网站，信函等其他渠道反映诉求。"
    "如有异议，请按一，由班长复核。",
    "hotline/objection-kept": "您的异议已经记录，请在提示音后说明理由，结束请按井号键。",
    "hotline/objection-not-kept": "现在无法记录您的异议，请稍后再拨，或通过其他渠道提出。再见。",
    "hotline/objection-thanks": "您的异议已交班长复核，再见。",
    "hotline/ended-by-rules": "因劝阻无效，坐席已按规定结束本次通话。您可以稍后再拨，"
    "也可以通过其他渠道反映诉求。",
    "hotline/satisfaction": "请对本次服务评价：非常满意请按一，满意请按二，一般请按三，"
    "不满意请按四，非常不满意请按五。",
    "hotline/satisfaction-thanks": "感谢您的评价，再见。",
}

_QUEUE = {
    "queue-youarenext": "您是下一位，坐席即将为您服务。",
    "queue-thereare": "您目前排在第",
    "queue-callswaiting": "位。",
    "queue-thankyou": "感谢您的耐心等待。",
    "queue-quantity1": "目前有超过",
    "queue-quantity2": "位来电人正在等待。",
    "queue-holdtime": "预计等待时间",
    "queue-minute": "分钟。",
    "queue-minutes": "分钟。",
    "queue-seconds": "秒。",
    "queue-reporthold": "等待时长",
    "queue-less-than": "少于",
    "queue-periodic-announce": "坐席全忙，请您继续等待。",
}

_TRANSFER = {
    "pbx-transfer": "请拨转接号码。",
    "pbx-invalid": "号码有误，请重拨。",
    "privacy-prompt": "请输入您的号码。",
    "vm-rec-name": "请说出您的姓名。",
}

_CONFERENCE = {
    "conf-onlyperson": "目前只有您一人在会议中。",
    "conf-onlyone": "会议中还有一人。",
    "conf-thereare": "会议中有",
    "conf-otherinparty": "位参加者。",
    "conf-hasjoin": "加入通话。",
    "conf-hasleft": "离开通话。",
    "conf-placeintoconf": "正在接入会议。",
    "conf-kicked": "您已被移出会议。",
    "conf-getpin": "请输入会议密码。",
    "conf-invalidpin": "密码错误。",
}

# How Asterisk puts Chinese numbers together: 二 十 三, 一 百 零 五.
_NUMBERS = {
    **{f"digits/{number}": word for number, word in enumerate("零一二三四五六七八九十")},
    **{f"digits/{tens}0": f"{word}十" for tens, word in enumerate("二三四五六七八九", start=2)},
    "digits/hundred": "百",
    "digits/thousand": "千",
    "digits/minus": "负",
    "digits/star": "星号",
    "digits/pound": "井号",
}

PROMPTS: dict[str, str] = {**_HOTLINE, **_QUEUE, **_TRANSFER, **_CONFERENCE, **_NUMBERS}
"""Name (below the ``zh`` sounds folder, without ``.wav``) → what it says in Mandarin."""


def prompt_path(folder: Path, name: str) -> Path:
    """Where the prompt ``name`` lies in a prompts folder."""
    return folder / f"{name}.wav"


def check_prompts(folder: Path, more: Iterable[str] = ()) -> None:
    """Refuse a prompts folder in which anything Asterisk may play is missing or unfit."""
    faults = [fault for name in (*PROMPTS, *more) if (fault := _fault(prompt_path(folder, name)))]
    if faults:
        shown = "; ".join(faults[:3])
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise SetupError(
            f"prompts in {folder} are not usable: {shown}{more}",
            fix="./hotline set-up renders them; or put your own recordings there "
            "(wav, 8000 Hz, mono, 16 bit)",
        )


def _fault(path: Path) -> str | None:
    try:
        with wave.open(str(path), "rb") as sound:
            form = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth())
            length = sound.getnframes()
    except FileNotFoundError:
        return f"{path.name} is missing"
    except (OSError, EOFError, wave.Error) as error:
        return f"{path.name} is no wav file ({error})"
    if form != (SAMPLE_RATE_HZ, 1, 2):
        return f"{path.name} is not 8000 Hz mono 16 bit"
    return None if length else f"{path.name} is empty"
