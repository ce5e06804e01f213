"""What the results of an enlarger say about each other, on enlargers whose faults are known."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.core.errors import Cancelled
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.degradation import STANDARD, degrade_with_blur
from retina_viewer.superres.back_projection import BackProjected
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.superres.uncertainty import (
    turned,
    turned_back,
    turned_region,
    uncertainty_features,
)
from tests.superres.lopsided import Lopsided

WHOLE = Rect(0, 0, 64, 48)


@pytest.fixture(scope="module")
def unit(photograph: NDArray[np.uint8]) -> FloatImage:
    return photograph.astype(np.float32) / np.float32(255)


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
