"""What makes an enlargement: what it refuses, and which are equal."""

from typing import Any

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.superres.enhance_settings import EnhanceSettings


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"scale": 3}, "x3"),
        ({"fidelity": 1.5}, "fidelity of 1.5"),
        ({"fidelity": float("nan")}, "fidelity of nan"),
        ({"blur": 3}, "blur of 3 px"),
        ({"blur": -0.1}, "blur of -0.1 px"),
        ({"tile": 0}, "tile of 0 pixels"),
    ],
)
def test_what_is_out_of_range_is_refused_with_a_hint(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        EnhanceSettings(**wrong)
    assert caught.value.hint


def test_another_scale_is_all_that_changes() -> None:
    settings = EnhanceSettings("pixel", 4, "cpu", "mine", blur=0.3)
    assert settings.at(16) == EnhanceSettings("pixel", 16, "cpu", "mine", blur=0.3)
    with pytest.raises(UserError, match="x3") as caught:
        settings.at(3)
    assert "x16" in caught.value.hint


def test_settings_are_equal_where_their_results_are() -> None:
    settings = EnhanceSettings("pixel", model="mine", weights=("1",))
    assert settings == EnhanceSettings("pixel", model="mine", weights=("1",), tile=64)
    assert settings != EnhanceSettings("pixel", model="mine", weights=("2",))
    assert settings != EnhanceSettings("pixel", model="mine", weights=("1",), blur=0.0)
