"""What is still said of a call that has left its desk: the decoder ends after the hang-up.

Owns conversations whose wrap-up ended while a stream of theirs stood (an agent who confirms at
once). Their final lines go to the records, where the ticket's transcript is read; no desk is told,
it may show another call. Each lives until its last stream ends, at most ``LAST_WORDS_WITHIN_S``.
"""

from typing import Final

from base.ids import CallId
from server.live.conversation import Conversation
from server.live.notes import KeepLine
from server.live.scribe import Scribe
from transcription.wire import SpeechMessage, StreamEnded, Words

LAST_WORDS_WITHIN_S: Final = 30.0
"""A stream whose end nobody tells is waited for no longer; bounds what is kept, too."""


class LastWords:
    """The conversations that are over for everybody but the decoder."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self._talks: dict[CallId, tuple[float, Conversation]] = {}

    def __len__(self) -> int:
        return len(self._talks)

    def expect(self, talk: Conversation, *, now_mono: float) -> None:
        """The desk is done with it; what its streams still tell is wanted."""
        self._drop_old(now_mono)
        if talk.streams:
            self._talks[talk.call.call] = (now_mono + LAST_WORDS_WITHIN_S, talk)

    def are_coming(self, call: CallId, *, now_mono: float) -> bool:
        """Whether words of the call may still come."""
        self._drop_old(now_mono)
        return call in self._talks

    def take(self, message: SpeechMessage) -> None:
        """Take one message; those of other calls are passed over."""
        _until_mono, talk = self._talks.get(message.call, (0.0, None))
        if talk is None:
            return
        match message:
            case Words() if message.stream in talk.quiet_streams:
                pass
            case Words() if talk.transcript.knows(message.stream):
                line = talk.transcript.take(message)
                if line is not None and line.is_final and line.text:
                    self._scribe.note(
                        KeepLine(
                            message.call, line, message.words, talk.engine or "", talk.model or ""
                        )
                    )
            case StreamEnded():
                talk.streams.pop(message.stream, None)
                if not talk.streams:
                    del self._talks[message.call]
            case _:
                pass

    def _drop_old(self, now_mono: float) -> None:
        # In the order of their ends: each waits equally long.
        while self._talks:
            call, (until_mono, _talk) = next(iter(self._talks.items()))
            if until_mono > now_mono:
                return
            del self._talks[call]
