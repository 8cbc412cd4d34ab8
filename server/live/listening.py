"""Words and drafts of answered calls: what the speech role tells becomes lines and fields.

Owns the conversations. Called by the centre, one call at a time; publishes to the desks and notes
what must last. A leg whose stream broke is forked again while the call lives, a bounded number of
times; before that Asterisk is asked which forks stand, so that no leg is ever heard twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, assert_never

import structlog

from base.errors import HotlineError
from base.ids import AgentId, CallId, StreamId
from base.task_set import TaskSet
from rules.pack import Decision
from rules.values import Outside
from server.live.calls import LiveCall
from server.live.conversation import Conversation
from server.live.dangers import CallDangers
from server.live.drafting import CallDraft, Extract
from server.live.forks import Forks
from server.live.former_desk import FormerDesks
from server.live.last_words import LastWords
from server.live.late_lines import withdrawn
from server.live.notes import KeepDraft, KeepLine, WantLateLeg
from server.live.publisher import Publisher
from server.live.quiet_legs import FAULT_AFTER_S, Quiet, judge
from server.live.records import Records
from server.live.scribe import Scribe
from server.live.stream_book import StreamBook
from server.live.transcript import Transcript
from server.push import protocol as wire
from transcription.draft_reader import DraftNotRead
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEventKind
from transcription.wire import (
    LegHeard,
    SpeechMessage,
    StreamEnded,
    StreamEndReason,
    StreamFlows,
    StreamQuiet,
    StreamStarted,
    StreamThin,
    Words,
)

log = structlog.get_logger(__name__)

PARTIAL_DRAFT_EVERY_S = 0.4
"""While words are still guesses the draft is read anew at most this often."""
MOST_FORKS_A_CALL = 24
MOST_FORK_PAUSE_S = 30.0
MOST_QUIET_FORKS = 3
"""A leg that is quiet again and again has a phone that sends no silence: more forks are no help."""
FIND_TIMEOUT_S = 2.0


class NotYourCall(HotlineError):
    """The call is not on this agent's desk."""

    code = "call_not_on_desk"
    http_status = 409


