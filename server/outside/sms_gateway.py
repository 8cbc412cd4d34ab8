"""The way of a short message to the carrier, whatever carries it."""

from typing import ClassVar, Protocol

from base.errors import HotlineError


class GatewayAway(HotlineError):
    """No link to the carrier's gateway; nothing was sent, it is tried again."""

    code: ClassVar[str] = "sms_gateway_away"


class GatewayThrottled(HotlineError):
    """The gateway takes no more for the moment; nothing was sent, it is tried again."""

    code: ClassVar[str] = "sms_throttled"


class GatewayRefused(HotlineError):
    """The gateway will not take this message; nothing was sent."""

    code: ClassVar[str] = "sms_refused"


class OutcomeUnknown(HotlineError):
    """The message went out on the wire and no answer came: it may have been sent, or not."""

    code: ClassVar[str] = "sms_outcome_unknown"


class ReportTooEarly(HotlineError):
    """The report may be of a message whose ids are not written down yet: let it be said again."""

    code: ClassVar[str] = "sms_report_too_early"


class SmsGateway(Protocol):
    """Held by one suite for fake and real (``tests/contract/sms_gateway_contract.py``)."""

    async def ready(self) -> None:
        """A link stands, or ``GatewayAway``; nothing is sent by this."""

    async def submit(self, to: str, text: str) -> list[str]:
        """The gateway's ids of the message's parts: it has taken all of them."""
