"""The map: the crop of the whole wherever it begins, zero outside the field, cancellable."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres import uncertainty as consistency
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import FloatImage
from retina_viewer.superres.methods import make_enhancer
from retina_viewer.superres.uncertainty import (
    RIM,
    THRESHOLD,
    inner_field,
    needs_twin,
    region_map,
    uncertainty_map,
)
from retina_viewer.superres.uncertainty_calibration import Calibration, ScaleCalibration
from tests.superres.lopsided import Lopsided

CURVE = ScaleCalibration(
    weights={"disagreement": 0.5, "residual": 0.2, "difference": 0.3},
    scores=(-3.0, -1.6, -0.8, 1.0),
    errors=(0.2, 2.0, 5.0, 12.0),
)
CALIBRATION = Calibration(
    model="lopsided",
    weights_sha256="0" * 64,
    scales=dict.fromkeys((2, 4, 8), CURVE),
)
EVERYWHERE = np.ones((48, 64), dtype=bool)


@pytest.fixture(scope="module")
def unit(photograph: NDArray[np.uint8]) -> FloatImage:
    return photograph.astype(np.float32) / np.float32(255)


def test_expected_errors_are_larger_where_the_enlarger_is_at_fault(unit: FloatImage) -> None:
    found = uncertainty_map(Lopsided(), unit, EVERYWHERE, calibration=CALIBRATION)
    sound = uncertainty_map(Lopsided(fault=0.0), unit, EVERYWHERE, calibration=CALIBRATION)
    assert found.expected_error.shape == (48, 64)
    assert found.expected_error.dtype == np.float32
    assert found.window == 10
    assert found.mean > sound.mean + 0.2
    rising = np.diff(unit.mean(axis=2), axis=1) > 0.03  # the fault is where it grows brighter
    at_edges = found.expected_error[:, :-1][rising].mean()
    assert at_edges > np.median(found.expected_error)


def test_summary_numbers_are_those_of_the_field_of_view(unit: FloatImage) -> None:
    mask = np.zeros((48, 64), dtype=bool)
    mask[10:40, 20:50] = True
    found = uncertainty_map(Lopsided(fault=1.0), unit, mask, calibration=CALIBRATION)
    assert not found.expected_error[~mask].any()
    inner = inner_field(mask)
    assert inner.sum() == (30 - 2 * RIM) ** 2
    assert found.mean == pytest.approx(found.expected_error[inner].mean(), rel=1e-5)
    assert found.uncertain == np.mean(found.expected_error[inner] > THRESHOLD)
    assert 0 < found.uncertain < 1
    nowhere = uncertainty_map(
        Lopsided(), unit, np.zeros_like(mask), region=Rect(0, 0, 4, 4), calibration=CALIBRATION
    )
    assert np.isnan(nowhere.mean)
    assert np.isnan(nowhere.uncertain)


@settings(max_examples=15)
@given(data=st.data(), scale=st.sampled_from([2, 4, 8]))
def test_the_map_of_a_region_is_the_crop_of_the_whole(
    unit: FloatImage, data: st.DataObject, scale: int
) -> None:
    image, mask = unit[:20, :24], EVERYWHERE[:20, :24]
    x, y = data.draw(st.integers(0, 23)), data.draw(st.integers(0, 19))
    region = Rect(x, y, data.draw(st.integers(1, 24 - x)), data.draw(st.integers(1, 20 - y)))
    enhancer, other = Lopsided(scale=scale), bicubic(scale)
    whole = uncertainty_map(enhancer, image, mask, other=other, calibration=CALIBRATION)
    part = uncertainty_map(
        enhancer, image, mask, other=other, region=region, calibration=CALIBRATION
    )
    assert part.region == region
    expected = whole.expected_error[region.slices()]
    np.testing.assert_allclose(part.expected_error, expected, atol=2e-2)


@settings(max_examples=15)
@given(data=st.data(), scale=st.sampled_from([2, 4, 8]))
def test_a_part_reads_no_more_of_the_photograph_and_is_the_crop_of_the_whole(
    photograph: NDArray[np.uint8], data: st.DataObject, scale: int
) -> None:
    image = FundusImage.from_array(photograph)
    x, y = data.draw(st.integers(0, 63)), data.draw(st.integers(0, 47))
    region = Rect(x, y, data.draw(st.integers(1, 64 - x)), data.draw(st.integers(1, 48 - y)))
    other, mask = bicubic(scale), image.field_of_view.mask
    seen: list[tuple[int, ...]] = []

    class Looking(Lopsided):
        def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
            seen.append(rgb.shape)
            return super().enhance_region(rgb, region)

    enhancer = Looking(scale=scale)
    part = region_map(image, enhancer, region, other=other, calibration=CALIBRATION)
    read = max((height * width for height, width, _ in seen), default=0)
    whole = uncertainty_map(enhancer, image.unit_rgb(), mask, other=other, calibration=CALIBRATION)
    assert part.region == region
    expected = whole.expected_error[region.slices()]
    np.testing.assert_allclose(part.expected_error, expected, atol=2e-2)
    assert read <= region.expanded(16).intersected(image.bounds).area
    assert part.counted == inner_field(mask)[region.slices()].sum()


def test_outside_the_field_of_view_nothing_is_computed() -> None:
    pixels = np.zeros((200, 200, 3), np.uint8)
    cv2.circle(pixels, (100, 100), 70, (160, 90, 60), -1)
    image = FundusImage.from_array(pixels)

    class Never(Lopsided):
        def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
            pytest.fail("it was computed")

    found = region_map(image, Never(), Rect(0, 0, 12, 12), calibration=CALIBRATION)
    assert found.expected_error.shape == (12, 12)
    assert not found.expected_error.any()
    assert np.isnan(found.mean)
    with pytest.raises(UserError, match="x16"):
        region_map(image, Never(scale=16), Rect(0, 0, 12, 12), calibration=CALIBRATION)


def test_a_tile_of_a_shipped_network_is_the_crop_of_the_whole(
    photograph: NDArray[np.uint8],
) -> None:
    image = FundusImage.from_array(np.tile(photograph, (4, 3, 1)))
    enhancer = make_enhancer(
        EnhanceSettings("saliency-gan", 2, model="saliency-gan-fast", device="cpu", blur=0.3)
    )
    region = Rect(70, 80, 24, 16)
    part = region_map(image, enhancer, region)
    whole = uncertainty_map(
        enhancer, image.unit_rgb(), image.field_of_view.mask, region=Rect(40, 48, 90, 80)
    )
    np.testing.assert_allclose(part.expected_error, whole.expected_error[32:48, 30:54], atol=1e-3)


@pytest.mark.parametrize("whole_only", [False, True])
def test_tiles_do_not_show(
    unit: FloatImage, monkeypatch: pytest.MonkeyPatch, whole_only: bool
) -> None:
    enhancer = Lopsided(whole_image_only=whole_only)
    whole = uncertainty_map(enhancer, unit, EVERYWHERE, calibration=CALIBRATION)
    monkeypatch.setattr(consistency, "_RESULT_SIDE", 22)
    monkeypatch.setattr(consistency, "_LEAST_SIDE", 11)
    tiled = uncertainty_map(enhancer, unit, EVERYWHERE, calibration=CALIBRATION)
    np.testing.assert_allclose(tiled.expected_error, whole.expected_error, atol=2e-2)


def test_a_difference_of_the_weight_sets_raises_the_error(unit: FloatImage) -> None:
    alone = uncertainty_map(Lopsided(), unit, EVERYWHERE, calibration=CALIBRATION)
    both = uncertainty_map(Lopsided(), unit, EVERYWHERE, other=bicubic(2), calibration=CALIBRATION)
    assert (both.expected_error >= alone.expected_error - 1e-4).all()
    assert both.mean > alone.mean


def test_progress_rises_and_cancels(unit: FloatImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consistency, "_RESULT_SIDE", 64)
    monkeypatch.setattr(consistency, "_LEAST_SIDE", 32)
    seen: list[float] = []

    def progress(fraction: float, what: str) -> None:
        seen.append(fraction)

    uncertainty_map(Lopsided(), unit, EVERYWHERE, calibration=CALIBRATION, progress=progress)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) == 4 * 8 + 1

    def cancelling(fraction: float, what: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        uncertainty_map(Lopsided(), unit, EVERYWHERE, calibration=CALIBRATION, progress=cancelling)


def test_interpolation_has_no_guesses_to_map(unit: FloatImage) -> None:
    with pytest.raises(UserError, match="adds no detail"):
        uncertainty_map(bicubic(2), unit, EVERYWHERE)


def test_a_scale_without_calibration_is_refused_before_any_work(unit: FloatImage) -> None:
    def never(fraction: float, what: str) -> None:
        pytest.fail("it began")

    with pytest.raises(UserError, match="x16"):
        uncertainty_map(
            Lopsided(scale=16), unit, EVERYWHERE, calibration=CALIBRATION, progress=never
        )


def test_only_a_mixture_wants_its_twin() -> None:
    assert not needs_twin(bicubic(2))
    assert not needs_twin(replace(Lopsided(), fidelity=1.0))
    assert needs_twin(replace(Lopsided(), fidelity=0.4))
