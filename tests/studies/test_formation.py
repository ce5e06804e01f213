"""What is read of a photograph that was shrunk in a known way."""

import json
from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.degradation import sampling_blur
from studies.formation import FormationReading


def test_the_report_says_what_is_true_and_what_was_read(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    table = FormationReading(data, out, limit=1, device="cpu").measure()
    assert "mean error" in table
    report = json.loads((out / "formation.json").read_text(encoding="utf-8"))
    rows = {(row["kernel"], row["scale"]): row for row in report["summary"]}
    assert rows["gaussian", 2]["blur"] == pytest.approx(sampling_blur("gaussian", 2))
    # A Gaussian leaves a softer photograph than bicubic shrinking, and is read so.
    assert rows["gaussian", 2]["blur_read"] > rows["bicubic", 2]["blur_read"]
    for row in report["summary"]:
        assert row["blur_error"] == pytest.approx(abs(row["blur_read"] - row["blur"]))
    assert report["provenance"]["models"]["estimated"]["name"] == "formation"


def test_no_test_photographs_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        FormationReading(tmp_path, tmp_path / "out").measure()
