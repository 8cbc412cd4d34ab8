"""Where panoramisk, the AMI library the customer requires, enters: only its manager and protocol.

Its package also loads ``fast_agi``, whose server spins for ever when a peer closes before the blank
line and blocks the whole event loop. We use no FastAGI; that module is kept from being loaded.
"""

import sys
from types import ModuleType

_FAST_AGI = "panoramisk.fast_agi"

if _FAST_AGI not in sys.modules:
    sys.modules[_FAST_AGI] = ModuleType(_FAST_AGI, "Left out: see telephony.library.")

from panoramisk.ami_protocol import AMIProtocol  # noqa: E402
from panoramisk.manager import Manager  # noqa: E402

__all__ = ("AMIProtocol", "Manager")
