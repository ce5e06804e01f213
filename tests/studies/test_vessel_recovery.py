"""Vessels found again, measured with a segmenter whose errors are known."""

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.field_of_view import FieldOfView
from studies import vessel_recovery
from studies.vessel_recovery import VesselRecovery, summarise


class DarkerThanAround:
    """Takes for vessels what is darker in green than its surroundings: blur hides them."""

    card = SimpleNamespace(name="darker", threshold=0.5, weights_sha256="0" * 64)

    def probability(
        self, rgb8: NDArray[np.uint8], field: FieldOfView, progress: Progress = no_progress
    ) -> NDArray[np.float32]:
        assert field.mask.shape == rgb8.shape[:2]
        green = rgb8[..., 1].astype(np.float32)
        depth = cv2.GaussianBlur(green, (0, 0), 6) - green
        return np.clip(depth / 16, 0, 1).astype(np.float32)


@pytest.fixture
def darker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vessel_recovery, "load_segmenter", lambda model, device: DarkerThanAround())


@pytest.mark.usefixtures("darker")
def test_the_command_says_what_is_won_back(data: Path, tmp_path: Path) -> None:
    arguments = {"scales": (4,), "methods": ("lanczos",), "sets": ("CHASE_DB1", "DRIVE")}
    text = VesselRecovery(data, tmp_path, **arguments).measure()  # type: ignore[arg-type]
    whole = json.loads((tmp_path / "recovery.json").read_text())
    rows = {(row["dataset"], row["method"]): row for row in whole["summary"]}
    assert set(rows) == {
        (name, method)
        for name in ("CHASE_DB1", "DRIVE")
        for method in ("original", "bicubic", "lanczos")
    }
    original, bicubic, lanczos = (
        rows["CHASE_DB1", method] for method in ("original", "bicubic", "lanczos")
    )
    assert (original["scale"], original["n"], bicubic["n"]) == (1, 2, 2)
    assert original["dice"] > lanczos["dice"] > bicubic["dice"] > 0.1
    share = (lanczos["dice"] - bicubic["dice"]) / (original["dice"] - bicubic["dice"])
    assert lanczos["won_back"] == pytest.approx(100 * share)
    assert "won_back" not in bicubic and lanczos["p"] == 0.5
    assert "darker" in text
    assert whole["provenance"]["models"]["vessels"]["name"] == "darker"
    log = (tmp_path / "recovery_records.jsonl").read_text()
    VesselRecovery(data, tmp_path, **arguments).measure()  # type: ignore[arg-type]
    assert (tmp_path / "recovery_records.jsonl").read_text() == log


def test_where_bicubic_loses_nothing_nothing_can_be_won_back() -> None:
    records = [
        {"dataset": "DRIVE", "photograph": "1", "kernel": kernel, "scale": scale,
         "method": method, "dice": dice, "auc": 0.9, "sensitivity": 0.5}
        for kernel, scale, method, dice in (
            ("", 1, "original", 0.8), ("gaussian", 2, "bicubic", 0.8),
            ("gaussian", 2, "pixel", 0.81),
        )
    ]  # fmt: skip
    table = summarise(records, "vessels")  # type: ignore[arg-type]
    (row,) = (row for row in table.rows if row["method"] == "pixel")
    assert "won_back" not in row
    assert "sensitivity_thin" not in row  # there were no thin vessels
