"""The generator after Zhao 2025: normalisation of input and maps, margin, start."""

import pytest
import torch
from torch import nn

from retina_viewer.networks.generator import upsample2
from retina_viewer.networks.leaky_generator import LeakyGenerator
from tests.networks.real_crop import TOLD, reach_of

MEAN, DEVIATION = (0.66, 0.275, 0.081), (0.17, 0.10, 0.07)


def experienced(crop: torch.Tensor, unshuffle: int) -> LeakyGenerator:
    """One whose normalisation has seen photographs and whose last layer does something."""
    torch.manual_seed(3)
    network = LeakyGenerator(MEAN, DEVIATION, maps=6, blocks=1, unshuffle=unshuffle)
    nn.init.normal_(network.tail.weight, std=0.1)
    with torch.no_grad():
        for turns in range(4):
            network.train()(torch.rot90(crop, turns, (2, 3)), TOLD)
    return network.eval()


@pytest.mark.parametrize("unshuffle", [1, 4])
def test_it_starts_as_bicubic_interpolation(crop: torch.Tensor, unshuffle: int) -> None:
    network = LeakyGenerator(MEAN, DEVIATION, maps=4, blocks=1, unshuffle=unshuffle)
    torch.testing.assert_close(network(crop, TOLD), upsample2(crop))


@pytest.mark.parametrize(("unshuffle", "margin"), [(1, 5), (2, 10)])
def test_a_margin_is_what_is_seen(crop: torch.Tensor, unshuffle: int, margin: int) -> None:
    network = experienced(crop, unshuffle)
    assert network.margin == margin
    # Of the pixels that one unshuffled pixel holds, the last sees one less on its far side.
    assert margin - 1 <= reach_of(network, crop) <= margin + unshuffle - 1


@pytest.mark.parametrize("unshuffle", [1, 2])
def test_a_tile_is_the_crop_of_the_whole(crop: torch.Tensor, unshuffle: int) -> None:
    network = experienced(crop, unshuffle)
    with torch.no_grad():
        whole = network(crop, TOLD)
        tile = network(crop[..., 8:48, 12:44], TOLD)
    rim = network.margin
    torch.testing.assert_close(
        tile[..., 2 * rim : -2 * rim, 2 * rim : -2 * rim],
        whole[..., 2 * (8 + rim) : 2 * (48 - rim), 2 * (12 + rim) : 2 * (44 - rim)],
        atol=1e-5,
        rtol=0,
    )


def test_what_the_layers_see_is_normalised_as_equation_7_says(crop: torch.Tensor) -> None:
    network = experienced(crop, 1)
    seen: list[torch.Tensor] = []
    network.head.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    network(crop, TOLD)
    mean, deviation = (torch.tensor(one).view(1, 3, 1, 1) for one in (MEAN, DEVIATION))
    torch.testing.assert_close(seen[0] * deviation + mean, crop, atol=1e-6, rtol=0)
    assert not any("mean" in name and "running" not in name for name in network.state_dict())


def test_statistics_once_held_are_those_of_use(crop: torch.Tensor) -> None:
    network = experienced(crop, 1)
    at_use = network(crop, TOLD)
    before = {name: value.clone() for name, value in network.named_buffers()}
    assert not torch.allclose(network.train()(crop, TOLD), at_use, atol=1e-4)
    for name, value in network.named_buffers():
        value.copy_(before[name])  # the batch was learned from
    network.hold_statistics()
    torch.testing.assert_close(network(crop, TOLD), at_use)
    for name, value in network.named_buffers():
        torch.testing.assert_close(value, before[name])
    network(crop, TOLD).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
