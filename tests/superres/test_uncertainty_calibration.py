"""A calibration rises with its evidence, and belongs to the weights it was fitted to."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard
from retina_viewer.superres.uncertainty_calibration import (
    CALIBRATION_FILE,
    FLOOR,
    Calibration,
    ScaleCalibration,
    read_calibration,
    save_calibration,
    window_of,
    windowed,
)

CURVE = ScaleCalibration(
    weights={"disagreement": 0.6, "added": 0.3}, scores=(-2.0, 0.0, 1.5), errors=(0.5, 2.0, 9.0)
)


class _Card:
    """The little of a card that is read."""

    name = "mine"

    def __init__(self, directory: Path | None, sha: str = "a" * 64) -> None:
        self.directory, self.weights_sha256 = directory, sha


def card(directory: Path | None, sha: str = "a" * 64) -> ModelCard:
    return cast(ModelCard, cast(Any, _Card(directory, sha)))


def calibration() -> Calibration:
    return Calibration(model="mine", weights_sha256="a" * 64, scales={4: CURVE})


def plane(*values: float) -> np.ndarray:
    return np.array([values], dtype=np.float32)


@pytest.mark.parametrize(("scale", "side"), [(2, 5), (4, 3), (8, 1), (16, 1)])
def test_windows_span_eight_to_sixteen_result_pixels_about_a_source_pixel(
    scale: int, side: int
) -> None:
    assert window_of(scale) == side
    assert 8 <= side * scale <= 16
    assert side % 2 == 1


def test_the_window_is_a_mean(photograph: np.ndarray) -> None:
    grey = photograph[..., 1].astype(np.float32)
    mean = windowed(grey, 4)
    assert mean[7, 9] == pytest.approx(grey[6:9, 8:11].mean(), abs=1e-3)
    assert windowed(grey, 16) is grey


def test_expected_errors_follow_the_formula() -> None:
    score = 0.6 * np.log(2 + FLOOR) + 0.3 * np.log(1 + FLOOR)
    wanted = 2.0 + (9.0 - 2.0) * score / 1.5
    found = CURVE.expected_error({"disagreement": plane(2), "added": plane(1)})
    assert found.dtype == np.float32
    assert found[0, 0] == pytest.approx(wanted, rel=1e-5)


@given(
    planes=st.lists(st.floats(0, 100, width=32), min_size=2, max_size=2),
    more=st.floats(0, 50, width=32),
    which=st.sampled_from(["disagreement", "added"]),
)
def test_more_evidence_never_means_less_error(planes: list[float], more: float, which: str) -> None:
    before = {"disagreement": plane(planes[0]), "added": plane(planes[1])}
    after = before | {which: before[which] + np.float32(more)}
    low, high = CURVE.expected_error(before), CURVE.expected_error(after)
    assert 0.5 <= low[0, 0] <= high[0, 0] <= 9.0


def test_missing_evidence_counts_as_none() -> None:
    nothing = {"disagreement": plane(3), "added": plane(0)}
    assert CURVE.expected_error({"disagreement": plane(3)}) == pytest.approx(
        CURVE.expected_error(nothing)
    )
    with pytest.raises(ValueError, match="none of"):
        CURVE.expected_error({"residual": plane(1)})


@pytest.mark.parametrize(
    "change",
    [
        {"errors": (2.0, 0.5, 9.0)},
        {"scores": (0.0, 0.0, 1.5)},
        {"errors": (0.5, 2.0)},
        {"weights": {"added": -0.1}},
    ],
)
def test_what_could_lower_the_error_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ScaleCalibration.model_validate(CURVE.model_dump() | change)


def test_it_is_kept_beside_the_weights_and_replaced(tmp_path: Path) -> None:
    for _ in range(2):
        assert save_calibration(calibration(), card(tmp_path)) == tmp_path / CALIBRATION_FILE
    assert read_calibration(card(tmp_path)) == calibration()


def test_a_person_is_told_what_to_do_where_it_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not been calibrated") as missing:
        read_calibration(card(tmp_path))
    assert "evaluate consistency DATA --fit" in (missing.value.hint or "")
    save_calibration(calibration(), card(tmp_path))
    with pytest.raises(UserError, match="other weights"):
        read_calibration(card(tmp_path, sha="b" * 64))
    with pytest.raises(UserError, match="x8"):
        read_calibration(card(tmp_path)).at(8)
    (tmp_path / CALIBRATION_FILE).write_text('{"model": "mine"}')
    with pytest.raises(UserError, match="not valid"):
        read_calibration(card(tmp_path))
