"""A grown cascade does at first exactly what the smaller one did."""

import pytest
import torch

from retina_viewer.networks.generator_cascade import (
    AnyStepParameters,
    GeneratorCascade,
    PaperStepParameters,
    StepParameters,
)
from studies.train import grow

TOLD = torch.tensor([[0.42, 0.3]])


def cascade(*steps: AnyStepParameters) -> GeneratorCascade:
    network = GeneratorCascade(steps)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return network


@pytest.mark.parametrize("conditioned", [False, True])
def test_more_blocks_and_conditions_change_nothing_at_first(conditioned: bool) -> None:
    small = cascade(StepParameters(maps=8, blocks=1, conditioned=conditioned))
    large = GeneratorCascade([StepParameters(maps=8, blocks=3, conditioned=True)])
    grow(small, large)
    image = torch.rand(1, 3, 20, 20)
    torch.testing.assert_close(large(image, TOLD), small(image, TOLD))


def test_a_step_with_another_slope_begins_anew() -> None:
    small = cascade(StepParameters(maps=8, blocks=1), StepParameters(maps=8, blocks=1))
    large = GeneratorCascade(
        [StepParameters(maps=8, blocks=1), StepParameters(maps=8, blocks=1, slope=0.1)]
    )
    fresh = large.steps[1].state_dict()["head.weight"].clone()
    grow(small, large)
    torch.testing.assert_close(large.steps[0].state_dict(), small.steps[0].state_dict())
    assert torch.equal(large.steps[1].state_dict()["head.weight"], fresh)


def test_a_cascade_does_not_shrink() -> None:
    small, large = (cascade(StepParameters(maps=8, blocks=n)) for n in (1, 2))
    with pytest.raises(ValueError, match="does not fit"):
        grow(large, small)
    with pytest.raises(ValueError, match="does not fit"):
        grow(small, cascade(StepParameters(maps=16, blocks=2)))
    with pytest.raises(ValueError, match="only residual"):
        grow(small, cascade(PaperStepParameters(kind="paper", maps=8, blocks=1)))
