"""Answers a SIP password challenge (RFC 7616: MD5 and SHA-256). Pure but for the nonce."""

import hashlib
import re
import secrets
from collections.abc import Iterable

from telephony.phone.errors import PhoneError

_ALGORITHMS = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
_FIELD = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


def answer(challenges: Iterable[str], *, method: str, uri: str, user: str, password: str) -> str:
    """The Authorization value for the strongest of the server's challenges."""
    fields = _strongest(challenges)
    algorithm = fields.get("algorithm", "MD5").upper()
    digest = _ALGORITHMS[algorithm]

    def hashed(text: str) -> str:
        return digest(text.encode()).hexdigest()

    realm, nonce, cnonce = fields["realm"], fields["nonce"], secrets.token_hex(8)
    secret = hashed(f"{user}:{realm}:{password}")
    action = hashed(f"{method}:{uri}")
    quoted = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
    if "auth" in fields.get("qop", "").replace(" ", "").split(","):
        quoted |= {
            "response": hashed(f"{secret}:{nonce}:00000001:{cnonce}:auth:{action}"),
            "cnonce": cnonce,
        }
        bare = {"algorithm": algorithm, "qop": "auth", "nc": "00000001"}
    else:
        quoted["response"] = hashed(f"{secret}:{nonce}:{action}")
        bare = {"algorithm": algorithm}
    if "opaque" in fields:
        quoted["opaque"] = fields["opaque"]
    parts = [f'{name}="{value}"' for name, value in quoted.items()]
    return "Digest " + ", ".join([*parts, *(f"{name}={value}" for name, value in bare.items())])


def _strongest(challenges: Iterable[str]) -> dict[str, str]:
    read = [_fields(challenge) for challenge in challenges]
    for algorithm in _ALGORITHMS:
        for fields in read:
            if fields.get("algorithm", "MD5").upper() == algorithm:
                return fields
    raise PhoneError("the server asks for a password in no way the phone knows")


def _fields(challenge: str) -> dict[str, str]:
    return {
        name.lower(): quoted or bare
        for name, quoted, bare in _FIELD.findall(challenge.partition(" ")[2])
    }