class Listening:
    """All conversations of one Asterisk node."""

    def __init__(
        self,
        *,
        forks: Forks,
        publisher: Publisher,
        records: Records,
        scribe: Scribe,
        book: StreamBook,
        former_desks: FormerDesks,
        extract: Extract,
        now: Callable[[], datetime],
        has_speech: bool = True,
        consent_rule: Decision[tuple[Outside, ...]] | None = None,
    ) -> None:
        self._consent_rule = consent_rule
        self._has_speech = has_speech
        self._forks = forks
        self._publisher = publisher
        self._records = records
        self._scribe = scribe
        self._book = book
        self._former_desks = former_desks
        self._extract = extract
        self._now = now
        self._talks: dict[CallId, Conversation] = {}
        self._last_words = LastWords(scribe)
        self._tasks = TaskSet("listening")

    async def close(self) -> None:
        """Stop background work."""
        await self._tasks.close()

    # ---- a conversation's life -----------------------------------------------------------------

    async def open(self, call: LiveCall, agent: AgentId, *, is_found: bool = False) -> None:
        """The agent talks with the caller, or wraps the call up.

        ``is_found``: it is not the first answer, or that was not seen as it happened, so forks of
        it may stand already.
        """
        talk = self._talks.get(call.call)
        if talk is None:
            talk = await self._begin(call, agent, is_found=is_found)
        elif not talk.is_over:
            talk.go_on()
        talk.agent = agent
        if talk.is_over:
            talk.speech = "ended"
        elif not self._has_speech:
            talk.speech = "off"
        self._talks[call.call] = talk
        opened = wire.CallOpened(call=talk.card(), draft=talk.draft.view())
        await self._publisher.publish(agent, opened)
        for line in talk.transcript.lines.values():
            await self._publisher.publish(agent, wire.LineChanged(line=line))
        await self._show_dangers(talk)
        if is_found:
            self._read_draft(talk)
        if not talk.is_over:
            self._fork_missing(talk, is_fresh=not is_found)

    async def _begin(self, call: LiveCall, agent: AgentId, *, is_found: bool) -> Conversation:
        """Begin empty, or as a former bridge left it."""
        answered_at = call.answered_at or self._now()
        talk = Conversation(
            call=call,
            agent=agent,
            answered_at=answered_at,
            transcript=Transcript(answered_at=answered_at),
            draft=CallDraft(call.call, call.caller_number),
            dangers=CallDangers(call.call),
        )
        if (rule := self._consent_rule) is not None:
            talk.consent_for = tuple(outside.value for outside in rule.value)
            talk.consent_script = rule.script
        if is_found:
            await self._restore(talk)
        return talk

    async def _restore(self, talk: Conversation) -> None:
        """From the records, and from what the desk showed last: either may be behind or away."""
        call = talk.call.call
        places = await self._book.recall(call)
        talk.quiet_streams.update(await self._book.recall_given_up(call))
        talk.transcript.restore_places(places)
        for place in places.values():
            talk.engine, talk.model = place.engine, place.model
        try:
            async with asyncio.timeout(FIND_TIMEOUT_S):
                stored = await self._records.find_call(call)
        except (HotlineError, TimeoutError):
            stored = None
        if stored is not None:
            talk.restore(stored)
        shown = await self._former_desks.find(talk.agent, call)
        if shown is not None:
            talk.restore_shown(shown)
        talk.dangers.read(talk.transcript.utterances(), self._now())

    async def end(self, call: LiveCall) -> None:
        """Nobody talks any more; words may still trickle in while the desk wraps up."""
        talk = self._talks.get(call.call)
        if talk is None:
            return
        for stream in talk.ended_streams & talk.streams.keys():
            del talk.streams[stream]
        if unheard := set(Speaker) - talk.transcript.legs_heard:
            self._want_late(talk, unheard)
        if talk.speech in ("waiting", "live"):
            talk.speech = "broken" if talk.late_legs else "ended"
        await self._publisher.publish(talk.agent, wire.CallChanged(call=talk.card()))

    def forget(self, call: CallId) -> None:
        """Wrap-up is over."""
        talk = self._talks.pop(call, None)
        if talk is not None:
            self._last_words.expect(talk, now_mono=asyncio.get_running_loop().time())
        self._book.forget(call)

    def is_settled(self, call: CallId) -> bool:
        """Whether the draft has been confirmed."""
        talk = self._talks.get(call)
        return talk is not None and talk.draft.saved != "draft"

    # ---- words ---------------------------------------------------------------------------------

    async def take(self, message: SpeechMessage) -> None:
        """Take one message of the speech role."""
        talk = self._talks.get(message.call)
        if talk is None:
            self._last_words.take(message)
            if isinstance(message, StreamEnded) and message.reason is not StreamEndReason.CLOSED:
                self._scribe.note(WantLateLeg(message.call, message.speaker))
            return
        if message.stream in talk.quiet_streams:
            return
        match message:
            case StreamStarted():
                await self._stream_started(talk, message)
            case Words():
                await self._words(talk, message)
            case StreamEnded():
                await self._stream_ended(talk, message)
            case StreamQuiet():
                await self._sound_missing(talk, message, message.quiet_s)
            case StreamThin():
                await self._sound_missing(talk, message, FAULT_AFTER_S)
            case StreamFlows():
                await self._sound_again(talk, message.stream)
            case LegHeard():
                log.warning("late_leg_astray", call=message.call)  # it goes to ``LateWords``
            case _:
                assert_never(message)

    async def _stream_started(self, talk: Conversation, message: StreamStarted) -> None:
        if not self._is_heard(talk, message.stream, message.speaker):
            log.warning("second_stream_of_a_leg", call=message.call, stream=message.stream)
            return
        place = talk.transcript.open_stream(
            message.stream,
            message.speaker,
            message.at,
            engine=message.engine,
            model=message.model,
        )
        if not talk.is_over and message.speaker in talk.legs_missing:
            talk.streams[message.stream] = message.speaker
        talk.engine, talk.model = message.engine, message.model
        await self._book.remember(message.call, message.stream, place)
        talk.quiet_legs.discard(message.speaker)
        is_other_lost = talk.speech in ("broken", "refused") and bool(talk.legs_missing)
        if talk.is_over:
            await self._set_speech(talk, "ended")
        elif not (talk.quiet_legs or is_other_lost):
            await self._set_speech(talk, "live")

    async def _sound_missing(
        self, talk: Conversation, message: StreamQuiet | StreamThin, missing_s: float
    ) -> None:
        """No sound on the stream of a leg, or only a part: nothing, or a fault to be forked anew.

        A thin stream gives wrong words: it is given up also when a new fork is no help.
        """
        leg, call = message.speaker, talk.call
        if talk.is_over or talk.streams.get(message.stream) != leg:
            return
        quiet = judge(
            missing_s,
            message.at,
            is_held=bool(call.holders),
            resumed_at=call.resumed_at,
            was_forked_again=leg in talk.quiet_legs or talk.quiet_forks(leg) >= MOST_QUIET_FORKS,
        )
        if quiet in (Quiet.HOLD, Quiet.BRIEF):
            return
        is_new = leg not in talk.quiet_legs
        talk.quiet_legs.add(leg)
        self._want_late(talk, {leg})
        if quiet is Quiet.FAULT or isinstance(message, StreamThin):
            await self._give_up(talk, message.stream, leg)
        if quiet is Quiet.FAULT:
            self._fork_missing(talk)
        if is_new:
            log.warning("leg_without_sound", call=call.call, speaker=leg, stream=message.stream)
            await self._set_speech(talk, "broken")

    async def _give_up(self, talk: Conversation, stream: StreamId, leg: Speaker) -> None:
        del talk.streams[stream]
        talk.quiet_streams[stream] = leg
        await self._book.give_up(talk.call.call, stream, leg)
        self._tasks.spawn(self._forks.end(stream), name="end-fork")

    async def _sound_again(self, talk: Conversation, stream: StreamId) -> None:
        leg = talk.streams.get(stream)
        if leg is None or leg not in talk.quiet_legs:
            return
        talk.quiet_legs.discard(leg)
        if talk.speech == "broken" and not (talk.quiet_legs or talk.legs_missing):
            await self._set_speech(talk, "live")

    def _is_heard(self, talk: Conversation, stream: StreamId, speaker: Speaker) -> bool:
        """A leg is heard on one stream: what a second one tells would all be told twice."""
        is_known = talk.transcript.knows(stream) or stream in talk.streams
        return is_known or speaker in talk.legs_missing

    async def _words(self, talk: Conversation, message: Words) -> None:
        if not self._is_heard(talk, message.stream, message.speaker):
            return
        if not talk.transcript.knows(message.stream):
            # A former bridge saw it begin, and Redis lost its place: it counts from the answer.
            place = talk.transcript.open_stream(message.stream, message.speaker, talk.answered_at)
            await self._book.remember(message.call, message.stream, place)
        await self._sound_again(talk, message.stream)
        line = talk.transcript.take(message)
        if line is None:
            return
        await self._publisher.publish(talk.agent, wire.LineChanged(line=line))
        if line.is_final and line.text:
            call, engine, model = talk.call.call, talk.engine or "", talk.model or ""
            self._scribe.note(KeepLine(call, line, message.words, engine, model))
        await self._understand(talk, is_final=message.kind is SpeechEventKind.FINAL)

    async def _understand(self, talk: Conversation, *, is_final: bool) -> None:
        """Look what the words mean: dangers at once, the draft beside everything else."""
        now_mono = asyncio.get_running_loop().time()
        if not is_final and now_mono - talk.draft_read_mono < PARTIAL_DRAFT_EVERY_S:
            return
        talk.draft_read_mono = now_mono
        if talk.dangers.read(talk.transcript.utterances(), self._now()):
            await self._show_dangers(talk)
        self._read_draft(talk)

    def _read_draft(self, talk: Conversation) -> None:
        """Have the draft read from all words. Whoever follows calls does not wait for it."""
        talk.is_draft_due = True
        if not talk.is_reading_draft:
            talk.is_reading_draft = True
            self._tasks.spawn(self._read_while_due(talk), name="draft")

    async def _read_while_due(self, talk: Conversation) -> None:
        """Until the reading is of the last words. One that fails is tried later."""
        try:
            while talk.is_draft_due and self._is_to_read(talk):
                talk.is_draft_due = False
                machine = await self._extract(
                    talk.transcript.utterances(), talk.draft.caller_number, self._now()
                )
                if self._is_to_read(talk) and talk.draft.take(machine):
                    await self._draft_changed(talk)
                talk.has_draft_failed = False
        except DraftNotRead as error:
            if not talk.has_draft_failed:
                log.warning("draft_not_read", call=talk.call.call, cause=str(error))
            talk.is_draft_due = talk.has_draft_failed = True
        finally:
            talk.is_reading_draft = False

    def _is_to_read(self, talk: Conversation) -> bool:
        is_there = self._talks.get(talk.call.call) is talk and talk.draft.saved == "draft"
        return is_there and bool(talk.transcript.utterances() or talk.draft.machine.fields)

    def read_due(self) -> None:
        """Read the drafts whose last reading failed."""
        for talk in self._talks.values():
            if talk.is_draft_due and self._is_to_read(talk):
                self._read_draft(talk)

    async def _show_dangers(self, talk: Conversation) -> None:
        shown = wire.DangerShown(call=talk.call.call, dangers=talk.dangers.shown)
        await self._publisher.publish(talk.agent, shown)

    async def show_card(self, call: CallId) -> None:
        """Something of the call itself changed."""
        talk = self._talks.get(call)
        if talk is not None:
            await self._publisher.publish(talk.agent, wire.CallChanged(call=talk.card()))

    async def _stream_ended(self, talk: Conversation, message: StreamEnded) -> None:
        talk.ended_streams.add(message.stream)
        if message.reason is StreamEndReason.CLOSED and not talk.is_over:
            return  # The call ends with it; where it goes on, ``check_streams`` misses the fork.
        talk.streams.pop(message.stream, None)
        if message.reason is StreamEndReason.CLOSED:
            return
        self._want_late(talk, {message.speaker})
        if talk.is_over:
            return
        match message.reason:
            case StreamEndReason.REFUSED:
                await self._set_speech(talk, "refused")
            case StreamEndReason.BROKEN:
                await self._set_speech(talk, "broken")
                self._fork_missing(talk)
            case _:
                assert_never(message.reason)

    async def _set_speech(self, talk: Conversation, speech: wire.SpeechState) -> None:
        if talk.speech == speech:
            return
        talk.speech = speech
        await self._publisher.publish(talk.agent, wire.CallChanged(call=talk.card()))

    # ---- from the recording, after the call ----------------------------------------------------

    def _want_late(self, talk: Conversation, legs: set[Speaker]) -> None:
        """These legs have gaps: they are heard again from the recording."""
        for leg in legs - talk.late_legs:
            talk.late_legs.add(leg)
            self._scribe.note(WantLateLeg(talk.call.call, leg))

    def is_hearing(self, call: CallId) -> bool:
        """Whether live words of the call may still come."""
        talk = self._talks.get(call)
        if talk is None:
            return self._last_words.are_coming(call, now_mono=asyncio.get_running_loop().time())
        return bool(talk.streams)

    def shown_lines(self, call: CallId) -> list[wire.Line]:
        """The lines on the desk, if the call is on one."""
        talk = self._talks.get(call)
        return [] if talk is None else list(talk.transcript.lines.values())

    async def show_late(self, heard: LegHeard, lines: Sequence[wire.Line]) -> None:
        """A leg was heard from its recording, and is stored."""
        talk = self._talks.get(heard.call)
        if talk is None:
            return
        guesses = withdrawn(talk.transcript.lines.values(), heard.speaker)
        talk.transcript.add_late([*guesses, *lines])
        for line in [*guesses, *lines]:
            await self._publisher.publish(talk.agent, wire.LineChanged(line=line))
        talk.engine, talk.model = heard.engine, heard.model
        talk.late_legs.discard(heard.speaker)
        if not talk.late_legs:
            await self._set_speech(talk, "ended")
        await self._understand(talk, is_final=True)

    # ---- forks ---------------------------------------------------------------------------------

    def _fork_missing(self, talk: Conversation, *, is_fresh: bool = False) -> None:
        now_mono = asyncio.get_running_loop().time()
        if talk.speech == "off" or talk.is_forking or now_mono < talk.fork_again_mono:
            return
        if talk.forks_made >= MOST_FORKS_A_CALL:
            return
        talk.is_forking = True
        self._tasks.spawn(self._fork(talk, is_fresh=is_fresh), name="fork")

    async def _fork(self, talk: Conversation, *, is_fresh: bool) -> None:
        """Take over the forks that stand, and make those that are missing."""
        try:
            is_done = is_fresh or await self._take_over(talk)
            if is_done:
                legs = list(talk.legs_missing)
                talk.forks_made += len(legs)
                streams = await asyncio.gather(
                    *(self._forks.fork(talk.call.call, leg) for leg in legs)
                )
                for leg, stream in zip(legs, streams, strict=True):
                    if stream is None or stream in talk.ended_streams:
                        continue
                    if leg in talk.legs_missing:
                        talk.streams[stream] = leg
                is_done = not talk.legs_missing
        finally:
            talk.is_forking = False
            pause_s = min(MOST_FORK_PAUSE_S, 1.0 + talk.forks_made)
            talk.fork_again_mono = asyncio.get_running_loop().time() + pause_s
        if not is_done and not talk.is_over:
            self._want_late(talk, talk.legs_missing)
            await self._set_speech(talk, "broken")

    async def _take_over(self, talk: Conversation) -> bool:
        """Hear the streams that stand in Asterisk, whoever made them; False if it cannot tell."""
        standing = await self._forks.standing()
        if standing is None:
            return False
        useless = talk.quiet_streams.keys() | talk.ended_streams
        for stream, speaker in standing.get(talk.call.call, {}).items():
            if speaker in talk.legs_missing and stream not in useless:
                log.info("fork_taken_over", call=talk.call.call, stream=stream, speaker=speaker)
                talk.streams[stream] = speaker
        is_whole = bool(talk.streams) and not (talk.legs_missing or talk.quiet_legs)
        if is_whole and talk.speech in ("waiting", "broken"):
            await self._set_speech(talk, "live")
        return True

    async def speech_returned(self) -> None:
        """The speech role is up: fork what is missing."""
        for talk in self._talks.values():
            if talk.is_over or talk.speech == "refused":
                continue
            is_lost = talk.speech == "broken" and not talk.quiet_legs
            if is_lost or talk.legs_missing:
                self._fork_missing(talk)

    async def speech_lost(self) -> None:
        """The speech role died and cannot say so; its streams are gone, or soon will be."""
        for talk in self._talks.values():
            if not talk.is_over and talk.speech != "off":
                self._want_late(talk, set(Speaker))
                talk.streams.clear()
                talk.quiet_legs.clear()
                await self._set_speech(talk, "broken")

    async def check_streams(self) -> None:
        """Compare with what stands in Asterisk: a speech role killed and soon back says nothing.

        A stream counts as gone when two questions in succession did not find it: an answer may be
        older than the fork, and a call that just ended has none.
        """
        if all(t.is_over or not (t.streams or t.quiet_streams) for t in self._talks.values()):
            return
        known = {call: set(talk.streams) for call, talk in self._talks.items() if not talk.is_over}
        standing = await self._forks.standing()
        if standing is None:
            return
        for call, streams in known.items():
            talk = self._talks.get(call)
            if talk is not None and not talk.is_over:
                await self._note_missed(talk, streams - standing.get(call, {}).keys())
                for stream in talk.quiet_streams.keys() & standing.get(call, {}).keys():
                    # That failed when it was given up.
                    self._tasks.spawn(self._forks.end(stream), name="end-fork")

    async def _note_missed(self, talk: Conversation, missed: set[StreamId]) -> None:
        gone = missed & talk.missed & talk.streams.keys()
        talk.missed = missed
        if not gone:
            return
        log.warning("streams_gone", call=talk.call.call, streams=len(gone))
        self._want_late(talk, {talk.streams.pop(stream) for stream in gone})
        await self._set_speech(talk, "broken")
        self._fork_missing(talk)

    async def renew_book(self) -> None:
        """Write the streams' places again, in case Redis lost them."""
        await self._book.keep()

    # ---- the draft -----------------------------------------------------------------------------

    async def edit(self, agent: AgentId, call: CallId, name: str, value: str) -> wire.DraftView:
        """Take an agent's correction; raises ``NotYourCall`` and the draft's own refusals."""
        talk = self._talks.get(call)
        if talk is None or talk.agent != agent:
            raise NotYourCall(call=call)
        talk.draft.edit(name, value)
        await self._draft_changed(talk)
        return talk.draft.view()

    async def dismiss_dangers(self, agent: AgentId, call: CallId, kinds: Sequence[str]) -> None:
        """The agent says that these are no dangers; raises ``NotYourCall``."""
        talk = self._talks.get(call)
        if talk is None or talk.agent != agent:
            raise NotYourCall(call=call)
        log.warning("danger_dismissed", call=call, agent=agent, dangers=list(kinds))
        talk.dangers.dismiss(kinds)
        await self._show_dangers(talk)

    async def settle(
        self, call: CallId, saved: Literal["kept_on_disk", "entered"], number: str | None
    ) -> None:
        """The draft was confirmed; a cleared desk needs no telling, the ticket stands."""
        talk = self._talks.get(call)
        if talk is None:
            return
        talk.draft.settle(saved, number)
        await self._publisher.publish(talk.agent, wire.DraftChanged(draft=talk.draft.view()))

    async def _draft_changed(self, talk: Conversation) -> None:
        draft, call, at = talk.draft, talk.call.call, self._now()
        await self._publisher.publish(talk.agent, wire.DraftChanged(draft=draft.view()))
        self._scribe.note(KeepDraft(call, draft.version, draft.machine, dict(draft.edits), at))
