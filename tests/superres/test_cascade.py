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
from retina_viewer.networks.cascade import GeneratorCascade, StepParameters
from retina_viewer.networks.generator import ResidualGenerator
from retina_viewer.superres.cascade import CascadeEnhancer, load_cascade, source_margins
from retina_viewer.superres.classical import bicubic

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


@pytest.mark.parametrize(("scale", "least_gain"), [(2, 1.0), (4, 0.8), (8, 0.4)])
def test_the_shipped_cascade_beats_interpolation_on_a_photograph_it_never_saw(
    sample_path: Callable[[str], Path], scale: int, least_gain: float
) -> None:
    """PSNR gain in dB on a crop of the FIVES sample, which is held out."""
    sharp = open_image(sample_path("fives_28_A.png")).unit_rgb(Rect(384, 384, 256, 256))
    low = to_8bit(degrade(sharp, scale, "gaussian")).astype(np.float32) / 255
    whole = Rect(0, 0, low.shape[1], low.shape[0])
    inner = slice(16, -16)

    def psnr(enhancer: Any) -> float:
        error = (enhancer.enhance_region(low, whole) - sharp)[inner, inner]
        return float(-10 * np.log10(np.mean(error**2)))

    gain = psnr(load_cascade(None, scale, torch.device("cpu"))) - psnr(bicubic(scale))
    assert gain > least_gain
