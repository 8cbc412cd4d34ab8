"""Secrets: made once, for the owner's eyes alone."""

from collections.abc import Callable

import pytest

from base.errors import SetupError
from server.secrets_store import SecretsStore, ensure_secrets, secret_names
from server.settings import Settings


def test_every_secret_is_made_for_the_owner_alone(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    store = ensure_secrets(settings)
    assert settings.secrets_dir.stat().st_mode & 0o777 == 0o700
    files = {path.name: path for path in settings.secrets_dir.iterdir()}
    assert set(files) == set(secret_names(settings))
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert len({store.read(name) for name in files}) == len(files)
    assert store.loose_files() == []


def test_second_set_up_keeps_what_is_there(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    before = ensure_secrets(settings).read("ami")
    assert ensure_secrets(settings).read("ami") == before


def test_two_installations_share_no_secret(make_settings: Callable[..., Settings]) -> None:
    one, two = ensure_secrets(make_settings()), ensure_secrets(make_settings())
    assert one.read("redis") != two.read("redis")


def test_file_that_others_can_read_is_found(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    store = ensure_secrets(settings)
    (settings.secrets_dir / "ami").chmod(0o644)
    assert store.loose_files() == [settings.secrets_dir / "ami"]


def test_missing_secret_says_how_to_make_it(make_settings: Callable[..., Settings]) -> None:
    with pytest.raises(SetupError) as caught:
        SecretsStore(make_settings().secrets_dir).read("ami")
    assert "./hotline up" in caught.value.fix
