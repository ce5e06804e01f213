from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.networks.devices import available_devices
from retina_viewer.saliency.local import (
    Features,
    LocalSaliency,
    curvature,
    hard_entropy,
    saliency_map,
    smooth_absolute,
    soft_entropy,
    uniqueness,
    uniqueness_maps,
)

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def test_vessels_are_salient_and_the_map_fits_its_contract(photograph: Rgb, mask: Mask) -> None:
    result = saliency_map(photograph, mask)
    assert result.shape == mask.shape
    assert result.dtype == np.float32
    assert result.min() >= 0.0 and 0.5 < result.max() <= 1.0
    assert not result[~mask].any()
    assert (result[mask] > 0).mean() > 0.9


def _sample(samples: Path, name: str, mode: str) -> NDArray[np.uint8]:
    with Image.open(samples / name) as image:
        return np.asarray(image.convert(mode))


@pytest.mark.parametrize(("features", "least"), [("both", 1.2), ("curvature", 1.05)])
def test_more_salient_near_vessels_than_elsewhere(
    features: Features, least: float, samples: Path
) -> None:
    photograph = _sample(samples, "chase_14L.jpg", "RGB")
    mask = _sample(samples, "chase_14L_fov.png", "L") > 127
    vessels = _sample(samples, "chase_14L_vessels.png", "L")
    near = cv2.dilate(vessels, np.ones((7, 7), np.uint8)) > 127
    result = saliency_map(photograph, mask, features=features)
    assert result[near & mask].mean() > least * result[~near & mask].mean()


def _drawing() -> tuple[Rgb, Mask, Mask]:
    """A bright ring and a dark line on grey; where they are, and where all is flat."""
    image = np.full((120, 160), 120, np.uint8)
    cv2.circle(image, (50, 60), 20, 200, 3, cv2.LINE_AA)
    cv2.line(image, (100, 15), (145, 100), 60, 3, cv2.LINE_AA)
    drawn = image != 120
    flat = cv2.dilate(drawn.astype(np.uint8), np.ones((17, 17), np.uint8)) == 0
    return np.repeat(image[..., None], 3, axis=2), drawn, flat


def test_a_ring_and_a_line_are_salient_and_flat_areas_are_not() -> None:
    rgb, drawn, flat = _drawing()
    result = saliency_map(rgb)
    assert result[drawn].mean() > 0.1
    assert result[flat].max() < 1e-3


def test_a_ring_stands_out_of_sensor_noise() -> None:
    rgb, drawn, flat = _drawing()
    noise = np.random.default_rng(0).normal(0.0, 2.0, rgb.shape[:2])[..., None]
    noisy = np.clip(rgb + noise, 0, 255).astype(np.uint8)
    result = saliency_map(noisy)
    assert result[drawn].mean() > 1.2 * result[flat].mean()


@given(turns=st.integers(0, 3), flip=st.booleans(), top=st.integers(0, 300))
@settings(max_examples=10, deadline=None)
def test_a_turned_photograph_has_the_turned_map(turns: int, flip: bool, top: int) -> None:
    crop = _photograph()[top : top + 90, 200:310]

    def turned(array: NDArray[Any]) -> NDArray[Any]:
        rotated = np.rot90(array, turns)
        return rotated[:, ::-1] if flip else rotated

    expected = turned(saliency_map(crop))
    result = saliency_map(np.ascontiguousarray(turned(crop)))
    np.testing.assert_allclose(result, expected, atol=2e-4)


_loaded: list[Rgb] = []


@pytest.fixture(scope="module", autouse=True)
def _remember(photograph: Rgb) -> None:
    """hypothesis wants no fixtures of function scope; a module's photograph is constant."""
    _loaded[:] = [photograph]


def _photograph() -> Rgb:
    return _loaded[0]


def test_what_lies_outside_the_mask_does_not_matter(photograph: Rgb, mask: Mask) -> None:
    changed = photograph.copy()
    noise = np.random.default_rng(0).integers(0, 256, changed.shape, dtype=np.uint8)
    changed[~mask] = noise[~mask]
    np.testing.assert_array_equal(saliency_map(changed, mask), saliency_map(photograph, mask))


