"""Patches and their degradation: sizes, places, determinism."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retina_viewer.training.cache import PhotographCache, open_cache
from retina_viewer.training.patches import (
    PatchSource,
    jpeg_round_trip,
    random_low_resolution,
    with_gains,
    with_grain,
)
from retina_viewer.training.recipe import ColourGain, DegradationRange, Grain
from studies.data_folders import find_photographs


@pytest.fixture(scope="module")
def cache(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PhotographCache:
    folder = tmp_path_factory.mktemp("cache")
    return open_cache(find_photographs(data_folder), folder, diameter=300, with_vessels=False)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), scale=st.sampled_from([2, 4, 8]))
def test_a_patch_and_its_low_resolution_fit(cache: PhotographCache, seed: int, scale: int) -> None:
    rng = np.random.default_rng(seed)
    sharp = PatchSource(cache, (200, 300)).draw(64, rng)
    low, _ = random_low_resolution(sharp, scale, DegradationRange(), rng)
    assert sharp.shape == (64, 64, 3)
    assert low.shape == (64 // scale, 64 // scale, 3)
    assert sharp.dtype == low.dtype == np.float32
    assert 0 <= low.min() <= low.max() <= 1
    # The grid of eight bits, and the same place: means agree but for noise and the rim.
    np.testing.assert_allclose(low * 255, np.round(low * 255), atol=1e-3)
    assert abs(float(low.mean() - sharp.mean())) < 0.05


def test_patches_lie_mostly_inside_the_field(cache: PhotographCache) -> None:
    rng = np.random.default_rng(0)
    source = PatchSource(cache, (280, 280))
    bright = [float((source.draw(48, rng).max(axis=2) > 0.1).mean()) for _ in range(60)]
    assert np.mean(np.array(bright) > 0.5) > 0.95


def test_the_same_seed_draws_the_same(cache: PhotographCache) -> None:
    source = PatchSource(cache, (200, 300))
    first = source.draw(32, np.random.default_rng(4))
    np.testing.assert_array_equal(first, source.draw(32, np.random.default_rng(4)))
    assert not np.array_equal(first, source.draw(32, np.random.default_rng(5)))


def test_noise_and_jpeg_happen_only_when_asked(cache: PhotographCache) -> None:
    sharp = PatchSource(cache, (280, 280)).draw(64, np.random.default_rng(0))
    clean = DegradationRange(
        sigma=(0.4, 0.4), gaussian=1, bicubic=0, area=0, noise_probability=0, jpeg_probability=0
    )
    lows = [random_low_resolution(sharp, 4, clean, np.random.default_rng(k))[0] for k in range(3)]
    np.testing.assert_array_equal(lows[0], lows[1])
    noisy = clean.model_copy(update={"noise_probability": 1.0, "noise_levels": (4.0, 4.0)})
    difference = random_low_resolution(sharp, 4, noisy, np.random.default_rng(0))[0] - lows[0]
    assert 2 < float(difference.std()) * 255 < 6


def test_jpeg_changes_little_at_high_quality(cache: PhotographCache) -> None:
    sharp = PatchSource(cache, (280, 280)).draw(64, np.random.default_rng(0))
    rgb8 = np.round(sharp * 255).astype(np.uint8)
    errors = [float(np.abs(jpeg_round_trip(rgb8, q).astype(float) - rgb8).mean()) for q in (98, 50)]
    assert errors[0] < errors[1]
    assert errors[0] < 3


def test_grain_is_noise_of_the_asked_strength(cache: PhotographCache) -> None:
    rng = np.random.default_rng(0)
    sharp = PatchSource(cache, (280, 280)).draw(64, rng)
    always = Grain(probability=1.0, levels=(3.0, 3.0))
    noise = (with_grain(sharp, always, rng) - sharp)[sharp.min(axis=2) > 0.1]
    assert float(noise.std()) * 255 == pytest.approx(3.0, rel=0.15)
    assert abs(float(noise.mean())) * 255 < 0.5
    np.testing.assert_array_equal(with_grain(sharp, Grain(probability=0.0), rng), sharp)


def test_gains_change_colours_within_their_range() -> None:
    grey = np.full((8, 8, 3), 0.5, np.float32)
    assert with_gains(grey, ColourGain(), np.random.default_rng(0)) is grey
    changed = with_gains(grey, ColourGain(gain=0.1), np.random.default_rng(0))
    assert changed.dtype == np.float32
    assert np.ptp(changed[..., 0]) == 0
    assert len(np.unique(changed)) == 3
    assert 0.45 <= changed.min() < changed.max() <= 0.55
