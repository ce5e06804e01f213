"""Whether the saliency layer points at lesions."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.errors import UserError
from studies.saliency_lesions import SaliencyOfLesions, summarise


@pytest.fixture
def lesion_data(sample_path: Callable[[str], Path], tmp_path: Path) -> Path:
    """The middle of a held-out photograph with its microaneurysms."""
    for folder, name, source in (
        ("images", "IDRiD_53.png", "idrid_53_half.jpg"),
        ("lesions/MA", "IDRiD_53_MA.png", "idrid_53_half_ma.png"),
    ):
        target = tmp_path / "data" / "IDRiD" / folder
        target.mkdir(parents=True)
        with Image.open(sample_path(source)) as picture:
            part = picture.convert("RGB" if folder == "images" else "L").crop((600, 300, 1240, 940))
            part.save(target / name)
    return tmp_path / "data"


def test_microaneurysms_are_pointed_at_at_any_field(lesion_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    text = SaliencyOfLesions(lesion_data, out, fields=(200, 400), device="cpu").measure()
    whole = json.loads((out / "saliency.json").read_text())
    assert [(row["field"], row["n"]) for row in whole["summary"]] == [(200, 1), (400, 1)]
    assert all(0.55 < row["MA"] < 1 and "EX" not in row for row in whole["summary"])
    assert (out / "saliency.md").read_text().startswith(text)
    assert "--fields 200 400" in (out / "saliency.md").read_text()


def test_means_are_over_the_images_that_have_the_kind() -> None:
    records = [
        {"dataset": "IDRiD", "photograph": "1", "field": 300, "EX": 0.6, "MA": 0.7},
        {"dataset": "IDRiD", "photograph": "2", "field": 300, "EX": 0.8},
        {"dataset": "IDRiD", "photograph": "1", "field": 1024, "EX": 0.9},
    ]
    few, many = summarise(records).rows  # type: ignore[arg-type]
    assert few["n"] == 2
    assert (few["EX"], few["MA"]) == pytest.approx((0.7, 0.7))
    assert (many["n"], many["EX"]) == (1, 0.9)


def test_data_without_lesions_are_said(tmp_path: Path) -> None:
    folder = tmp_path / "IDRiD" / "images"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(folder / "IDRiD_53.png")
    with pytest.raises(UserError, match="no test photographs"):
        SaliencyOfLesions(tmp_path, tmp_path / "out", device="cpu").measure()
