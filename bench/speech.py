"""How late words come and what a stream costs, beside Vosk's own loop, for 1 to 8 paced streams.

Ours is the whole way of a live leg: AudioSocket over TCP, the listener, the pool with its decoder
processes, the voice gate, words out; the speakers are a process that is not counted. The reference
plays the same frames to itself inside one process and asks for a guess after each. Delays are of
single words (``bench.speech_talk``); the ratio is the reference's to ours.
"""

import asyncio
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from base.errors import SetupError
from base.ids import CallId, StreamId
from bench.harness import MIN_RUNS, BenchResult, LoadWatch, interleave_async, machine
from bench.speech_talk import STAGGER_S, Figures, Heard, Text, figures, heard
from server.settings_loader import load_settings
from telephony.audio import AudioLeg, AudioListener
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEventKind
from transcription.models import ModelInfo, best_model
from transcription.pool import WorkerPool
from transcription.stream import SpeechStream
from transcription.wire import Fork, SpeechMessage, Words
from transcription.worker import WorkerSpec

STREAMS: Final = (1, 2, 4, 8)
SECONDS: Final = 9.0
START_S: Final = 1.5
"""For the speakers' process to be there."""
AIM: Final = 0.95
RUN_TIMEOUT_S: Final = SECONDS * 8
HZ: Final = 100.0  # of /proc's processor times

Of = TypeVar("Of")


def run(runs: int) -> BenchResult:
    settings = load_settings()
    voices = settings.tools / "voice"
    if not (voices / "c01.wav").is_file():
        raise SetupError("the demo's voices are not rendered", fix="run `./hotline test` or `demo`")
    model = best_model(settings.tools, "demo-zh")  # whose sentences the voices speak
    workers = settings.speech.workers
    load = LoadWatch()
    found: dict[str, list[Heard]] = {}
    asyncio.run(_measure(model, voices, workers, runs, found))
    return _result({name: figures(each) for name, each in found.items()}, runs, load, workers)


async def _measure(
    model: ModelInfo, voices: Path, workers: int, runs: int, found: dict[str, list[Heard]]
) -> None:
    spec = WorkerSpec(engine=model.engine, model_dir=model.path, model=model.name)
    pool = WorkerPool(spec, workers=workers, streams_per_worker=max(STREAMS))
    await pool.start()
    try:
        for count in STREAMS:
            contestants = {
                f"ours/{count}": _keep(found, f"ours/{count}", _ours, pool, voices, count),
                f"vosk/{count}": _keep(found, f"vosk/{count}", _reference, model, voices, count),
            }
            await interleave_async(contestants, runs=runs, is_warm=True)
    finally:
        await pool.close()


def _keep(
    found: dict[str, list[Heard]],
    name: str,
    contestant: Callable[[Of, Path, int, int], Awaitable[Heard]],
    of: Of,
    voices: Path,
    count: int,
) -> Callable[[], Awaitable[float]]:
    """One contestant's run; in each round both hear what nobody heard in the round before."""
    runs = found.setdefault(name, [])

    async def measure() -> float:
        async with asyncio.timeout(RUN_TIMEOUT_S):
            got = await contestant(of, voices, count, len(runs))
        runs.append(got)
        return got.cpu

    return measure


# ---- ours --------------------------------------------------------------------------------------


async def _ours(pool: WorkerPool, voices: Path, count: int, first: int) -> Heard:
    begun: dict[StreamId, float] = {}
    texts: dict[StreamId, list[Text]] = {}
    refused: list[StreamId] = []

    def publish(message: SpeechMessage) -> None:
        if isinstance(message, Words):
            texts[message.stream].append(_text(message, begun[message.stream]))

    async def on_leg(leg: AudioLeg) -> None:
        fork = Fork(call=CallId("bench-1.1"), speaker=Speaker.CITIZEN)
        stream = SpeechStream(leg.stream, fork, publish=publish, now=lambda: datetime.now(UTC))
        if not stream.begin(pool, 8_000, engine="vosk", model="demo-zh", is_demo=True):
            refused.append(leg.stream)
            return
        async for sound in leg.sound():
            stream.accept(sound.pcm16)
        await stream.finish()

    listener = AudioListener(on_leg, connections_most=count)
    await listener.start("127.0.0.1", 0)
    streams = [StreamId(str(uuid.uuid4())) for _ in range(count)]
    begin_mono = time.monotonic() + START_S
    for index, stream in enumerate(streams):
        begun[stream], texts[stream] = begin_mono + index * STAGGER_S, []
    try:
        people = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.speech_speakers", str(listener.port), str(voices)),
            *(str(first), str(SECONDS), str(begin_mono), *streams),
        )
        await asyncio.sleep(begin_mono - time.monotonic())
        began_cpu_s = _cpu_s(pool)
        await people.wait()
        while listener.connections:  # noqa: ASYNC110 - the last words are on their way
            await asyncio.sleep(0.02)
    finally:
        await listener.close()
    used_s = _cpu_s(pool) - began_cpu_s
    return heard(list(texts.values()), cpu_s=used_s, seconds=SECONDS, refused=len(refused))


def _text(words: Words, begin_mono: float) -> Text:
    is_final = words.kind is SpeechEventKind.FINAL
    told = tuple((word.text, word.end_s) for word in words.words) if is_final else ()
    return Text(time.monotonic() - begin_mono, words.text, told)


def _cpu_s(pool: WorkerPool) -> float:
    """Of the decoders and of this process, the listener; the speakers are another process."""
    return time.process_time() + sum(_cpu_of(pid) for pid in pool.pids)


def _cpu_of(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / HZ


# ---- the reference -----------------------------------------------------------------------------


async def _reference(model: ModelInfo, voices: Path, count: int, first: int) -> Heard:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.speech_reference"),
        *(str(model.path), str(voices), str(count), str(first), str(SECONDS)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return msgspec.json.decode(out, type=Heard)


# ---- the result --------------------------------------------------------------------------------


def _result(found: dict[str, Figures], runs: int, load: LoadWatch, workers: int) -> BenchResult:
    ours, reference, ratio = {}, {}, {}
    grown = []
    for count in STREAMS:
        mine, theirs = found[f"ours/{count}"], found[f"vosk/{count}"]
        for name in ("p50_s", "p95_s", "cpu"):
            case = f"{count} streams/{name}"
            own, other = float(getattr(mine, name)), float(getattr(theirs, name))
            ours[case], reference[case] = round(own, 3), round(other, 3)
            ratio[case] = round(other / own, 3)
        grown.append(f"{count}: {mine.growth_s:+.2f} s ({theirs.growth_s:+.2f} s)")
    refused = sum(found[f"ours/{count}"].refused for count in STREAMS)
    return BenchResult(
        name="speech",
        unit="delay of a word in s; cpu: processor s a stream and second",
        ours=ours,
        reference=reference,
        ratio=ratio,
        aim=dict.fromkeys(ratio, AIM),
        runs=max(runs, MIN_RUNS),
        machine=machine(),
        load=load.done(),
        notes=(
            f"our decoder processes: {workers}; streams of {SECONDS:g} s, paced; demo model",
            "both get the same frames of 20 ms at the same pace, the reference from itself",
            "delays of the words of all runs together; cpu the median of the runs",
            "growth of our (and the reference's) delay in a run, by streams: " + ", ".join(grown),
            f"streams refused by our admission: {refused}",
        ),
    )
