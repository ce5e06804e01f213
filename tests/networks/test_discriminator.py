"""The discriminator of figure 2b: eight convolutions, sixteen times smaller, one number."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from retina_viewer.networks.discriminator import Discriminator, VGG19Discriminator


@pytest.mark.parametrize("size", [(16, 16), (96, 96), (40, 72)])
def test_one_number_a_patch_whatever_its_size(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = Discriminator(narrow=8).eval()
    assert network(torch.rand(3, 3, *size)).shape == (3, 1)


def test_the_paper_s_layers() -> None:
    network = Discriminator(batch_norm=True)
    layers = [layer for layer in network.features if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in layers] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert [layer.stride[0] for layer in layers] == [1, 2] * 4
    assert network.features(torch.rand(1, 3, 96, 96)).shape == (1, 512, 6, 6)


@pytest.mark.slow
def test_it_learns_to_tell_sharp_from_blurred() -> None:
    torch.manual_seed(0)
    network = Discriminator(narrow=8)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    sharp = torch.rand(8, 3, 32, 32)
    blurred = nn.functional.avg_pool2d(sharp, 5, stride=1, padding=2)
    for _ in range(30):
        margin = network(sharp) - network(blurred)
        loss = nn.functional.softplus(-margin).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.eval()
    assert (network(sharp) > network(blurred)).all()


@pytest.mark.parametrize("side", [16, 33, 48])
def test_one_number_a_patch(side: int) -> None:
    assert VGG19Discriminator(8)(torch.rand(2, 3, side, side)).shape == (2, 1)


def test_what_is_saved_is_what_learns(crop: torch.Tensor) -> None:
    network = VGG19Discriminator(8)
    assert not any("pretrained" in name for name in network.state_dict())
    network(crop).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


def test_it_learns_to_tell_a_photograph_from_its_blur(crop: torch.Tensor) -> None:
    torch.manual_seed(4)
    network = VGG19Discriminator(8)
    soft = torch.nn.functional.avg_pool2d(crop, 3, stride=1, padding=1, count_include_pad=False)
    pair = torch.cat([crop, soft])[..., :32, :32]
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(15):
        true, false = network(pair)[:, 0]
        loss = torch.nn.functional.softplus(false - true)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    true, false = network(pair)[:, 0]
    assert float((true - false).detach()) > 0.5
