"""The map: the crop of the whole wherever it begins, zero outside the field, cancellable."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.degradation import STANDARD, degrade_with_blur
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import AMBER, uncertainty_legend
from retina_viewer.imaging.readers import open_image
from retina_viewer.superres import uncertainty
from retina_viewer.superres.back_projection import BackProjected
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.superres.export import file_names
from retina_viewer.superres.methods import make_enhancer
from retina_viewer.superres.uncertainty import (
    LEVELS_TO_16_BIT,
    RIM,
    THRESHOLD,
    UncertaintyMap,
    export_uncertainty,
    heat_map,
    inner_field,
    needs_twin,
    turned,
    turned_back,
    turned_region,
    uncertainty_features,
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


def pictured(unit: FloatImage, mask: NDArray[np.bool_] | None = None) -> FundusImage:
    """A photograph of these pixels, whose field of view is the mask, or all of it."""
    image = FundusImage.from_array(np.rint(unit * 255).astype(np.uint8))
    mask = np.ones(unit.shape[:2], bool) if mask is None else mask
    image.__dict__["field_of_view"] = FieldOfView(mask, 0.0, 0.0, 64.0)
    return image


@pytest.fixture(scope="module")
def unit(photograph: NDArray[np.uint8]) -> FloatImage:
    return photograph.astype(np.float32) / np.float32(255)


def test_expected_errors_are_larger_where_the_enlarger_is_at_fault(unit: FloatImage) -> None:
    found = uncertainty_map(pictured(unit), Lopsided(), calibration=CALIBRATION)
    sound = uncertainty_map(pictured(unit), Lopsided(fault=0.0), calibration=CALIBRATION)
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
    found = uncertainty_map(pictured(unit, mask), Lopsided(fault=1.0), calibration=CALIBRATION)
    assert not found.expected_error[~mask].any()
    inner = inner_field(mask)
    assert inner.sum() == (30 - 2 * RIM) ** 2
    assert found.mean == pytest.approx(found.expected_error[inner].mean(), rel=1e-5)
    assert found.uncertain == np.mean(found.expected_error[inner] > THRESHOLD)
    assert 0 < found.uncertain < 1
    dark = pictured(unit, np.zeros_like(mask))
    nowhere = uncertainty_map(dark, Lopsided(), Rect(0, 0, 4, 4), calibration=CALIBRATION)
    assert np.isnan(nowhere.mean)
    assert np.isnan(nowhere.uncertain)


@settings(max_examples=15)
@given(data=st.data(), scale=st.sampled_from([2, 4, 8]))
def test_the_map_of_a_region_is_the_crop_of_the_whole(
    unit: FloatImage, data: st.DataObject, scale: int
) -> None:
    image = pictured(unit[:20, :24])
    x, y = data.draw(st.integers(0, 23)), data.draw(st.integers(0, 19))
    region = Rect(x, y, data.draw(st.integers(1, 24 - x)), data.draw(st.integers(1, 20 - y)))
    enhancer, other = Lopsided(scale=scale), bicubic(scale)
    whole = uncertainty_map(image, enhancer, other=other, calibration=CALIBRATION)
    part = uncertainty_map(image, enhancer, region, other=other, calibration=CALIBRATION)
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
    part = uncertainty_map(image, enhancer, region, other=other, calibration=CALIBRATION)
    read = max((height * width for height, width, _ in seen), default=0)
    whole = uncertainty_map(image, enhancer, other=other, calibration=CALIBRATION)
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

    found = uncertainty_map(image, Never(), Rect(0, 0, 12, 12), calibration=CALIBRATION)
    assert found.expected_error.shape == (12, 12)
    assert not found.expected_error.any()
    assert np.isnan(found.mean)
    with pytest.raises(UserError, match="x16"):
        uncertainty_map(image, Never(scale=16), Rect(0, 0, 12, 12), calibration=CALIBRATION)


def test_a_tile_of_a_shipped_network_is_the_crop_of_the_whole(
    photograph: NDArray[np.uint8],
) -> None:
    image = FundusImage.from_array(np.tile(photograph, (4, 3, 1)))
    enhancer = make_enhancer(
        EnhanceSettings("saliency-gan", 2, model="saliency-gan-fast", device="cpu", blur=0.3)
    )
    region = Rect(70, 80, 24, 16)
    part = uncertainty_map(image, enhancer, region)
    whole = uncertainty_map(image, enhancer, Rect(40, 48, 90, 80))
    np.testing.assert_allclose(part.expected_error, whole.expected_error[32:48, 30:54], atol=1e-3)


@pytest.mark.parametrize("whole_only", [False, True])
def test_tiles_do_not_show(
    unit: FloatImage, monkeypatch: pytest.MonkeyPatch, whole_only: bool
) -> None:
    enhancer = Lopsided(whole_image_only=whole_only)
    whole = uncertainty_map(pictured(unit), enhancer, calibration=CALIBRATION)
    monkeypatch.setattr(uncertainty, "_RESULT_SIDE", 22)
    monkeypatch.setattr(uncertainty, "_LEAST_SIDE", 11)
    tiled = uncertainty_map(pictured(unit), enhancer, calibration=CALIBRATION)
    np.testing.assert_allclose(tiled.expected_error, whole.expected_error, atol=2e-2)


def test_a_difference_of_the_weight_sets_raises_the_error(unit: FloatImage) -> None:
    alone = uncertainty_map(pictured(unit), Lopsided(), calibration=CALIBRATION)
    both = uncertainty_map(pictured(unit), Lopsided(), other=bicubic(2), calibration=CALIBRATION)
    assert (both.expected_error >= alone.expected_error - 1e-4).all()
    assert both.mean > alone.mean


def test_progress_rises_and_cancels(unit: FloatImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncertainty, "_RESULT_SIDE", 64)
    monkeypatch.setattr(uncertainty, "_LEAST_SIDE", 32)
    seen: list[float] = []

    def progress(fraction: float, what: str) -> None:
        seen.append(fraction)

    uncertainty_map(pictured(unit), Lopsided(), calibration=CALIBRATION, progress=progress)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) == 4 * 8 + 1

    def cancelling(fraction: float, what: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        uncertainty_map(pictured(unit), Lopsided(), calibration=CALIBRATION, progress=cancelling)


def test_interpolation_has_no_uncertainty_to_map(unit: FloatImage) -> None:
    with pytest.raises(UserError, match="adds no detail"):
        uncertainty_map(pictured(unit), bicubic(2))


def test_a_scale_without_calibration_is_refused_before_any_work(unit: FloatImage) -> None:
    def never(fraction: float, what: str) -> None:
        pytest.fail("it began")

    with pytest.raises(UserError, match="x16"):
        uncertainty_map(pictured(unit), Lopsided(scale=16), calibration=CALIBRATION, progress=never)


def test_only_a_mixture_wants_its_twin() -> None:
    assert not needs_twin(bicubic(2))
    assert not needs_twin(replace(Lopsided(), fidelity=1.0))
    assert needs_twin(replace(Lopsided(), fidelity=0.4))


@pytest.fixture(scope="module")
def eye(samples: Path) -> FundusImage:
    with Image.open(samples / "chase_14L.jpg") as image:
        pixels = np.asarray(image.convert("RGB").resize((160, 150), Image.Resampling.BOX))
    return FundusImage.from_array(pixels, "Auge links é.png")


def a_map(eye: FundusImage, top: float = 9.0) -> UncertaintyMap:
    """Rises from left to right inside the field of view."""
    ramp = np.linspace(0, top, eye.width, dtype=np.float32)[None].repeat(eye.height, axis=0)
    mask = eye.field_of_view.mask
    values = np.where(mask, ramp, np.float32(0))
    inside = values[mask]
    mean, uncertain = float(inside.mean()), float(np.mean(inside > 2))
    return UncertaintyMap(values, eye.bounds, 4, mean, uncertain)


def test_the_numbers_can_be_read_back(eye: FundusImage, tmp_path: Path) -> None:
    found = a_map(eye)
    names = file_names("uncertainty", eye, bicubic(4))
    assert names == [
        "Auge links é_consistency_x4_bicubic.png",
        "Auge links é_consistency_x4_bicubic_overlay.png",
    ]
    paths = [tmp_path / name for name in names]
    provenance = export_uncertainty(eye, bicubic(4), found, paths[0], paths[1])
    with Image.open(paths[0]) as image:
        values = np.asarray(image).astype(np.float64) / LEVELS_TO_16_BIT
    np.testing.assert_allclose(values, found.expected_error, atol=0.5 / LEVELS_TO_16_BIT + 1e-6)
    sidecar = json.loads(Path(f"{paths[0]}.json").read_text(encoding="utf-8"))
    assert sidecar["kind"] == "consistency"
    assert sidecar["scale"] == 4
    assert sidecar["mean_expected_error"] == pytest.approx(found.mean, abs=1e-3)
    assert sidecar["guessed_share"] == pytest.approx(found.uncertain, abs=1e-4)
    assert (sidecar["window"], sidecar["threshold"]) == (12, 2.0)
    assert sidecar["source_name"] == eye.name
    assert "verify on the original" in sidecar["statement"]
    assert provenance.levels_to_value == 256
    drawn = open_image(paths[1])
    assert (drawn.width, drawn.height) == (eye.width, eye.height)


def test_values_beyond_16_bits_are_clipped_not_wrapped(eye: FundusImage, tmp_path: Path) -> None:
    export_uncertainty(eye, bicubic(4), a_map(eye, 300), tmp_path / "a.png", tmp_path / "b.png")
    with Image.open(tmp_path / "a.png") as image:
        assert np.asarray(image).max() == 65535


def test_a_taken_name_is_left_alone(eye: FundusImage, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(UserError, match="exists already"):
        export_uncertainty(eye, bicubic(4), a_map(eye), tmp_path / "a.png", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == b"mine"
    assert not (tmp_path / "b.png").exists()


def test_a_map_of_a_part_is_no_file_of_the_whole(eye: FundusImage, tmp_path: Path) -> None:
    part = UncertaintyMap(np.zeros((4, 4), np.float32), Rect(0, 0, 4, 4), 4, 0.0, 0.0)
    with pytest.raises(ValueError, match="cover"):
        export_uncertainty(eye, bicubic(4), part, tmp_path / "a.png", tmp_path / "b.png")


def test_the_heat_map_covers_what_is_a_guess_and_nothing_else() -> None:
    grey = np.full((400, 400, 3), 120, np.uint8)
    y, x = np.mgrid[:400, :400]
    grey[np.hypot(y - 200, x - 200) > 190] = 0
    eye = FundusImage.from_array(grey, "eye.png")
    picture = heat_map(eye, a_map(eye)).astype(int)
    change = np.abs(picture - eye.display_rgb).max(axis=2)
    levels = a_map(eye).expected_error[200]
    inside = eye.field_of_view.mask[200]
    assert (change[200][inside & (levels > 1.5)] >= 10).all()
    assert (change[200][inside & (levels < 1.4)] == 0).all()
    uncertain = picture[200][inside & (levels > 2.1)]
    assert (uncertain[:, 2] > uncertain[:, 0]).all()  # blue


def test_the_legend_and_what_made_it_lie_outside_the_field(eye: FundusImage) -> None:
    large = FundusImage.from_array(eye.display_rgb.repeat(6, axis=0).repeat(6, axis=1), "eye.png")
    nothing = UncertaintyMap(
        np.zeros((large.height, large.width), np.float32), large.bounds, 4, 0.7, 0.0
    )
    picture = heat_map(large, nothing)
    mask = large.field_of_view.mask
    np.testing.assert_array_equal(picture[mask], large.display_rgb[mask])
    written = (picture != large.display_rgb).any(axis=2)
    ramp = np.array(uncertainty_legend().ramp)
    found = {tuple(colour) for colour in picture[written].tolist()}
    assert len(found & {tuple(colour) for colour in ramp.tolist()}) > 50
    assert AMBER in found


def test_a_photograph_without_field_of_view_is_said_to_have_none(tmp_path: Path) -> None:
    black = FundusImage.from_array(np.zeros((40, 40), np.uint8), "black.png")
    nothing = UncertaintyMap(
        np.zeros((40, 40), np.float32), black.bounds, 2, float("nan"), float("nan")
    )
    export_uncertainty(black, bicubic(2), nothing, tmp_path / "a.png", tmp_path / "b.png")
    sidecar = json.loads((tmp_path / "a.png.json").read_text(encoding="utf-8"))
    assert "mean_expected_error" not in sidecar
    assert "guessed_share" not in sidecar


WHOLE = Rect(0, 0, 64, 48)


@given(
    number=st.integers(0, 7),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    data=st.data(),
)
def test_a_region_is_found_again_in_the_turned_image(
    number: int, size: tuple[int, int], data: st.DataObject
) -> None:
    height, width = size
    image = np.arange(height * width, dtype=np.float32).reshape(height, width)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    region = Rect(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    place = turned_region(region, width, height, number)
    part = turned(image, number)[place.slices()]
    np.testing.assert_array_equal(turned_back(part, number), image[region.slices()])


def test_the_eight_turns_are_all_different() -> None:
    image = np.arange(9, dtype=np.float32).reshape(3, 3)
    assert len({turned(image, number).tobytes() for number in range(8)}) == 8


def test_interpolation_agrees_with_itself_and_adds_nothing(unit: FloatImage) -> None:
    features = uncertainty_features(bicubic(4), unit, WHOLE)
    assert features["disagreement"].max() < 1e-3
    assert features["added"].max() < 1e-3
    assert features["contrast"].mean() > 0.1
    assert "difference" not in features


def test_what_depends_on_orientation_shows_as_disagreement(unit: FloatImage) -> None:
    small = uncertainty_features(Lopsided(fault=0.2), unit, WHOLE)
    large = uncertainty_features(Lopsided(fault=0.4), unit, WHOLE)
    assert small["disagreement"].mean() > 0.02
    assert np.isclose(large["disagreement"].mean(), 2 * small["disagreement"].mean(), rtol=0.1)
    rising = np.diff(unit.mean(axis=2), axis=1) > 0.02  # the fault is where it grows brighter
    assert small["disagreement"][:, :-1][rising].mean() > 2 * np.median(small["disagreement"])


def test_a_result_that_the_photograph_came_from_leaves_no_residual(unit: FloatImage) -> None:
    small = degrade_with_blur(unit, 2, STANDARD.blur)

    @dataclass(frozen=True)
    class Knowing(Lopsided):
        """Knows the truth; asked for a turned photograph it answers with bicubic."""

        shift: float = 0.0

        def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
            if rgb is not small:
                return bicubic(2).enhance_region(rgb, region)
            return unit[region.scaled(2).slices()] + np.float32(self.shift)

    whole = Rect(0, 0, 32, 24)
    assert uncertainty_features(Knowing(), small, whole)["residual"].max() < 1e-3
    brighter = uncertainty_features(Knowing(shift=2 / 255), small, whole)
    np.testing.assert_allclose(brighter["residual"], 2.0, atol=1e-3)
    assert uncertainty_features(bicubic(2), small, whole)["residual"].mean() > 0.1


def test_two_sets_of_weights_differ_where_they_say_different_things(unit: FloatImage) -> None:
    features = uncertainty_features(Lopsided(), unit, WHOLE, other=bicubic(2))
    np.testing.assert_allclose(features["difference"], features["added"], atol=1e-4)
    same = uncertainty_features(Lopsided(), unit, WHOLE, other=Lopsided())
    assert same["difference"].max() == 0


def test_back_projection_hides_no_feature(unit: FloatImage) -> None:
    bare = uncertainty_features(Lopsided(fault=1.0), unit, WHOLE, other=bicubic(2))
    held = uncertainty_features(
        BackProjected(Lopsided(fault=1.0)), unit, WHOLE, other=BackProjected(bicubic(2))
    )
    for name, plane in bare.items():
        np.testing.assert_allclose(held[name], plane, atol=1e-4)


@settings(max_examples=25)
@given(data=st.data(), scale=st.sampled_from([2, 4, 8]))
def test_the_features_of_a_region_is_the_crop_of_the_whole(
    unit: FloatImage, data: st.DataObject, scale: int
) -> None:
    image = unit[:20, :24]
    enhancer: Enhancer = Lopsided(scale=scale)
    x, y = data.draw(st.integers(0, 23)), data.draw(st.integers(0, 19))
    region = Rect(x, y, data.draw(st.integers(1, 24 - x)), data.draw(st.integers(1, 20 - y)))
    whole = uncertainty_features(enhancer, image, Rect(0, 0, 24, 20), other=bicubic(scale))
    part = uncertainty_features(enhancer, image, region, other=bicubic(scale))
    for name, plane in whole.items():
        np.testing.assert_allclose(part[name], plane[region.slices()], atol=2e-3)


def test_every_enlargement_can_be_cancelled(unit: FloatImage) -> None:
    for last in range(9):
        calls = 0

        def progress(fraction: float, what: str, last: int = last) -> None:
            nonlocal calls
            assert fraction == pytest.approx(calls / 9)
            if calls == last:
                raise Cancelled
            calls += 1

        with pytest.raises(Cancelled):
            uncertainty_features(Lopsided(), unit, WHOLE, other=bicubic(2), progress=progress)
