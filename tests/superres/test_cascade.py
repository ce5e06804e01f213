"""The cascade: any region is the crop of the whole; nothing broken is shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.degradation import degrade, to_8bit
from retina_viewer.imaging.readers import open_image
from retina_viewer.model_store.card import ModelCard
from retina_viewer.networks.generator import ResidualGenerator
from retina_viewer.networks.generator_cascade import GeneratorCascade, StepParameters
from retina_viewer.superres.cascade import CascadeEnhancer, estimate_degradation, load_cascade
from retina_viewer.superres.classical import bicubic, source_margins
from retina_viewer.superres.enhancer import FloatImage
from tests.superres.tiny_models import STEPS as TINY
from tests.superres.tiny_models import add_cascade, add_gan_and_twin

STEPS = [
    StepParameters(maps=8, blocks=1),
    StepParameters(maps=8, blocks=1, unshuffle=2),
    StepParameters(maps=8, blocks=1, unshuffle=4),
    StepParameters(maps=8, blocks=1, unshuffle=8),
]


class _Card:
    """The little of a card that the enhancer reads."""

    name = "random"

    def __init__(self, margins: tuple[int, ...]) -> None:
        self.margins = margins


def random_cascade(count: int) -> CascadeEnhancer:
    torch.manual_seed(5)
    network = GeneratorCascade(STEPS[:count]).eval().requires_grad_(False)
    steps = [cast(ResidualGenerator, step) for step in network.steps]
    for step in steps:
        torch.nn.init.normal_(step.tail.weight, std=0.1)
    card = cast(ModelCard, cast(Any, _Card(tuple(step.margin for step in steps))))
    return CascadeEnhancer(card, tuple(steps), torch.device("cpu"))


ENHANCERS = {count: random_cascade(count) for count in (1, 2, 3, 4)}


@pytest.fixture(scope="module")
def photograph(sample_path: Callable[[str], Path]) -> np.ndarray:
    return open_image(sample_path("chase_14L.jpg")).unit_rgb(Rect(480, 400, 41, 37))


@settings(max_examples=25, deadline=None)
@given(data=st.data(), count=st.sampled_from([1, 2, 3, 4]))
def test_a_region_is_the_crop_of_the_whole(
    photograph: np.ndarray, data: st.DataObject, count: int
) -> None:
    """Any rectangle, also at the border and of one pixel, at every scale."""
    enhancer = ENHANCERS[count]
    height, width = photograph.shape[:2]
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    region = Rect(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    whole = enhancer.enhance_region(photograph, Rect(0, 0, width, height))
    part = enhancer.enhance_region(photograph, region)
    rows, columns = region.scaled(enhancer.scale).slices()
    np.testing.assert_allclose(part, whole[rows, columns], atol=2e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 1)])
def test_an_image_smaller_than_the_margin_is_enlarged(
    photograph: np.ndarray, size: tuple[int, int]
) -> None:
    tiny = photograph[: size[0], : size[1]]
    result = ENHANCERS[2].enhance_region(tiny, Rect(0, 0, size[1], size[0]))
    assert result.shape == (4 * size[0], 4 * size[1], 3)
    assert np.isfinite(result).all()


def test_the_margin_adds_up_from_the_last_step_to_the_first() -> None:
    # Step 2 sees 9 pixels of level 1: 5 of the source. Step 1 then needs 4 more.
    assert source_margins((4, 9)) == (9, 5)
    assert source_margins((4, 8, 8)) == (10, 6, 2)


def test_weights_that_give_no_numbers_are_an_error_not_an_image(photograph: np.ndarray) -> None:
    enhancer = random_cascade(1)
    step = cast(ResidualGenerator, enhancer.steps[0])
    torch.nn.init.constant_(cast(torch.Tensor, step.tail.bias), float("nan"))
    with pytest.raises(UserError, match="no numbers"):
        enhancer.enhance_region(photograph, Rect(0, 0, 8, 8))


def test_models_of_another_task_are_refused() -> None:
    with pytest.raises(UserError, match="cannot enlarge"):
        load_cascade("vessels-unet", 2, torch.device("cpu"))


@pytest.mark.parametrize(
    ("model", "scale", "least_gain"),
    [
        ("pixel-fast", 2, 1.0),
        ("pixel-fast", 4, 0.8),
        ("pixel-fast", 8, 0.4),
        ("saliency-gan-fast", 2, 0.8),
        ("saliency-gan-fast", 4, 0.4),
        ("saliency-gan-fast", 8, 0.1),
    ],
)
def test_the_shipped_cascades_beat_interpolation_on_a_photograph_they_never_saw(
    sample_path: Callable[[str], Path], model: str, scale: int, least_gain: float
) -> None:
    """PSNR gain in dB on a crop of the FIVES sample, which is held out."""
    sharp = open_image(sample_path("fives_28_A.png")).unit_rgb(Rect(384, 384, 256, 256))
    low = to_8bit(degrade(sharp, scale, "gaussian")).astype(np.float32) / 255
    whole = Rect(0, 0, low.shape[1], low.shape[0])
    inner = slice(16, -16)

    def psnr(enhancer: Any) -> float:
        error = (enhancer.enhance_region(low, whole) - sharp)[inner, inner]
        return float(-10 * np.log10(np.mean(error**2)))

    gain = psnr(load_cascade(model, scale, torch.device("cpu"))) - psnr(bicubic(scale))
    assert gain > least_gain


CPU = torch.device("cpu")


def enlarged(model: str, photograph: FloatImage, fidelity: float | None = None) -> FloatImage:
    enhancer = load_cascade(model, 2, CPU, fidelity)
    return enhancer.enhance_region(photograph, Rect(0, 0, photograph.shape[1], photograph.shape[0]))


def test_fidelity_goes_from_the_gan_to_its_twin(photograph: FloatImage) -> None:
    add_gan_and_twin()
    own = enlarged("gan", photograph, 0.0)
    np.testing.assert_array_equal(enlarged("gan", photograph, 1.0), enlarged("twin", photograph))
    assert np.abs(own - enlarged("twin", photograph)).max() > 0.02
    # Half way, every weight is the mean of the two; the result is not that of the two results.
    mixed = load_cascade("gan", 4, CPU, 0.5)
    ends = [load_cascade("gan", 4, CPU, end) for end in (0.0, 1.0)]
    for step, first, last in zip(mixed.steps, ends[0].steps, ends[1].steps, strict=True):
        weights, low, high = step.state_dict(), first.state_dict(), last.state_dict()
        assert weights.keys() == low.keys()
        for name, value in weights.items():
            torch.testing.assert_close(value, (low[name] + high[name]) / 2)


def test_the_default_fidelity_is_the_cards(photograph: FloatImage) -> None:
    add_gan_and_twin()
    enhancer = load_cascade("gan", 2, CPU)
    assert (enhancer.method, enhancer.model, enhancer.fidelity) == ("saliency-gan", "gan", 0.25)
    np.testing.assert_array_equal(enlarged("gan", photograph), enlarged("gan", photograph, 0.25))
    twin = load_cascade("twin", 2, CPU)
    assert (twin.method, twin.model, twin.fidelity) == ("pixel", "twin", None)


def test_what_holds_no_fractions_is_not_mixed() -> None:
    step = {"kind": "paper", "blocks": 1, "maps": 4}
    add_cascade("twin", 1, {"steps": [step]}, scales=(2,))
    add_cascade("gan", 2, {"steps": [step]}, scales=(2,), twin="twin", fidelity=0.5)
    state = load_cascade("gan", 2, CPU).steps[0].state_dict()
    counters = [value for name, value in state.items() if name.endswith("num_batches_tracked")]
    assert counters
    assert all(value.dtype == torch.int64 for value in counters)


@pytest.mark.parametrize("fidelity", [-0.1, 1.01, float("nan")])
def test_a_fidelity_out_of_range_is_refused(fidelity: float) -> None:
    add_gan_and_twin()
    with pytest.raises(UserError, match="fidelity"):
        load_cascade("gan", 2, CPU, fidelity)


def test_a_model_without_a_twin_has_no_fidelity() -> None:
    add_gan_and_twin()
    with pytest.raises(UserError, match="one set of weights"):
        load_cascade("twin", 2, CPU, 0.5)


def test_a_twin_that_is_another_network_is_refused() -> None:
    add_cascade("twin", 1, {"steps": [{**TINY["steps"][0], "maps": 8}, TINY["steps"][1]]})
    add_cascade("gan", 2, twin="twin", fidelity=0.5)
    with pytest.raises(UserError, match="not of one architecture"):
        load_cascade("gan", 2, CPU)
    assert load_cascade("gan", 2, CPU, 0.0).fidelity == 0  # needs no twin
    add_cascade("orphan", 3, twin="gone", fidelity=0.5)
    with pytest.raises(UserError, match="gone"):
        load_cascade("orphan", 2, CPU)


def test_the_networks_are_told_the_blur_and_noise_of_the_photograph(
    sample_path: Callable[[str], Path],
) -> None:
    add_cascade("told", 1)
    photograph = open_image(sample_path("hrf_08_h.jpg")).unit_rgb(Rect(1600, 1000, 96, 96))
    whole = Rect(0, 0, 96, 96)
    enhancer = load_cascade("told", 2, CPU)
    fitted = enhancer.fitted_to(photograph)
    assert fitted.degradation == estimate_degradation(photograph) != enhancer.degradation
    result = fitted.enhance_region(photograph, whole)
    assert np.abs(result - enhancer.enhance_region(photograph, whole)).max() > 1e-3
    # A person may overrule the estimate of the blur; the noise stays estimated.
    ruled = load_cascade("told", 2, CPU, blur=0.1)
    assert ruled.degradation.blur == 0.1
    again = ruled.fitted_to(photograph).degradation
    assert (again.blur, again.noise) == (0.1, fitted.degradation.noise)


def test_each_scale_can_have_its_own_default_fidelity() -> None:
    add_cascade("twin", 1)
    gan = add_cascade("gan", 2, twin="twin", fidelity={2: 0.5, 4: 0.2})
    for scale, share in ((2, 0.5), (4, 0.2)):
        assert load_cascade(gan.name, scale, torch.device("cpu")).fidelity == share
    with pytest.raises(ValueError, match="other scales"):
        ModelCard.model_validate(gan.model_dump() | {"fidelity": {2: 0.5}})
    with pytest.raises(ValueError, match="less than or equal to 1"):
        ModelCard.model_validate(gan.model_dump() | {"fidelity": {2: 0.5, 4: 1.2}})
