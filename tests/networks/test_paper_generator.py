"""The paper's generator: its normalisation at use, its margin, its shapes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from retina_viewer.networks.paper_generator import NormalisedConvolution, PaperGenerator

TOLD = torch.tensor([[0.42, 0.3]])


@pytest.fixture
def crop(sample_path: Callable[[str], Path]) -> torch.Tensor:
    """(1, 3, 64, 64) of a real photograph, vessels near the disc."""
    with Image.open(sample_path("chase_14L.jpg")) as picture:
        rgb = np.asarray(picture.convert("RGB"), dtype=np.float32)[400:464, 500:564] / 255
    return torch.from_numpy(rgb).permute(2, 0, 1)[None]


@pytest.fixture
def experienced(crop: torch.Tensor) -> PaperGenerator:
    """A generator whose normalisation has seen photographs and whose scales are not one."""
    torch.manual_seed(2)
    network = PaperGenerator(maps=8, blocks=2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    with torch.no_grad():
        for turns in range(4):
            network.train()(torch.rot90(crop, turns, (2, 3)), TOLD)
    return network.eval()


def test_it_is_made_as_the_paper_says() -> None:
    """64 maps; blocks of two 3x3 convolutions, each followed by batch normalisation."""
    network = PaperGenerator()
    kinds = [type(module) for module in network.body.modules()]
    assert kinds.count(nn.Conv2d) == kinds.count(nn.BatchNorm2d) == 2 * 16
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            assert module.kernel_size == (3, 3)
            assert module.in_channels in (3, 64)
    assert network.head.in_channels == network.tail.out_channels == 3


def test_in_evaluation_population_statistics_are_folded_into_the_convolution() -> None:
    torch.manual_seed(3)
    layer = NormalisedConvolution(3, 5)
    nn.init.uniform_(layer.norm.weight, -1, 2)
    nn.init.normal_(layer.norm.bias)
    for _ in range(3):
        layer.train()(3 * torch.randn(2, 3, 9, 7) + 1)
    layer.eval()
    x = torch.randn(2, 3, 9, 7)
    torch.testing.assert_close(layer(x), layer.norm(layer.convolution(x)), atol=1e-5, rtol=0)


def test_a_patch_s_result_does_not_depend_on_the_batch_only_at_use(
    crop: torch.Tensor, experienced: PaperGenerator
) -> None:
    pair = torch.cat([crop, torch.rand_like(crop)])
    torch.testing.assert_close(experienced(pair, TOLD)[:1], experienced(crop, TOLD))
    experienced.train()
    assert not torch.allclose(experienced(pair, TOLD)[:1], experienced(crop, TOLD), atol=1e-3)


def test_nothing_beyond_the_margin_is_seen(crop: torch.Tensor, experienced: PaperGenerator) -> None:
    margin = experienced.margin
    seen = slice(28 - margin, 36 + margin)
    changed = torch.rand_like(crop)
    changed[..., seen, seen] = crop[..., seen, seen]
    doubled = slice(56, 72)
    torch.testing.assert_close(
        experienced(changed, TOLD)[..., doubled, doubled],
        experienced(crop, TOLD)[..., doubled, doubled],
    )


def test_the_margin_is_not_wasteful(crop: torch.Tensor, experienced: PaperGenerator) -> None:
    crop = crop.clone().requires_grad_(True)
    result = experienced(crop, TOLD)
    assert result.shape == (1, 3, 128, 128)
    result[0, :, 64, 64].sum().backward()
    assert crop.grad is not None
    rows = torch.nonzero(crop.grad.abs().sum(dim=(0, 1, 3)))[:, 0]
    assert 32 - int(rows.min()) == experienced.margin
