"""The blur and noise of a photograph, from the photograph alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import user_models_dir
from retina_viewer.imaging.degradation import STANDARD, Degradation, degrade, sampling_blur, to_8bit
from retina_viewer.imaging.readers import open_image
from retina_viewer.model_store.store import save_weights
from retina_viewer.superres import cascade
from retina_viewer.superres.cascade import WINDOW, WINDOWS, estimate_degradation
from retina_viewer.superres.enhancer import FloatImage


@pytest.fixture(scope="module")
def photograph(sample_path: Callable[[str], Path]) -> FloatImage:
    return open_image(sample_path("fives_28_A.png")).unit_rgb()


def small(photograph: FloatImage, sigma: float, noise: float = 0.0) -> FloatImage:
    """Shrunk to half by a Gaussian of so many small pixels, with noise in grey levels; 8 bits."""
    low = degrade(photograph, 2, "gaussian", sigma * 2)
    if noise:
        rng = np.random.default_rng(2)
        low = low + rng.normal(0, noise / 255, low.shape).astype(np.float32)
    return to_8bit(low).astype(np.float32) / np.float32(255)


def test_blur_and_noise_are_found(photograph: FloatImage) -> None:
    clean = estimate_degradation(small(photograph, 0.4))
    assert clean.blur == pytest.approx(sampling_blur("gaussian", 2), abs=0.1)
    assert clean.noise == pytest.approx(0.29, abs=0.15)
    noisy = estimate_degradation(small(photograph, 0.4, noise=3))
    assert noisy.noise == pytest.approx(3, rel=0.35)
    assert estimate_degradation(small(photograph, 0.55)).blur > clean.blur
    assert estimate_degradation(small(photograph, 0.3)).blur < clean.blur


def test_windows_say_what_the_whole_says(photograph: FloatImage) -> None:
    """The whole of a photograph is too large to look at; twelve windows must do."""
    image = small(photograph, 0.4, noise=1.5)
    assert image.shape[0] * image.shape[1] > WINDOWS * WINDOW**2
    found = estimate_degradation(image)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cascade, "WINDOWS", 1000)
        whole = estimate_degradation(image)
    assert found.blur == pytest.approx(whole.blur, abs=0.06)
    assert found.noise == pytest.approx(whole.noise, rel=0.25)


def test_what_cannot_be_judged_is_standard(photograph: FloatImage) -> None:
    assert estimate_degradation(photograph[500:515, 500:700]) == STANDARD  # 15 px high
    assert estimate_degradation(np.zeros((300, 300, 3), np.float32)) == STANDARD
    assert estimate_degradation(np.zeros((900, 900, 3), np.float32)) == STANDARD
    speck = np.zeros((64, 64, 3), np.float32)
    speck[20:36, 20:36] = 0.5  # one block, but all of it within the rim of the dark
    assert estimate_degradation(speck) == STANDARD
    assert estimate_degradation(photograph[500:516, 500:516]) != STANDARD


@pytest.mark.parametrize("shape", [(16, 2000), (130, 40), (129, 1600), (700, 300)])
def test_any_shape_is_looked_at(photograph: FloatImage, shape: tuple[int, int]) -> None:
    image = np.tile(photograph[400:656, 300:556], (3, 8, 1))[: shape[0], : shape[1]]
    found = estimate_degradation(image)
    assert found != STANDARD
    assert 0 <= found.blur < 1
    assert found.noise > 0


def test_the_dark_around_a_small_eye_is_no_matter(photograph: FloatImage) -> None:
    eye = small(photograph, 0.4, noise=2)[128:384, 128:384]
    framed = np.zeros((1200, 1600, 3), np.float32)
    framed[480:736, 640:896] = eye
    found, alone = estimate_degradation(framed), estimate_degradation(eye)
    assert found.blur == pytest.approx(alone.blur, abs=0.08)
    assert found.noise == pytest.approx(alone.noise, rel=0.3)


def test_without_an_estimator_all_photographs_are_standard(
    photograph: FloatImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retina_viewer.model_store.store.shipped_models_dir", lambda: tmp_path)
    assert estimate_degradation(photograph[400:500, 400:500]) == STANDARD


def test_an_estimator_of_broken_weights_is_reported_not_passed_over(
    photograph: FloatImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retina_viewer.model_store.store import find_model

    card = find_model("formation")
    folder = user_models_dir() / "formation"
    folder.mkdir(parents=True)
    assert card.directory is not None
    text = (card.directory / "card.json").read_text(encoding="utf-8")
    broken = text.replace(card.weights_sha256, "0" * 64)
    (folder / "card.json").write_text(broken, encoding="utf-8")
    save_weights({"nothing": torch.zeros(1)}, folder)
    with pytest.raises(UserError, match="not those its card names"):
        estimate_degradation(photograph[400:500, 400:500])


def test_the_same_photograph_gives_the_same_answer(photograph: FloatImage) -> None:
    found = {estimate_degradation(photograph) for _ in range(2)}
    assert len(found) == 1
    assert isinstance(found.pop(), Degradation)
