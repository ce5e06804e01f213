import sys
from pathlib import Path

import platformdirs
import pytest

from retina_viewer.core import paths


def test_user_data_lies_below_the_named_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(paths.BASE_DIRECTORY_VARIABLE, str(tmp_path))
    found = [
        paths.settings_file(), paths.user_models_dir(), paths.user_runs_dir(), paths.log_dir()
    ]  # fmt: skip
    assert all(path.is_relative_to(tmp_path) for path in found)
    assert len(set(found)) == 4


def test_user_data_lies_in_the_platforms_folders_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(paths.BASE_DIRECTORY_VARIABLE)
    expected = platformdirs.user_config_path("RetinaViewer", appauthor=False)
    assert paths.settings_file() == expected / "settings.toml"


def test_resources_and_models_are_found_in_the_source_tree() -> None:
    assert (paths.resources_dir() / "samples" / "ATTRIBUTION.md").is_file()
    assert paths.shipped_models_dir().is_dir()


def test_a_frozen_program_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resources").mkdir()
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert paths.resources_dir() == tmp_path / "resources"


def test_an_incomplete_installation_says_what_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "retina_viewer")
    with pytest.raises(FileNotFoundError, match="'models'"):
        paths.shipped_models_dir()
