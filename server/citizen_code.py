"""The code with which a caller asks after their ticket: by web, by message, read out by phone.

Six digits from the installation's own key and the ticket's number: nothing is stored, and nobody
can work out another ticket's. Guessing is braked where it is asked for.
"""

import hashlib
import hmac
from dataclasses import dataclass

DIGITS = 6


@dataclass(frozen=True, slots=True)
class CitizenCodes:
    """Of one installation."""

    key: str

    def of(self, number: str) -> str:
        digest = hmac.digest(self.key.encode(), f"progress of {number}".encode(), hashlib.sha256)
        return f"{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}}"

    def fits(self, number: str, code: str) -> bool:
        return hmac.compare_digest(self.of(number).encode(), code.encode(errors="replace"))
