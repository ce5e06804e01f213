"""Which methods are compared."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retina_viewer.superres.methods import METHODS
from retina_viewer.ui.catalogue import Catalogue, NetworkInfo
from retina_viewer.ui.comparison.choice import Choice
from retina_viewer.ui.comparison.figures import Figures, best_of
from retina_viewer.ui.view.state import ViewState

GAN = NetworkInfo("gan", "Gan", "twin", 0.5)
IDS = [method.id for method in METHODS]


def catalogue(methods: list[str] | None = None) -> Catalogue:
    offered = [one for one in METHODS if methods is None or one.id in methods]
    return Catalogue(offered, "pixel", lambda method: [GAN] if method == "saliency-gan" else [])


def choice(state: ViewState | None = None) -> Choice:
    return Choice(catalogue(), state or ViewState(method="bicubic"), "cpu", 4)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(IDS), max_size=30))
def test_always_two_to_four_different_ones(pressed: list[str]) -> None:
    chosen = choice()
    for name in pressed:
        chosen.toggle(name)
        assert 2 <= len(chosen.chosen) <= 4
        assert len(set(chosen.chosen)) == len(chosen.chosen)


@pytest.mark.parametrize("method", IDS)
def test_it_begins_with_the_method_in_use(method: str) -> None:
    begun = choice(ViewState(method=method)).chosen
    assert begun[0] == method
    assert len(set(begun)) == 2


def test_the_method_in_use_keeps_what_the_person_chose_for_it() -> None:
    state = ViewState(method="saliency-gan", model="gan", fidelity=0.2, scale=8)
    chosen = choice(state)
    chosen.toggle("pixel")
    settings = chosen.contenders[0].settings
    assert (settings.model, settings.fidelity, settings.scale) == ("gan", 0.2, 4)
    assert chosen.contenders[0].name(4) == "AI ×4 · Saliency GAN, fidelity 20 %"
    assert "AI ×2 (of ×4) · Saliency GAN" in chosen.contenders[0].name(2)
    other = choice(ViewState(method="bicubic", fidelity=0.2))
    other.toggle("saliency-gan")
    assert other.contenders[-1].settings.fidelity == 0.5


def test_places_rotate() -> None:
    chosen = choice()
    chosen.chosen = ["a", "b", "c"]
    chosen.rotate()
    assert chosen.chosen == ["b", "c", "a"]


def test_what_is_no_longer_installed_is_no_longer_compared() -> None:
    chosen = choice()
    chosen.chosen = ["saliency-gan", "bicubic"]
    chosen.offer(catalogue(["bicubic", "lanczos", "pixel"]))
    assert chosen.chosen == ["bicubic", "pixel"]


def test_the_best_figures_are_those_that_look_best() -> None:
    first, second = Figures(30.001, 0.9, 0.3), Figures(30.002, 0.8, 0.1)
    assert best_of([first, None, second]) == (set(), {0}, {2})
    assert best_of([first, None]) == (set(), set(), set())
    assert best_of([Figures(float("inf"), 1.0, 0.0), second])[0] == {0}
