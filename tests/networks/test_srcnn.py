"""SRCNN: the paper's layers, its start, its colours, its margin."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from retina_viewer.networks.generator import upsample2
from retina_viewer.networks.srcnn import SRCNN
from tests.networks.real_crop import TOLD, reach_of


@pytest.fixture
def trained() -> SRCNN:
    """Weights of a last layer that does something."""
    torch.manual_seed(1)
    network = SRCNN(maps=(8, 4))
    nn.init.normal_(network.reconstruct.weight, std=0.1)
    return network.eval()


def test_it_is_the_paper_s_9_5_5() -> None:
    layers = [module for module in SRCNN().modules() if isinstance(module, nn.Conv2d)]
    shapes = [(one.in_channels, one.out_channels, one.kernel_size) for one in layers]
    assert shapes == [(1, 64, (9, 9)), (64, 32, (5, 5)), (32, 1, (5, 5))]
    weights = sum(one.weight.numel() for one in layers)
    assert weights == 57_184  # table 2 of the journal version


def test_it_starts_as_bicubic_interpolation(crop: torch.Tensor) -> None:
    torch.testing.assert_close(SRCNN()(crop, TOLD), upsample2(crop))


def test_it_changes_luminance_alone(crop: torch.Tensor, trained: SRCNN) -> None:
    """What is added is grey, so the colour differences are those of bicubic interpolation."""
    result = trained(crop, TOLD)
    added = result - upsample2(crop)
    assert float(added.detach().abs().max()) > 1e-3
    torch.testing.assert_close(added[:, 0], added[:, 1], atol=1e-6, rtol=0)
    torch.testing.assert_close(added[:, 0], added[:, 2], atol=1e-6, rtol=0)


def test_it_does_not_see_one_colour_without_the_others(crop: torch.Tensor, trained: SRCNN) -> None:
    grey = crop.mean(dim=1, keepdim=True).expand_as(crop)
    tinted = grey + torch.tensor([0.114, 0.0, -0.299]).view(1, 3, 1, 1)  # of equal luminance
    added = [trained(image, TOLD) - upsample2(image) for image in (grey, tinted)]
    torch.testing.assert_close(added[0], added[1], atol=1e-5, rtol=0)


def test_a_margin_is_what_is_seen(crop: torch.Tensor, trained: SRCNN) -> None:
    assert reach_of(trained, crop) == trained.margin == 6


@given(
    top=st.integers(6, 30), left=st.integers(6, 30),
    height=st.integers(1, 20), width=st.integers(1, 20),
)  # fmt: skip
def test_a_tile_is_the_crop_of_the_whole(top: int, left: int, height: int, width: int) -> None:
    torch.manual_seed(2)
    network, image = SRCNN(maps=(4, 3)).eval(), torch.rand(1, 3, 56, 56)
    nn.init.normal_(network.reconstruct.weight, std=0.1)
    rim = network.margin
    with torch.no_grad():
        whole = network(image, TOLD)
        window = image[..., top - rim : top + height + rim, left - rim : left + width + rim]
        tile = network(window, TOLD)[..., 2 * rim : -2 * rim, 2 * rim : -2 * rim]
    part = whole[..., 2 * top : 2 * (top + height), 2 * left : 2 * (left + width)]
    torch.testing.assert_close(tile, part, atol=1e-5, rtol=0)
