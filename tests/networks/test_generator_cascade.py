"""Every kind of step in a cascade: made from a card's parameters, its margin known."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from retina_viewer.core.errors import UserError
from retina_viewer.networks.architectures import CascadeParameters, build
from retina_viewer.networks.generator import ResidualGenerator
from retina_viewer.networks.generator_cascade import (
    AnyStepParameters,
    GeneratorCascade,
    StepParameters,
)
from retina_viewer.networks.paper_generator import PaperGenerator
from retina_viewer.networks.plain import PlainGenerator

STEPS: list[dict[str, Any]] = [
    {"maps": 8, "blocks": 1, "conditioned": True},  # the first cards name no kind
    {"kind": "plain", "maps": 8, "layers": 2, "unshuffle": 2, "conditioned": True},
    {"kind": "paper", "maps": 8, "blocks": 1},
]


def test_a_cascade_may_mix_its_kinds() -> None:
    cascade = build("residual-cascade", {"steps": STEPS})
    assert isinstance(cascade, GeneratorCascade)
    kinds = [ResidualGenerator, PlainGenerator, PaperGenerator]
    assert [type(step) for step in cascade.steps] == kinds
    assert cascade.margins == tuple(step.margin for step in cascade.steps)
    with torch.inference_mode():
        result = cascade.eval()(torch.rand(1, 3, 8, 8), torch.tensor([[0.4, 0.3]]))
    assert result.shape == (1, 3, 64, 64)
    assert float(result.min()) >= 0
    assert float(result.max()) <= 1


def test_parameters_survive_being_written_to_a_card() -> None:
    parameters = CascadeParameters.model_validate({"steps": STEPS})
    again = CascadeParameters.model_validate_json(parameters.model_dump_json())
    assert again == parameters
    assert parameters.steps[0] == StepParameters(maps=8, blocks=1, conditioned=True)


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ({"kind": "transformer", "maps": 8}, "transformer"),
        ({"kind": "plain", "maps": 8, "blocks": 2}, "blocks"),
        ({"kind": "paper", "conditioned": True}, "conditioned"),
        ({"maps": 0, "blocks": 1}, "maps"),
    ],
)
def test_what_does_not_fit_a_kind_is_named(step: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        build("residual-cascade", {"steps": [step]})


def test_a_kind_is_chosen_by_its_name_alone() -> None:
    adapter: TypeAdapter[AnyStepParameters] = TypeAdapter(AnyStepParameters)
    for step in STEPS:
        assert adapter.validate_python(step).kind == step.get("kind", "residual")
