"""Self super-resolution: better than bicubic, the same each time, cut from one result."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.superres import self_superresolution
from retina_viewer.superres.enhancer import FloatImage
from retina_viewer.superres.self_superresolution import accumulated, ssr
from tests.superres.truths import Truths, gain_over_sharp_bicubic


def unit(photograph: NDArray[np.uint8]) -> FloatImage:
    return photograph[:36, :44].astype(np.float32) / np.float32(255)


@pytest.mark.slow
def test_it_is_better_than_bicubic_on_blurred_photographs(truths: Truths) -> None:
    for truth in truths:
        assert gain_over_sharp_bicubic(ssr(2), truth) > 0.5


@pytest.mark.slow
def test_it_is_better_by_four_on_a_sharp_photograph(truths: Truths) -> None:
    """Of the other, 32 x 40 pixels are left, too few to learn from: no better, no worse."""
    other, sharp = truths
    assert gain_over_sharp_bicubic(ssr(4), sharp) > 0.5
    assert gain_over_sharp_bicubic(ssr(4), other) > -0.1


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.slow
def test_regions_are_cut_from_the_whole_and_learned_once(
    photograph: NDArray[np.uint8], scale: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = unit(photograph)
    enhancer = ssr(scale)
    assert enhancer.whole_image_only
    assert (enhancer.method, enhancer.model, enhancer.scale) == ("ssr", None, scale)
    whole = enhancer.enhance_region(rgb, Rect(0, 0, 44, 36))
    fitted = enhancer.fitted_to(rgb)
    monkeypatch.setattr(self_superresolution, "doubled", None)  # nothing is learned again
    region = Rect(9, 5, 20, 31)
    part = fitted.enhance_region(rgb, region)
    np.testing.assert_allclose(part, whole[region.scaled(scale).slices()], atol=2e-5)


def test_what_was_learned_of_another_photograph_is_not_used(
    photograph: NDArray[np.uint8],
) -> None:
    rgb = unit(photograph)
    other = np.ascontiguousarray(rgb[:, ::-1])
    region = Rect(0, 0, 44, 36)
    fitted = ssr(2).fitted_to(rgb)
    np.testing.assert_array_equal(
        fitted.enhance_region(other, region), ssr(2).enhance_region(other, region)
    )


def test_levels_beyond_the_largest_are_interpolated(
    photograph: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = unit(photograph)
    monkeypatch.setattr(self_superresolution, "LARGEST_LEVEL", rgb.shape[0] * rgb.shape[1])
    calls: list[tuple[int, ...]] = []
    real = self_superresolution.doubled

    def counted(level: NDArray[np.float32], blur: float) -> NDArray[np.float32]:
        calls.append(level.shape)
        return real(level, blur)

    monkeypatch.setattr(self_superresolution, "doubled", counted)
    fitted = ssr(8).fitted_to(rgb)
    whole = fitted.enhance_region(rgb, Rect(0, 0, 44, 36))
    assert calls == [(36, 44)]
    part = Rect(3, 30, 7, 6)
    made = fitted.enhance_region(rgb, part)
    np.testing.assert_allclose(made, whole[part.scaled(8).slices()], atol=2e-5)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 5), (17, 3)])
def test_tiny_and_flat_images_work(width: int, height: int) -> None:
    flat = np.full((height, width, 3), 0.4, np.float32)
    made = ssr(2).enhance_region(flat, Rect(0, 0, width, height))
    np.testing.assert_allclose(made, 0.4, atol=1e-4)


def plane_of(photograph: NDArray[np.uint8]) -> NDArray[np.float32]:
    return photograph[..., 1].astype(np.float32) / np.float32(255)


def test_one_image_stays_itself(photograph: NDArray[np.uint8]) -> None:
    for cut in (0, 1):  # even and odd sizes
        plane = plane_of(photograph)[: 48 - cut, : 64 - cut]
        np.testing.assert_allclose(accumulated([plane]), plane, atol=1e-6)
        np.testing.assert_allclose(accumulated([plane] * 3), plane, atol=1e-6)


def test_each_frequency_comes_from_where_it_is_strongest() -> None:
    """One image keeps what changes along its rows, the other what changes along its columns."""
    phase = np.arange(128) * 2 * np.pi / 8
    along, across = np.sin(phase)[None, :], np.sin(phase)[:, None]
    images = [along + 0.3 * across, 0.3 * along + across]
    made = accumulated([image.astype(np.float32) for image in images])
    np.testing.assert_allclose(made, along + across, atol=0.02)


def test_flat_images_stay_flat() -> None:
    flat = np.full((40, 50), 0.4, np.float32)
    np.testing.assert_allclose(accumulated([flat, flat]), flat, atol=1e-6)
    np.testing.assert_array_equal(accumulated([np.zeros((40, 50), np.float32)]), 0)


def test_a_burst_needs_an_image() -> None:
    with pytest.raises(ValueError, match="burst"):
        accumulated([])
