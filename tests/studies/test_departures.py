"""The variants of the generator that tell what each departure from the paper is worth."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from retina_viewer.networks.generator import ResidualGenerator, upsample2
from studies.departures import VARIANTS, Departing, page

FORMATION = torch.tensor([[0.4, 0.3]])


def test_none_taken_back_is_the_generator_of_the_cascade() -> None:
    torch.manual_seed(0)
    ours, shipped = Departing(), ResidualGenerator(48, 5)
    nn.init.normal_(ours.tail.weight, std=0.1)
    shipped.load_state_dict(ours.state_dict())
    image = torch.rand(1, 3, 12, 10)
    torch.testing.assert_close(ours(image, FORMATION), shipped(image, FORMATION))


@pytest.mark.parametrize("make", VARIANTS.values(), ids=list(VARIANTS))
def test_each_variant_doubles_and_learns(make: Callable[[], nn.Module]) -> None:
    network, image = make(), torch.rand(2, 3, 12, 10)
    made = network(image, FORMATION.expand(2, 2))
    assert made.shape == (2, 3, 24, 20)
    made.square().mean().backward()
    reached = network.get_parameter("tail.weight").grad
    assert reached is not None
    assert float(reached.abs().max()) > 0


def test_only_without_bicubic_beneath_it_begins_elsewhere() -> None:
    image = torch.rand(1, 3, 8, 8)
    for title, make in VARIANTS.items():
        starts_as_bicubic = torch.allclose(make()(image, FORMATION), upsample2(image), atol=1e-6)
        assert starts_as_bicubic == (title not in {
            "the image itself, no bicubic beneath", "all three taken back",
        })  # fmt: skip


def test_the_page_has_a_row_a_variant_and_interpolation_along_the_way() -> None:
    trained = [{"step": 95.0, "psnr_gaussian": 40.0}, {"step": 190.0, "psnr_gaussian": 41.5}]
    rows = [{**one, "psnr_bicubic": 42.25} for one in trained]
    still = [{"step": 0.0, "psnr_gaussian": 39.0, "psnr_bicubic": 38.0}]
    text = page({"interpolation": still, "all three departures": rows})
    assert "| interpolation | 39.00 | 39.00 | 38.00 |" in text
    assert "| all three departures | 40.00 | 41.50 | 42.25 |" in text
