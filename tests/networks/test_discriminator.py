"""The discriminator of figure 2b: eight convolutions, sixteen times smaller, one number."""

import pytest
import torch
from torch import nn

from retina_viewer.networks.discriminator import Discriminator


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
