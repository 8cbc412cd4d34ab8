"""A SIP phone that follows a script: the people of the demo and of the tests.

Plain SIP over UDP and G.711 over RTP, enough to be a citizen, an agent's desk phone or the
emergency exchange. Not for production use by people.
"""

from telephony.phone.call import CallState, PhoneCall, RingPolicy, answer_after, ignore, reject_with
from telephony.phone.errors import PhoneError
from telephony.phone.phone import Phone
from telephony.phone.rtp import RtpStats
from telephony.phone.sound import load_sound, save_wav

__all__ = [
    "CallState",
    "Phone",
    "PhoneCall",
    "PhoneError",
    "RingPolicy",
    "RtpStats",
    "answer_after",
    "ignore",
    "load_sound",
    "reject_with",
    "save_wav",
]
