"""Arrays of fitted systems: built from a card's parameters, refused where those make no sense."""

import pytest
import torch

from retina_viewer.core.errors import UserError
from retina_viewer.networks.architectures import build
from retina_viewer.networks.fitted_arrays import LinearFilters, RegressionForests

STEP = {"features": 20, "trees": 2, "nodes": 6, "leaves": 8, "rank": 3, "depth": 4}


def test_filters_have_a_phase_for_every_pixel_they_make() -> None:
    filters = build("linear-filters", {"scales": [2, 4]})
    assert isinstance(filters, LinearFilters)
    assert filters.weights(4).shape == (81, 16)
    filters.weights(2)[40] = 1  # the middle: each pixel is repeated
    image = torch.rand(1, 1, 12, 11, generator=torch.Generator().manual_seed(0))
    repeated = image[..., 4:-4, 4:-4].repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)
    assert torch.equal(filters(image, 2), repeated)


def test_forests_hold_what_their_card_counts() -> None:
    forests = build("regression-forests", {"steps": [STEP, STEP]})
    assert isinstance(forests, RegressionForests)
    assert (forests.scales, forests.margins) == ((2, 4), (5, 5))
    state = forests.state_dict()
    assert state["steps.1.codes"].shape == (8, 3)
    assert state["steps.0.dictionary"].shape == (4, 21 * 36)
    assert state["steps.0.projection"].dtype == torch.int16


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("linear-filters", {"scales": [3]}),
        ("regression-forests", {"steps": [STEP | {"features": 145}]}),
        ("regression-forests", {"steps": [STEP | {"twigs": 1}]}),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, parameters: dict[str, object]) -> None:
    with pytest.raises(UserError, match="do not fit"):
        build(name, parameters)
