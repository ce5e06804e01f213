import errno
import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import settings_file
from retina_viewer.core.settings import (
    MAX_RECENT,
    LayerSettings,
    Settings,
    load_settings,
    save_settings,
)


def test_without_a_file_there_are_defaults() -> None:
    assert load_settings() == Settings()
    assert not settings_file().exists()


def test_every_choice_survives_a_restart(tmp_path: Path) -> None:
    settings = Settings(
        recent_files=[tmp_path / "Auge 眼.png", tmp_path / "b.tif"],
        last_folder=tmp_path,
        export_folder=tmp_path / "results",
        method="bicubic",
        scale=16,
        device="cuda:1",
        theme="system",
        pane_layout="slider",
        layers={"saliency": LayerSettings(on=True, opacity=0.25, colour_map="cividis")},
        tile=128,
    )
    save_settings(settings)
    assert load_settings() == settings


def test_saving_replaces_the_older_file() -> None:
    save_settings(Settings(scale=2))
    save_settings(Settings(scale=8))
    assert load_settings().scale == 8
    assert [entry.name for entry in settings_file().parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    "content",
    [
        b"scale = ",  # no TOML
        b"\xff\xfe\x00",  # no text
        b"scale = 3\n",  # a value that is not offered
        b'recent_files = "one"\n',  # another type
        b'device = "toaster"\n',
        b"[layers.saliency]\nopacity = 7.0\n",
        b"recent_files = " + b"[" * 100_000,  # deeper than any reader goes
        b"a.b.c = 1\n" + b"x = {y = " * 50_000,
    ],
)
def test_a_broken_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    assert load_settings(file) == Settings()
    assert not file.exists()
    assert (tmp_path / "settings.toml.broken").read_bytes() == content


def test_a_broken_file_replaces_the_one_set_aside_before(tmp_path: Path) -> None:
    for content in (b"first = ", b"second = "):
        (tmp_path / "settings.toml").write_bytes(content)
        load_settings(tmp_path / "settings.toml")
    assert (tmp_path / "settings.toml.broken").read_bytes() == b"second = "


def test_keys_of_other_versions_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('scale = 8\nfrom_the_future = "x"\n')
    assert load_settings(tmp_path / "settings.toml").scale == 8


def test_an_unreadable_file_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "settings.toml"
    save_settings(Settings(scale=8), file)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Path, "open", refuse)
        assert load_settings(file) == Settings()
    assert load_settings(file).scale == 8
    assert "could not be read" in caplog.text


def test_the_log_of_a_broken_file_names_no_photograph(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "settings.toml").write_text('recent_files = ["/x/Mustermann.png", 5]\n')
    with caplog.at_level(logging.INFO):
        load_settings(tmp_path / "settings.toml")
    assert "settings are broken" in caplog.text
    assert "Mustermann" not in caplog.text


def test_a_full_disk_keeps_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    save_settings(Settings(scale=8), file)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="disk is full"):
            save_settings(Settings(scale=2), file)
    assert load_settings(file).scale == 8


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="could not be saved"):
        save_settings(Settings(), tmp_path / "file" / "settings.toml")


@given(st.lists(st.integers(0, 20), max_size=40))
def test_recent_files_are_few_distinct_and_newest_first(opened: list[int]) -> None:
    settings = Settings()
    for number in opened:
        settings.remember_file(Path("/photographs") / str(number) / "eye.png")
    newest = [Path("/photographs") / str(n) / "eye.png" for n in dict.fromkeys(reversed(opened))]
    assert settings.recent_files == newest[:MAX_RECENT]
    assert settings.last_folder == (newest[0].parent if newest else None)


def test_assignments_are_validated() -> None:
    with pytest.raises(ValidationError):
        Settings().scale = 5  # type: ignore[assignment]


def test_a_name_that_is_not_utf_8_survives_a_restart(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"M\xfcller 100%.png")
    settings = Settings(scale=8, export_folder=tmp_path / os.fsdecode(b"\xe4"))
    settings.remember_file(odd)
    save_settings(settings)
    assert load_settings() == settings
    assert load_settings().recent_files == [odd]
    settings_file().read_text(encoding="utf-8")  # a file of text, whatever it names


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_place_of_the_file_does_not_keep_the_program_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "settings.toml")
    assert load_settings(tmp_path / "settings.toml") == Settings()


def test_forgetting_leaves_no_name_of_a_photograph_or_folder(tmp_path: Path) -> None:
    settings = Settings(export_folder=tmp_path / "Miller Anna", scale=8)
    settings.remember_file(tmp_path / "Miller Anna" / "left.png")
    settings.forget_places()
    save_settings(settings)
    assert "Miller" not in settings_file().read_text(encoding="utf-8")
    assert load_settings().scale == 8


def test_a_layer_by_its_name_of_before_is_found(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[layers.consistency]\non = true\nopacity = 0.3\n", encoding="utf-8")
    layers = load_settings(path).layers
    assert "consistency" not in layers
    assert (layers["uncertainty"].on, layers["uncertainty"].opacity) == (True, 0.3)