def test_the_rim_of_the_field_of_view_is_not_what_is_most_salient(
    photograph: Rgb, mask: Mask
) -> None:
    core = cv2.erode(mask.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
    result = saliency_map(photograph, core)
    rim = core & ~(cv2.erode(core.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
    assert result[rim].mean() < 1.1 * result[core & ~rim].mean()
    naive = saliency_map(np.where(core[..., None], photograph, 0).astype(np.uint8))
    assert naive[rim].mean() > 1.5 * naive[core & ~rim].mean()


def test_strips_leave_no_seam(photograph: Rgb) -> None:
    grey = photograph[..., 1].astype(np.float32) / 255.0
    low, high = np.percentile(grey, [1, 99])
    stretched = torch.from_numpy(np.clip((grey - low) / (high - low), 0, 1))[None, None]
    whole = LocalSaliency(exact=True)(stretched)[0, 0].numpy()
    result = saliency_map(np.repeat(grey[..., None], 3, axis=2))
    np.testing.assert_allclose(result, whole, atol=2e-3)
    # A bin's edge may fall between two roundings of one value: rare, and never along a seam.
    assert (np.abs(result - whole) > 1e-4).mean() < 1e-3


def test_float_and_integer_photographs_give_one_map(photograph: Rgb, mask: Mask) -> None:
    eight = saliency_map(photograph, mask)
    unit = saliency_map(photograph.astype(np.float32) / np.float32(255), mask)
    sixteen = saliency_map(photograph.astype(np.uint16) * 257, mask)
    for other in (unit, sixteen):
        assert (np.abs(other - eight) > 1e-3).mean() < 2e-3
        assert np.corrcoef(other[mask], eight[mask])[0, 1] > 0.9999


@pytest.mark.parametrize("value", [0, 130, 255])
def test_a_constant_photograph_has_an_empty_map(value: int) -> None:
    result = saliency_map(np.full((40, 50, 3), value, np.uint8))
    assert not result.any()


@pytest.mark.parametrize("exact", [True, False])
def test_a_constant_tensor_has_an_empty_map_and_a_finite_gradient(exact: bool) -> None:
    constant = torch.full((2, 1, 20, 24), 0.37, requires_grad=True)
    result = LocalSaliency(exact=exact)(constant)
    assert result.abs().max() < 1e-5
    result.sum().backward()
    assert constant.grad is not None and torch.isfinite(constant.grad).all()


def test_both_forms_agree_on_a_real_photograph(crop: Tensor) -> None:
    exact = LocalSaliency(exact=True)(crop).numpy().ravel()
    smooth = LocalSaliency()(crop).numpy().ravel()
    assert np.corrcoef(exact, smooth)[0, 1] >= 0.95
    assert abs(exact.mean() - smooth.mean()) < 0.25 * exact.mean()


@pytest.mark.slow
def test_the_gradient_is_the_derivative(crop: Tensor) -> None:
    part = crop[..., 60:70, 60:71].clone().requires_grad_(True)
    assert torch.autograd.gradcheck(LocalSaliency(), (part,), eps=1e-7, atol=1e-4)


@pytest.mark.parametrize("features", ["both", "curvature", "entropy"])
def test_every_feature_alone_has_a_useful_gradient(features: Features, crop: Tensor) -> None:
    luminance = crop.float().clone().requires_grad_(True)
    LocalSaliency(features=features)(luminance).mean().backward()
    assert luminance.grad is not None
    assert torch.isfinite(luminance.grad).all()
    assert (luminance.grad != 0).float().mean() > 0.5


def test_equation_3_weighs_the_features(crop: Tensor) -> None:
    curved = LocalSaliency(features="curvature")(crop)
    compact = LocalSaliency(features="entropy")(crop)
    torch.testing.assert_close(LocalSaliency(w1=0.25)(crop), 0.25 * curved + 0.75 * compact)
    with pytest.raises(ValueError, match="w1"):
        LocalSaliency(w1=1.5)


def test_autocast_does_not_lower_the_precision(crop: Tensor) -> None:
    module, luminance = LocalSaliency(), crop.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = module(luminance)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, module(luminance))


def test_each_image_of_a_batch_is_on_its_own(crop: Tensor) -> None:
    batch = torch.cat([crop[..., :80, :80], 0.5 * crop[..., 80:, 80:160]])
    for exact in (True, False):
        module = LocalSaliency(exact=exact)
        torch.testing.assert_close(module(batch)[1:], module(batch[1:]))


def test_every_device_gives_the_map_of_the_processor(photograph: Rgb, mask: Mask) -> None:
    expected = saliency_map(photograph, mask)
    for device in available_devices():
        result = saliency_map(photograph, mask, device=device.id)
        assert (np.abs(result - expected) > 1e-3).mean() < 1e-3


def test_cancelling_stops_between_strips(photograph: Rgb) -> None:
    seen: list[float] = []

    def cancel(fraction: float, what: str) -> None:
        seen.append(fraction)
        if len(seen) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        saliency_map(photograph, progress=cancel)
    assert len(seen) == 2 and 0.0 < seen[1] < 0.5


def test_progress_rises_to_one(photograph: Rgb) -> None:
    seen: list[float] = []
    saliency_map(photograph, progress=lambda fraction, what: seen.append(fraction))
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) >= 4


def test_what_cannot_be_computed_is_said() -> None:
    with pytest.raises(UserError, match="too small"):
        saliency_map(np.zeros((7, 50, 3), np.uint8))
    with pytest.raises(UserError, match="field of view"):
        saliency_map(np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), bool))
    with pytest.raises(ValueError, match="larger"):
        LocalSaliency()(torch.zeros(1, 1, 7, 20))


