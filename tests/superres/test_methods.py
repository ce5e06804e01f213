"""The methods by name, and what is said of a name that is none."""

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.superres.methods import (
    DEFAULT_METHOD,
    METHODS,
    find_method,
    make_enhancer,
)


def test_the_list_reads_well() -> None:
    names = [method.id for method in METHODS]
    assert {"pixel", "bicubic", "lanczos"} <= set(names)
    assert len(set(names)) == len(names)
    assert find_method(DEFAULT_METHOD).learned
    for method in METHODS:
        assert method.scales == (2, 4, 8, 16)
        assert method.sentence.endswith(".")


@pytest.mark.parametrize("name", ["bicubic", "lanczos"])
@pytest.mark.parametrize("scale", [2, 16])
def test_interpolation_by_name(name: str, scale: int) -> None:
    enhancer = make_enhancer(name, scale)
    assert (enhancer.method, enhancer.scale, enhancer.model) == (name, scale, None)
    assert not enhancer.whole_image_only


def test_unknown_names_scales_and_models_are_explained() -> None:
    with pytest.raises(UserError, match="bicubci") as caught:
        make_enhancer("bicubci", 4)
    assert "bicubic" in caught.value.hint
    with pytest.raises(UserError, match="x3") as caught:
        make_enhancer("bicubic", 3)
    assert "x4" in caught.value.hint
    with pytest.raises(UserError, match="no model"):
        make_enhancer("bicubic", 4, model="x")
