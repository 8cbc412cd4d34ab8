"""What a scripted phone may fail with."""

from base.errors import HotlineError


class PhoneError(HotlineError):
    """The scripted phone could not do what its script says."""

    code = "phone_failed"
