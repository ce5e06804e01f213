"""The tables of vessels, measured with a segmenter whose errors are known."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.quality.datasets import read_mask
from retina_viewer.quality.metrics import auc, dice
from retina_viewer.vessels.segment import VesselMap
from studies import vessels as tables
from studies.data_folders import find_photographs
from studies.report import held_out_photographs
from studies.vessels import Vessels, evaluate_vessels


class DarkIsVessel:
    """Takes for vessels what is dark in green."""

    card = SimpleNamespace(name="dark", threshold=0.6, weights_sha256="0" * 64)

    def segment(self, image: FundusImage, progress: Progress = no_progress) -> VesselMap:
        progress(0.5, "finding vessels")
        probability = (1.0 - image.unit_rgb()[..., 1]).astype(np.float32)
        return VesselMap(probability, probability >= 0.6, 0.1, 0.6, "dark", "0" * 64, "cpu")


@pytest.fixture
def dark(monkeypatch: pytest.MonkeyPatch) -> DarkIsVessel:
    segmenter = DarkIsVessel()
    monkeypatch.setattr(tables, "load_segmenter", lambda model, device: segmenter)
    return segmenter


@pytest.mark.usefixtures("dark")
def test_the_command_measures_labelled_held_out_photographs(data: Path, tmp_path: Path) -> None:
    markdown = Vessels(data, tmp_path / "out").measure()
    whole = json.loads((tmp_path / "out" / "vessels.json").read_text())
    assert [r["photograph"] for r in whole["records"]] == ["11L", "12R", "01"]
    assert [(r["dataset"], r["over"], r["n"]) for r in whole["summary"]] == [
        ("CHASE_DB1", "mean", 2), ("CHASE_DB1", "pooled", 2), ("DRIVE", "mean", 1),
        ("DRIVE", "pooled", 1),
    ]  # fmt: skip
    assert whole["provenance"]["models"]["vessels"]["name"] == "dark"
    assert (tmp_path / "out" / "vessels.md").read_text().startswith(markdown)
    assert "threshold 0.6" in markdown
    lines = (tmp_path / "out" / "vessels_per_image.csv").read_text().splitlines()
    assert len(lines) == 4


def test_means_are_over_images_and_pooled_over_pixels(data: Path, dark: DarkIsVessel) -> None:
    photographs = held_out_photographs(find_photographs(data / "CHASE_DB1"))
    records, table = evaluate_vessels(photographs, dark)  # type: ignore[arg-type]
    mean, pooled = table.rows
    assert mean["auc"] == pytest.approx(np.mean([float(record["auc"]) for record in records]))
    assert mean["dice_observers"] == 1.0  # both observers' labels are one file here
    probabilities, truths = [], []
    for photograph in photographs:
        assert photograph.vessels is not None
        probabilities.append(1.0 - photograph.read_rgb()[..., 1] / np.float32(255))
        truths.append(read_mask(photograph.vessels))
    probability, truth = np.concatenate(probabilities), np.concatenate(truths)
    assert pooled["auc"] == pytest.approx(auc(probability, truth))
    assert pooled["dice"] == pytest.approx(dice(probability >= 0.6, truth))
    assert float(pooled["auc"]) > 0.8  # vessels are dark


def test_progress_rises_over_all_photographs(data: Path, dark: DarkIsVessel) -> None:
    seen: list[float] = []
    photographs = held_out_photographs(find_photographs(data / "CHASE_DB1"))
    evaluate_vessels(
        photographs,
        dark,  # type: ignore[arg-type]
        progress=lambda fraction, what: seen.append(fraction),
    )
    assert seen == [0.0, 0.25, 0.5, 0.75]


@pytest.mark.usefixtures("dark")
def test_photographs_without_labels_are_no_data(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no test photographs"):
        Vessels(data / "IDRiD", tmp_path).measure()
