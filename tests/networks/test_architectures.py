"""Cards name architectures; wrong names and parameters are refused in plain words."""

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.networks.architectures import build
from retina_viewer.networks.generator_cascade import GeneratorCascade
from retina_viewer.networks.unet import UNet


def test_known_architectures_are_built() -> None:
    steps = [{"maps": 8, "blocks": 1}, {"maps": 8, "blocks": 1, "unshuffle": 2}]
    cascade = build("residual-cascade", {"steps": steps})
    assert isinstance(cascade, GeneratorCascade)
    assert len(cascade.steps) == 2
    assert isinstance(build("unet", {"widths": [4, 8]}), UNet)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match="residual-cascade"):
        build("transformer", {})


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(UserError, match="depth"):
        build("unet", {"depth": 4})


@pytest.mark.parametrize("step", [[[]], {"kind": "magic"}, None], ids=["list", "magic", "none"])
def test_a_step_of_no_kind_is_refused_in_words_for_people(step: object) -> None:
    with pytest.raises(UserError, match=r"steps\.0 \(no kind that is known") as caught:
        build("residual-cascade", {"steps": [step]})
    assert caught.value.hint
