"""Registers agents from a port on which another program will answer for them.

SIPp knows no SHA-256, which our Asterisk offers first; so the REGISTER is sent from here and the
calls then come to the SIPp that takes the port over.
"""

import socket
from collections.abc import Mapping

from base.errors import SetupError
from telephony.phone import digest, sip

ANSWER_S = 3.0
TRIES = 5
EXPIRES_S = 7200


def register_from(
    local: tuple[str, int], server: tuple[str, int], passwords: Mapping[str, str]
) -> None:
    """Register every agent, one after the other; blocking."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(local)
        line.settimeout(ANSWER_S)
        for agent, password in passwords.items():
            _register(line, local, server, agent, password)


def _register(
    line: socket.socket,
    local: tuple[str, int],
    server: tuple[str, int],
    agent: str,
    password: str,
) -> None:
    call, uri = sip.new_tag() + sip.new_tag(), f"sip:{server[0]}:{server[1]}"
    authorization: list[tuple[str, str]] = []
    for number in range(1, TRIES + 1):
        via = f"SIP/2.0/UDP {local[0]}:{local[1]};rport;branch={sip.new_branch()}"
        headers = [
            ("via", via),
            ("max-forwards", "70"),
            ("from", f"<sip:{agent}@{server[0]}>;tag={call}"),
            ("to", f"<sip:{agent}@{server[0]}>"),
            ("call-id", call),
            ("cseq", f"{number} REGISTER"),
            ("contact", f"<sip:{agent}@{local[0]}:{local[1]}>"),
            ("expires", str(EXPIRES_S)),
            *authorization,
        ]
        request = sip.SipMessage(f"REGISTER {uri} SIP/2.0", headers, b"")
        line.sendto(request.encode(), server)
        response = _response(line, call)
        if response is None:
            continue
        if response.status == 200:
            return
        challenges = response.all("www-authenticate")
        answer = digest.answer(
            challenges, method="REGISTER", uri=uri, user=agent, password=password
        )
        authorization = [("authorization", answer)]
    raise SetupError(f"Asterisk does not register agent {agent}", fix="look into its log")


def _response(line: socket.socket, call: str) -> sip.SipMessage | None:
    """The answer to this agent's REGISTER; others' questions (OPTIONS) are not ours."""
    for _ in range(100):
        try:
            message = sip.parse(line.recv(65535))
        except TimeoutError:
            return None
        if message.is_response and message.call_id == call:
            return message
    return None
