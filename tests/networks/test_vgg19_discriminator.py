"""The discriminator on VGG-19: what of it learns, what it is given, what it can learn."""

import pytest
import torch

from retina_viewer.networks.discriminator import VGG19Discriminator


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
