"""What can go wrong between us and Asterisk; codes are API."""

from base.errors import HotlineError


class TelephonyError(HotlineError):
    """Asterisk could not do what was asked."""

    code = "telephony_failed"
    http_status = 502


class LinkDown(TelephonyError):
    """There is no link to Asterisk; nothing was sent, or its fate is unknown. Never repeated."""

    code = "telephony_link_down"
    http_status = 503
    retryable = True


class LinkSilent(LinkDown):
    """Asterisk stopped answering; the link was cut."""

    code = "telephony_link_silent"


class LinkOverflow(LinkDown):
    """More events came than were taken; the link was cut, to begin again from a snapshot."""

    code = "telephony_link_overflow"


class LinkBroken(LinkDown):
    """What came over the link is not AMI; the link was cut."""

    code = "telephony_link_broken"


class LinkClosed(LinkDown):
    """The link was closed on purpose and stays so."""

    code = "telephony_link_closed"
    retryable = False


class LoginRefused(TelephonyError):
    """Asterisk refused our manager account: name, secret or address does not fit manager.conf."""

    code = "telephony_login_refused"


class ActionRefused(TelephonyError):
    """Asterisk refused an action."""

    code = "telephony_action_refused"


class ActionTimedOut(TelephonyError):
    """Asterisk did not answer an action in time; whether it was done is unknown."""

    code = "telephony_action_timed_out"
    retryable = True


class CallGone(TelephonyError):
    """The call, or the side of it that was asked for, is no longer there."""

    code = "telephony_call_gone"
    http_status = 409


class ForkFailed(TelephonyError):
    """The speech server could not be reached from Asterisk."""

    code = "telephony_fork_failed"
    retryable = True


class NotDone(TelephonyError):
    """Asterisk took the request and did not do it."""

    code = "telephony_not_done"
    http_status = 409
    retryable = True
