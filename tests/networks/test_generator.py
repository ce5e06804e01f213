"""The x2 generator: its start, its margin, its interpolation."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from retina_viewer.networks.generator import ResidualGenerator, upsample2

TOLD = torch.tensor([[0.42, 0.3]])  # blur (px) and noise (grey levels)


@pytest.fixture
def crop(sample_path: Callable[[str], Path]) -> torch.Tensor:
    """(1, 3, 64, 64) of a real photograph, vessels near the disc."""
    with Image.open(sample_path("chase_14L.jpg")) as picture:
        rgb = np.asarray(picture.convert("RGB"), dtype=np.float32)[400:464, 500:564] / 255
    return torch.from_numpy(rgb).permute(2, 0, 1)[None]


def randomised(maps: int, blocks: int, unshuffle: int = 1) -> ResidualGenerator:
    """A generator whose last layer is not zero, as after training."""
    torch.manual_seed(1)
    network = ResidualGenerator(maps, blocks, unshuffle)
    torch.nn.init.normal_(network.tail.weight, std=0.05)
    return network.eval()


def test_doubling_agrees_with_an_independent_bicubic(crop: torch.Tensor) -> None:
    """Pillow's BICUBIC has the same kernel (a = -1/2) and the same pixel centres."""
    plane = crop[0, 1].numpy()
    expected = np.asarray(Image.fromarray(plane).resize((128, 128), Image.Resampling.BICUBIC))
    doubled = upsample2(crop)[0, 1].numpy()
    np.testing.assert_allclose(doubled[6:-6, 6:-6], expected[6:-6, 6:-6], atol=1e-6)


def test_an_untrained_generator_is_interpolation(crop: torch.Tensor) -> None:
    torch.testing.assert_close(ResidualGenerator(8, 1)(crop, TOLD), upsample2(crop))


@pytest.mark.parametrize("unshuffle", [1, 2, 4, 8])
def test_it_doubles_whatever_its_working_resolution(crop: torch.Tensor, unshuffle: int) -> None:
    result = randomised(maps=8, blocks=1, unshuffle=unshuffle)(crop, TOLD)
    assert result.shape == (1, 3, 128, 128)
    assert not torch.allclose(result, upsample2(crop))


@pytest.mark.parametrize(("blocks", "unshuffle"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_nothing_beyond_the_margin_is_seen(crop: torch.Tensor, blocks: int, unshuffle: int) -> None:
    """The result of the middle does not change when all but the middle and its margin does."""
    network = randomised(maps=8, blocks=blocks, unshuffle=unshuffle)
    margin = network.margin
    seen = slice(28 - margin, 36 + margin)
    changed = torch.rand_like(crop)
    changed[..., seen, seen] = crop[..., seen, seen]
    doubled = slice(56, 72)
    torch.testing.assert_close(
        network(changed, TOLD)[..., doubled, doubled], network(crop, TOLD)[..., doubled, doubled]
    )


def test_the_margin_is_not_wasteful(crop: torch.Tensor) -> None:
    """A pixel at the margin's end does count: one less would be wrong for some weights."""
    network = randomised(maps=8, blocks=1)
    crop = crop.clone().requires_grad_(True)
    network(crop, TOLD)[0, :, 64, 64].sum().backward()
    assert crop.grad is not None
    rows = torch.nonzero(crop.grad.abs().sum(dim=(0, 1, 3)))[:, 0]
    assert 32 - int(rows.min()) == network.margin


def test_a_conditioned_generator_starts_as_the_unconditioned_one_and_learns_to_listen(
    crop: torch.Tensor,
) -> None:
    plain, told = randomised(maps=8, blocks=2), ResidualGenerator(8, 2, conditioned=True)
    told.load_state_dict(plain.state_dict(), strict=False)
    torch.testing.assert_close(told(crop, TOLD), plain(crop, TOLD))
    assert told.modulation is not None
    torch.nn.init.normal_(told.modulation.gains.weight, std=0.5)
    sharp = torch.tensor([[0.0, 0.3]])
    assert not torch.allclose(told(crop, TOLD), told(crop, sharp))
