"""Back-projection: the result shrunk again is the photograph, and nothing gets worse by it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.degradation import (
    ROUNDING_NOISE,
    Degradation,
    Kernel,
    degrade,
    degrade_with_blur,
    sampling_blur,
    to_8bit,
)
from retina_viewer.imaging.readers import open_image
from retina_viewer.superres.back_projection import (
    BackProjected,
    inverse_taps,
    round_trip_taps,
    unexplained,
)
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.enhancer import FloatImage

SCALES = (2, 4, 8, 16)
KERNELS: tuple[Kernel, ...] = ("gaussian", "area", "bicubic")


@dataclass(frozen=True)
class Drifting:
    """Interpolation that gets the colour wrong, by ``drift`` grey levels, and adds a pattern."""

    scale: int
    degradation: Degradation
    drift: tuple[float, float, float] = (2.0, -1.0, 1.0)
    pattern: float = 1.0
    method: str = "drifting"
    model: str | None = "a-model"
    whole_image_only: bool = False
    fidelity: float | None = 0.5
    back_projection: None = None

    @property
    def margin(self) -> int:
        return 2

    def fitted_to(self, rgb: FloatImage) -> Self:
        return replace(self, degradation=Degradation(0.4, float(rgb.max())))

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        result = bicubic(self.scale).enhance_region(rgb, region)
        place = region.scaled(self.scale)
        rows = np.sin(np.arange(place.y, place.bottom) / self.scale)[:, None, None]
        columns = np.sin(np.arange(place.x, place.right) / (2 * self.scale))[None, :, None]
        error = np.array(self.drift) + self.pattern * rows * columns
        return np.clip(result + error / 255, 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def sharp(sample_path: Callable[[str], Path]) -> FloatImage:
    """512 x 512 pixels of a photograph, vessels and the disc."""
    return open_image(sample_path("chase_14L.jpg")).unit_rgb(Rect(250, 230, 512, 512))


def shrunk(sharp: FloatImage, scale: int, kernel: Kernel) -> FloatImage:
    return to_8bit(degrade(sharp, scale, kernel)).astype(np.float32) / np.float32(255)


def whole(image: FloatImage) -> Rect:
    return Rect(0, 0, image.shape[1], image.shape[0])


def rms(error: NDArray[np.floating]) -> float:
    return 255 * float(np.sqrt(np.mean(np.square(error))))


@settings(max_examples=40)
@given(
    data=st.data(),
    scale=st.sampled_from(SCALES),
    blur=st.floats(0, 0.7),
    noise=st.floats(0.1, 4),
)
def test_a_region_is_the_crop_of_the_whole(
    sharp: FloatImage, data: st.DataObject, scale: int, blur: float, noise: float
) -> None:
    low = sharp[:47, :53]
    height, width = low.shape[:2]
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    region = Rect(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    inner = Drifting(scale, Degradation(blur, noise))
    doubt = data.draw(st.sampled_from([0.0, 0.1]))
    held = BackProjected(inner, doubt=doubt)
    everything = held.enhance_region(low, whole(low))
    part = held.enhance_region(low, region)
    np.testing.assert_allclose(part, everything[region.scaled(scale).slices()], atol=2e-5)
    # And of a crop of the photograph with no more than the margin around the region.
    seen = region.expanded(held.margin).intersected(whole(low))
    inside = Rect(x - seen.x, y - seen.y, region.width, region.height)
    held = replace(
        held, inner=replace(inner, pattern=0)
    )  # whose result does not know where it lies
    again = held.enhance_region(low[seen.slices()], inside)
    np.testing.assert_allclose(again, held.enhance_region(low, region), atol=2e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (2, 2), (5, 1)])
def test_tiny_images_have_a_result(sharp: FloatImage, size: tuple[int, int]) -> None:
    tiny = sharp[: size[0], : size[1]]
    for scale in SCALES:
        held = BackProjected(Drifting(scale, Degradation(0.42, ROUNDING_NOISE)))
        result = held.enhance_region(tiny, whole(tiny))
        assert result.shape == (size[0] * scale, size[1] * scale, 3)
        assert np.isfinite(result).all()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scale", SCALES)
def test_the_result_shrunk_again_is_the_photograph(
    sharp: FloatImage, scale: int, kernel: Kernel
) -> None:
    """Half a grey level, not rounded, where the result was off by two and by a colour cast."""
    low = shrunk(sharp, scale, kernel)
    inner = Drifting(scale, Degradation(sampling_blur(kernel, scale), ROUNDING_NOISE))
    result = BackProjected(inner, doubt=0).enhance_region(low, whole(low))
    before = rms(
        degrade_with_blur(inner.enhance_region(low, whole(low)), scale, inner.degradation.blur)
        - low
    )
    lacking = degrade_with_blur(result, scale, inner.degradation.blur) - low
    assert before > 1.2
    assert rms(lacking) < 0.35
    assert np.abs(lacking.mean(axis=(0, 1))).max() * 255 < 0.15


@pytest.mark.parametrize("noise", [ROUNDING_NOISE, 2.0])
def test_what_noise_explains_is_left_alone(sharp: FloatImage, noise: float) -> None:
    """The truth, shrunk, lacks the noise too: taking that back would write it into the result."""
    lacking = np.random.default_rng(1).normal(0, noise, (120, 120, 3)).astype(np.float32)
    kept = unexplained(lacking, noise)
    assert rms(kept / 255) < 0.25 * noise
    # But not what is much more than noise, nor a cast well below the noise of one pixel.
    np.testing.assert_allclose(unexplained(20 * lacking, noise), 20 * lacking, rtol=0.1, atol=noise)
    assert unexplained(lacking + np.float32(noise), noise).mean() > 0.75 * noise


@pytest.mark.parametrize("kernel", ["bicubic", "area"])
@pytest.mark.parametrize("scale", [2, 4])
def test_doubt_of_the_blur_keeps_a_wrong_one_from_harm(
    sharp: FloatImage, scale: int, kernel: Kernel
) -> None:
    """Shrunk sharply, but taken for blurred: undoing blur that is not there adds halos."""
    low = shrunk(sharp, scale, kernel)
    inner = Drifting(scale, Degradation(0.42, ROUNDING_NOISE), drift=(0, 0, 0), pattern=0)
    errors = [
        rms(BackProjected(inner, doubt=doubt).enhance_region(low, whole(low)) - sharp)
        for doubt in (0.0, 0.1)
    ]
    assert errors[1] < errors[0] - 0.01
    # A colour cast is no matter of blur, and is taken back all the same.
    cast = replace(inner, drift=(2.0, -1.0, 1.0))
    result = BackProjected(cast, doubt=0.1).enhance_region(low, whole(low))
    assert np.abs((degrade_with_blur(result, scale, 0.42) - low)[..., 1].mean()) * 255 < 0.2


def test_less_noise_is_taken_back_than_a_fixed_weight_would(sharp: FloatImage) -> None:
    rng = np.random.default_rng(3)
    clean = degrade(sharp, 4, "gaussian")
    noisy = to_8bit(clean + rng.normal(0, 2 / 255, clean.shape).astype(np.float32))
    low = noisy.astype(np.float32) / np.float32(255)
    blur = sampling_blur("gaussian", 4)

    def error(noise: float) -> float:
        inner = Drifting(4, Degradation(blur, noise), drift=(0, 0, 0), pattern=0)
        return rms(BackProjected(inner).enhance_region(low, whole(low)) - sharp)

    assert error(2.0) < error(0.0) - 0.3


def test_weight_nothing_changes_nothing_and_half_is_half_way(sharp: FloatImage) -> None:
    low = shrunk(sharp[200:], 4, "area")[:40, :40]
    inner = Drifting(4, Degradation(sampling_blur("area", 4), ROUNDING_NOISE))
    plain = inner.enhance_region(low, whole(low))
    full, half, none = (
        BackProjected(inner, weight).enhance_region(low, whole(low)) for weight in (1.0, 0.5, 0.0)
    )
    np.testing.assert_array_equal(none, plain)
    green = [result[..., 1] for result in (half, full, plain)]  # red is cut at white here
    np.testing.assert_allclose(green[0], (green[1] + green[2]) / 2, atol=1e-5)
    assert rms(full - plain) > 1


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("blur", [0.0, 0.15, 0.28, 0.33, 0.42, 0.7])
def test_the_inverse_undoes_enlarging_and_shrinking(scale: int, blur: float) -> None:
    through, inverse = round_trip_taps(scale, blur), inverse_taps(scale, blur)
    assert through.sum() == pytest.approx(1, abs=1e-4)
    assert inverse.sum() == pytest.approx(1, abs=1e-5)
    frequency = np.pi * np.linspace(0, 0.5, 9)[:, None]  # to half the finest detail

    def gain(taps: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(
            (np.cos(frequency * (np.arange(taps.size) - taps.size // 2)) * taps).sum(1)
        )

    np.testing.assert_allclose(gain(through) * gain(inverse), 1, atol=0.08)


def test_it_is_the_inner_enhancer_in_all_else(sharp: FloatImage) -> None:
    inner = Drifting(4, Degradation(0.42, 0.3))
    held = BackProjected(inner)
    assert (held.method, held.model, held.scale) == ("drifting", "a-model", 4)
    assert (held.fidelity, held.back_projection, held.degradation) == (0.5, 1.0, inner.degradation)
    assert held.margin > inner.margin
    assert held.fitted_to(sharp).degradation == inner.fitted_to(sharp).degradation
