"""Figures reach the card of the model that was measured, and of no other."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import shipped_models_dir
from retina_viewer.model_store.card import ModelCard, read_card
from studies.card_figures import record_figures


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    folder = Path(shutil.copytree(shipped_models_dir() / "pixel", tmp_path / "pixel"))
    return read_card(folder)


def write(folder: Path, sha256: str, command: str = "measure", psnr: float = 40.5) -> Path:
    row: dict[str, Any] = {
        "dataset": "DRIVE", "protocol": "native", "kernel": "gaussian", "scale": 4, "n": 20,
    }  # fmt: skip
    rows = [
        {**row, "method": "bicubic", "psnr": 39.0},
        {**row, "method": "pixel", "psnr": psnr, "gain": 1.5},
    ]
    about = {"command": command, "models": {"pixel": {"name": "pixel", "sha256": sha256}}}
    path = folder / "superres.json"
    path.write_text(json.dumps({"provenance": about, "summary": rows, "records": []}))
    return path


def test_the_model_s_own_rows_are_kept_with_their_command(card: ModelCard, tmp_path: Path) -> None:
    record_figures(card, write(tmp_path, card.weights_sha256))
    again = read_card(tmp_path / "pixel")
    mine = [m for m in again.measurements if m.command == "measure"]
    assert [(m.metric, m.value) for m in mine] == [("psnr", 40.5), ("gain", 1.5)]
    assert mine[0].data == "DRIVE x4 gaussian native, n=20"
    assert len(again.measurements) == len(card.measurements) + 2


def test_measuring_again_replaces(card: ModelCard, tmp_path: Path) -> None:
    first = record_figures(card, write(tmp_path, card.weights_sha256))
    second = record_figures(first, write(tmp_path, card.weights_sha256, psnr=41.0))
    assert len(second.measurements) == len(first.measurements)
    assert [m.value for m in second.measurements if m.command == "measure"] == [41.0, 1.5]


def test_a_report_on_other_weights_is_refused(card: ModelCard, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="other weights"):
        record_figures(card, write(tmp_path, "0" * 64))
    assert read_card(tmp_path / "pixel") == card


@pytest.mark.parametrize("content", ["", "[]", '{"provenance": {}}'])
def test_what_is_no_report_is_refused(card: ModelCard, tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(UserError, match="not a report"):
        record_figures(card, path)


def test_figures_of_vessels_and_lesions_stand_beside_those_of_likeness(
    card: ModelCard, tmp_path: Path
) -> None:
    row = {"dataset": "IDRiD", "kernel": "gaussian", "scale": 4, "method": "pixel", "n": 6}
    about = {
        "command": "lesions",
        "models": {"pixel": {"name": "pixel", "sha256": card.weights_sha256}},
    }
    path = tmp_path / "lesions.json"
    rows = [{**row, "kept": 0.9, "kept_gain": 31.5, "lesions": 80}, {**row, "method": "bicubic"}]
    path.write_text(json.dumps({"provenance": about, "summary": rows}))
    changed = record_figures(card, path)
    mine = [m for m in changed.measurements if m.command == "lesions"]
    assert [(m.metric, m.value) for m in mine] == [("kept", 0.9), ("kept_gain", 31.5)]
    assert mine[0].data == "IDRiD x4 gaussian, n=6"


def test_figures_of_a_choice_are_refused(card: ModelCard, tmp_path: Path) -> None:
    about = {"command": "fidelity", "models": {"fidelity 0.5": {"sha256": card.weights_sha256}}}
    path = tmp_path / "fidelity.json"
    path.write_text(json.dumps({"provenance": about, "summary": [{"scale": 2, "psnr": 40.0}]}))
    with pytest.raises(UserError, match="validation"):
        record_figures(card, path)
    assert read_card(tmp_path / "pixel") == card
