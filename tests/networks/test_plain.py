"""The plain generator: its branches are one convolution, its start interpolation, its margin."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from retina_viewer.networks.generator import upsample2
from retina_viewer.networks.plain import PlainGenerator, ThreeBranches

TOLD = torch.tensor([[0.42, 0.3]])


@pytest.fixture
def crop(sample_path: Callable[[str], Path]) -> torch.Tensor:
    """(1, 3, 64, 64) of a real photograph, vessels near the disc."""
    with Image.open(sample_path("chase_14L.jpg")) as picture:
        rgb = np.asarray(picture.convert("RGB"), dtype=np.float32)[400:464, 500:564] / 255
    return torch.from_numpy(rgb).permute(2, 0, 1)[None]


def randomised(layers: int, unshuffle: int = 1, conditioned: bool = False) -> PlainGenerator:
    """A generator whose last layer and gains are not zero, as after training."""
    torch.manual_seed(1)
    network = PlainGenerator(8, layers, unshuffle, conditioned)
    torch.nn.init.normal_(network.tail.weight, std=0.05)
    if network.modulation is not None:
        torch.nn.init.normal_(network.modulation.gains.weight, std=0.5)
    return network.eval()


@given(
    maps=st.integers(1, 12),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=30, deadline=None)
def test_the_branches_are_one_convolution(maps: int, height: int, width: int, seed: int) -> None:
    """At the border too, where all branches see the same zeros."""
    torch.manual_seed(seed)
    layer = ThreeBranches(maps)
    x = torch.randn(2, maps, height, width)
    square, point = layer.square, layer.point
    branches = F.conv2d(x, square.weight, square.bias, padding=1) + F.conv2d(x, point.weight) + x
    torch.testing.assert_close(layer(x), branches, atol=1e-5, rtol=0)
    torch.testing.assert_close(layer.collapsed()(x), branches, atol=1e-5, rtol=0)


def test_every_branch_learns() -> None:
    layer = ThreeBranches(4)
    layer(torch.randn(1, 4, 6, 6)).square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None
        assert float(parameter.grad.abs().sum()) > 0, name
    assert "identity" not in layer.state_dict()  # it is no weight


def test_a_collapsed_generator_gives_the_same_photograph(crop: torch.Tensor) -> None:
    network = randomised(layers=4, conditioned=True)
    before = network(crop, TOLD)
    weights = sum(parameter.numel() for parameter in network.parameters())
    network.collapse()
    assert sum(parameter.numel() for parameter in network.parameters()) == weights - 4 * 8 * 8
    assert not any(isinstance(module, ThreeBranches) for module in network.modules())
    torch.testing.assert_close(network(crop, TOLD), before, atol=1e-5, rtol=0)
    network.collapse()  # once more is no harm
    torch.testing.assert_close(network(crop, TOLD), before, atol=1e-5, rtol=0)


def test_an_untrained_generator_is_interpolation(crop: torch.Tensor) -> None:
    torch.testing.assert_close(PlainGenerator(8, 2)(crop, TOLD), upsample2(crop))


def test_it_listens_to_blur_and_noise_when_conditioned(crop: torch.Tensor) -> None:
    other = torch.tensor([[0.0, 3.0]])
    deaf, told = randomised(2), randomised(2, conditioned=True)
    torch.testing.assert_close(deaf(crop, TOLD), deaf(crop, other))
    assert not torch.allclose(told(crop, TOLD), told(crop, other))


@pytest.mark.parametrize(("layers", "unshuffle"), [(1, 1), (4, 1), (2, 2)])
def test_nothing_beyond_the_margin_is_seen(crop: torch.Tensor, layers: int, unshuffle: int) -> None:
    network = randomised(layers, unshuffle)
    margin = network.margin
    seen = slice(28 - margin, 36 + margin)
    changed = torch.rand_like(crop)
    changed[..., seen, seen] = crop[..., seen, seen]
    doubled = slice(56, 72)
    torch.testing.assert_close(
        network(changed, TOLD)[..., doubled, doubled], network(crop, TOLD)[..., doubled, doubled]
    )


def test_the_margin_is_not_wasteful(crop: torch.Tensor) -> None:
    network = randomised(layers=3)
    crop = crop.clone().requires_grad_(True)
    network(crop, TOLD)[0, :, 64, 64].sum().backward()
    assert crop.grad is not None
    rows = torch.nonzero(crop.grad.abs().sum(dim=(0, 1, 3)))[:, 0]
    assert 32 - int(rows.min()) == network.margin
