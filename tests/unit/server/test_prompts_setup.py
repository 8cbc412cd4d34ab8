"""Set-up speaks the prompts once, and again what is missing."""

from pathlib import Path

import pytest

from server.settings_loader import load_settings
from server.setup import prompts
from server.setup.prompts import ensure_prompts, prompts_folder
from telephony import tones
from telephony.prompts import PROMPTS, prompt_path


def test_a_prompt_that_was_taken_away_is_spoken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings({"HOTLINE_HOME": str(tmp_path), "HOTLINE_TOOLS": str(tmp_path)})
    folder = prompts_folder(settings)
    spoken: list[Path] = []

    def render(texts: dict[str, str], into: Path, _tools: Path) -> list[Path]:
        missing = [prompt_path(into, name) for name in texts]
        missing = [each for each in missing if not each.exists()]
        for file in missing:
            file.parent.mkdir(parents=True, exist_ok=True)
            tones.write_wav(file, tones.tone(300.0, 0.1))
        spoken.extend(missing)
        return missing

    monkeypatch.setattr(prompts, "render", render)
    monkeypatch.setattr(prompts, "ensure_voice", lambda *_args, **_more: None)
    ensure_prompts(settings, print)
    assert len(spoken) == len(PROMPTS)
    ensure_prompts(settings, print)
    assert len(spoken) == len(PROMPTS)
    lost = prompt_path(folder, next(iter(PROMPTS)))
    lost.unlink()
    ensure_prompts(settings, print)
    assert spoken[len(PROMPTS) :] == [lost]
