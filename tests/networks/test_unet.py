"""The U-Net: any size, and an output at every pixel."""

import pytest
import torch

from retina_viewer.networks.unet import UNet


@pytest.mark.parametrize("size", [(64, 64), (61, 47), (9, 130)])
def test_any_size_keeps_its_size(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = UNet(widths=(4, 8, 12)).eval()
    logits = network(torch.randn(2, 3, *size))
    assert logits.shape == (2, 1, *size)
    assert torch.isfinite(logits).all()


def test_every_input_pixel_can_reach_the_loss() -> None:
    torch.manual_seed(0)
    network = UNet(widths=(4, 8)).train()
    image = torch.randn(2, 3, 16, 16, requires_grad=True)
    network(image).square().sum().backward()
    assert image.grad is not None
    assert (image.grad.abs().sum(dim=1) > 0).all()