def _as_tensor(plane: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane))[None, None]


@given(height=st.integers(7, 14), width=st.integers(7, 14), seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_uniqueness_is_equation_2(height: int, width: int, seed: int) -> None:
    plane = np.random.default_rng(seed).random((height, width))
    expected = np.zeros((height - 6, width - 6))
    for y, x in np.ndindex(*expected.shape):
        for dy in range(-3, 4):
            for dx in range(-3, 4):
                difference = abs(plane[y + 3, x + 3] - plane[y + 3 + dy, x + 3 + dx])
                expected[y, x] += math.exp(-math.hypot(dx, dy)) * difference
    result = uniqueness(_as_tensor(plane), torch.abs)
    np.testing.assert_allclose(result[0, 0].numpy(), expected, rtol=1e-12)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_the_exact_entropy_counts_eight_bins(seed: int) -> None:
    plane = np.random.default_rng(seed).random((9, 12)) * 1.2 - 0.1  # also beyond [0, 1]
    expected = np.zeros((3, 6))
    for y, x in np.ndindex(*expected.shape):
        window = np.clip(plane[y : y + 7, x : x + 7], 0.0, 1.0)
        counts, _ = np.histogram(window, bins=8, range=(0.0, 1.0))
        p = counts[counts > 0] / 49.0
        expected[y, x] = -(p * np.log(p)).sum() / math.log(8.0)
    result = hard_entropy(_as_tensor(plane))
    np.testing.assert_allclose(result[0, 0].numpy(), expected, atol=1e-12)


def test_entropy_is_one_for_equal_bins_and_zero_for_one_bin() -> None:
    # Eight values in turn: 49 pixels spread over the bins as evenly as they can.
    stripes = (np.arange(49).reshape(7, 7) % 8 + 0.5) / 8.0
    spread = _as_tensor(stripes)
    flat = torch.full((1, 1, 7, 7), 0.3, dtype=torch.float64)
    for entropy in (hard_entropy, soft_entropy):
        assert entropy(spread).item() == pytest.approx(0.9995, abs=1e-3)
    assert hard_entropy(flat).item() == pytest.approx(0.0, abs=1e-12)
    # 0.3 lies 0.0125 from its bin's centre: the soft form leaks little into the next bin.
    assert 0.0 <= soft_entropy(flat).item() < 0.01


@pytest.mark.parametrize("radius", [6.0, 10.0, 15.0])
def test_isophotes_of_a_cone_have_the_curvature_of_their_circles(radius: float) -> None:
    y, x = np.mgrid[-24:25, -24:25].astype(np.float64)
    cone = np.hypot(x, y)  # so steep that EPSILON does not matter
    result = curvature(_as_tensor(cone))[0, 0].numpy()
    ring = np.abs(np.hypot(x, y)[4:-4, 4:-4] - radius) < 0.5
    # Smoothing by one pixel makes the cone a little rounder than it is.
    assert np.median(result[ring]) == pytest.approx(1.0 / radius, rel=0.03)


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 2, 2.2])
def test_straight_isophotes_have_no_curvature(angle: float) -> None:
    y, x = np.mgrid[0:30, 0:30].astype(np.float64)
    edge = 1.0 / (1.0 + np.exp(-(x - 15) * math.cos(angle) - (y - 15) * math.sin(angle)))
    assert curvature(_as_tensor(edge)).abs().max() < 2e-3


def test_the_smooth_absolute_is_zero_at_zero_and_close_elsewhere() -> None:
    x = torch.tensor([0.0, 0.5, -2.0], dtype=torch.float64, requires_grad=True)
    smooth_absolute(x).sum().backward()
    np.testing.assert_allclose(smooth_absolute(x).detach().numpy(), [0.0, 0.5, 2.0], atol=1e-3)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [0.0, 1.0, -1.0], atol=1e-5)


@pytest.mark.parametrize("exact", [True, False])
def test_a_feature_without_weight_is_not_computed(exact: bool, crop: Tensor) -> None:
    part = crop[..., :40, :40]
    curved, compact = uniqueness_maps(part, (0.4, 0.6), exact=exact)
    assert curved.shape == compact.shape == (1, 1, 26, 26)
    only_curved, nothing = uniqueness_maps(part, (1.0, 0.0), exact=exact)
    torch.testing.assert_close(only_curved, curved)
    assert not nothing.any()
