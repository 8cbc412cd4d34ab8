"""The scripted phone without a switch: messages, digest, G.711, sound files, two phones talking."""

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.phone import (
    CallState,
    Phone,
    PhoneError,
    answer_after,
    digest,
    g711,
    load_sound,
    reject_with,
    save_wav,
    sdp,
    sip,
)
from telephony.phone.sound import RATE_HZ, resample

INVITE = (
    b"INVITE sip:12345@h SIP/2.0\r\nv: SIP/2.0/UDP h:1;branch=z9hG4bKa\r\n"
    b'f: "\xe5\xbc\xa0" <sip:138@h>;tag=x\r\nt: <sip:12345@h>\r\ni: abc\r\nCSeq: 7 INVITE\r\n'
    b"l: 0\r\n\r\n"
)


def test_compact_request_is_read() -> None:
    message = sip.parse(INVITE)
    assert (message.method, message.call_id, message.branch) == ("INVITE", "abc", "z9hG4bKa")
    assert message.cseq == (7, "INVITE")
    assert sip.user_of(message.need("from")) == "138"
    assert sip.parameter(message.need("from"), "tag") == "x"


def test_response_echoes_and_tags() -> None:
    response = sip.respond(sip.parse(INVITE), 180, "Ringing", to_tag="y")
    again = sip.parse(response.encode())
    assert again.is_response
    assert (again.status, again.method) == (180, "INVITE")
    assert again.need("to") == "<sip:12345@h>;tag=y"


@given(st.binary(max_size=400))
def test_garbage_is_refused_and_never_crashes(data: bytes) -> None:
    for reader in (sip.parse, sdp.parse):
        try:
            reader(data)
        except PhoneError:
            continue


@given(st.integers(0, len(INVITE)), st.binary(max_size=20))
def test_damaged_message_is_refused_or_read(at: int, junk: bytes) -> None:
    try:
        sip.parse(INVITE[:at] + junk + INVITE[at:])
    except PhoneError:
        return


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_of_rfc_7616(monkeypatch: pytest.MonkeyPatch, algorithm: str, response: str) -> None:
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    monkeypatch.setattr("secrets.token_hex", lambda _: cnonce)
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f"algorithm={algorithm}, "
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny"'
    )
    answer = digest.answer(
        [challenge],
        method="GET",
        uri="/dir/index.html",
        user="Mufasa",
        password="Circle of Life",
    )
    assert f'response="{response}"' in answer
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny"' in answer


def test_stronger_challenge_is_taken() -> None:
    challenges = ['Digest realm="a", nonce="b"', 'Digest realm="a", nonce="b", algorithm=SHA-256']
    answer = digest.answer(challenges, method="INVITE", uri="sip:x", user="u", password="p")
    assert "algorithm=SHA-256" in answer


def test_g711_known_values_and_round_trip() -> None:
    assert g711.alaw_decode(b"\xd5\x55\xaa\x2a").tolist() == [8, -8, 32256, -32256]
    assert g711.ulaw_decode(b"\xff\x7f\x80\x00").tolist() == [0, 0, 32124, -32124]
    every = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
    for encode, decode in (
        (g711.alaw_encode, g711.alaw_decode),
        (g711.ulaw_encode, g711.ulaw_decode),
    ):
        back = decode(encode(every)).astype(np.int64)
        error = np.abs(back - every.astype(np.int64))
        assert error.max() <= 1024
        codes = np.arange(256, dtype=np.uint8).tobytes()
        assert (decode(encode(decode(codes))) == decode(codes)).all()


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_sound_of_any_common_rate_keeps_its_pitch(tmp_path: Path, rate: int) -> None:
    at_s = np.arange(rate) / rate
    tone = (np.sin(2 * np.pi * 1000 * at_s) * 10000).astype("<i2")
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(tone.tobytes())
    samples = load_sound(path)
    assert len(samples) == RATE_HZ
    spectrum = np.abs(np.fft.rfft(samples))
    assert int(np.argmax(spectrum)) == 1000
    assert spectrum[1000] > 0.9 * 10000 * RATE_HZ / 2


def test_pitch_above_the_telephone_band_does_not_fold_down() -> None:
    at_s = np.arange(16000) / 16000
    high = (np.sin(2 * np.pi * 6000 * at_s) * 10000).astype(np.int16)
    assert np.abs(resample(high, 16000)[100:-100]).max() < 500


@pytest.mark.parametrize("content", [b"", b"no wav", b"RIFF\x00\x00\x00\x00WAVE"])
def test_broken_wav_is_a_clear_refusal(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(PhoneError, match=r"cannot play x\.wav"):
        load_sound(tmp_path / "x.wav")


def test_what_was_heard_can_be_saved(tmp_path: Path) -> None:
    save_wav(tmp_path / "heard" / "a.wav", np.arange(100, dtype=np.int16))
    assert load_sound(tmp_path / "heard" / "a.wav").tolist() == list(range(100))


async def pair() -> tuple[Phone, Phone]:
    """Two phones that know each other, without a switch between them."""
    second = Phone(("127.0.0.1", 0), ("127.0.0.1", 9), "2002")
    await second.start()
    first = Phone(("127.0.0.1", 0), second.address, "1001", display_name="张三")
    await first.start()
    second._server = first.address
    return first, second


async def test_two_phones_talk() -> None:
    first, second = await pair()
    tone = (np.sin(np.arange(4000) * 0.7) * 8000).astype(np.int16)
    second.on_ring(answer_after(0.05, play=tone))
    call = await first.call("2002")
    await call.until_answered(5)
    other = await second.until_ringing(5)
    assert (other.number, other.name, other.dialled) == ("1001", "张三", "2002")
    await call.say(tone)
    await call.hangup()
    await other.until_ended(5)
    assert 180 in call.statuses
    heard = other.heard_pcm
    assert np.abs(heard).max() > 7000
    assert other.stats.lost == 0
    assert other.stats.received >= 25
    for phone in (first, second):
        await phone.stop()


async def test_busy_phone_and_call_given_up() -> None:
    first, second = await pair()
    second.on_ring(reject_with(486))
    call = await first.call("2002")
    with pytest.raises(PhoneError):
        await call.until_answered(5)
    assert (call.state, call.end_status) == (CallState.ENDED, 486)
    second.on_ring(answer_after(60))
    ringing = await second.until_ringing(5)
    given_up = await first.call("2002")
    ringing = await second.until_ringing(5)
    await given_up.hangup()
    await ringing.until_ended(5)
    assert ringing.end_status == 487
    for phone in (first, second):
        await phone.stop()
