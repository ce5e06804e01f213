"""The shipped cascades' maps are alive: dead ones are capacity that is paid for and not used."""

import pytest

from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model, load_network
from retina_viewer.networks.generator_cascade import GeneratorCascade
from studies.active_maps import active_shares

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("twin", [False, True])
def test_no_layer_of_the_default_model_or_its_twin_has_died(twin: bool) -> None:
    card = find_model(default_model("superres"))
    cascade = load_network(find_model(card.twin) if twin and card.twin else card)
    assert isinstance(cascade, GeneratorCascade)
    for step in active_shares(cascade):
        assert min(step) > 0.1
        assert sum(step) / len(step) > 0.7
