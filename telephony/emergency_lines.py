"""The emergency lines and the trunks to them: what every room may know of them, without more."""

from typing import Final

EMERGENCY_LINES: Final = ("110", "119", "120", "122")
EMERGENCY_ENDPOINTS: Final = ("emergency", "emergency-2")
"""PJSIP's names of the emergency trunks, in the order in which they are tried."""
