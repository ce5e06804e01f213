"""Which results are compared."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retina_viewer.superres.methods import METHODS
from retina_viewer.ui.catalogue import Catalogue, NetworkInfo, ResultChoice
from retina_viewer.ui.comparison.choice import Offer, Option, put
from retina_viewer.ui.comparison.measuring import Figures, best_of
from retina_viewer.ui.view.state import ViewState

GAN = NetworkInfo("gan", "Gan", "twin", 0.5)
IDS = [method.id for method in METHODS]


def catalogue(methods: list[str] | None = None) -> Catalogue:
    offered = [one for one in METHODS if methods is None or one.id in methods]
    return Catalogue(offered, "pixel", lambda method: [GAN] if method == "saliency-gan" else [])


OFFER = Offer.of_methods(catalogue())


def begun(method: str = "bicubic") -> tuple[ResultChoice, ...]:
    return OFFER.begun(ResultChoice(method), catalogue())


@settings(max_examples=30)
@given(st.lists(st.sampled_from(IDS), max_size=30))
def test_always_two_to_four_different_ones(pressed: list[str]) -> None:
    chosen = begun()
    for name in pressed:
        chosen = OFFER.toggled(name, chosen, 4)
        assert 2 <= len(chosen) <= 4
        assert len(set(chosen)) == len(chosen)


@pytest.mark.parametrize("method", IDS)
def test_it_begins_with_the_method_in_use(method: str) -> None:
    chosen = begun(method)
    assert chosen[0].method == method
    assert len({one.method for one in chosen}) == 2


def test_the_method_in_use_keeps_what_the_person_chose_for_it() -> None:
    first = ResultChoice("saliency-gan", "gan", 0.2)
    chosen = OFFER.toggled("pixel", OFFER.begun(first, catalogue()), 4)
    assert chosen[0] is first
    other = OFFER.toggled("saliency-gan", OFFER.begun(ResultChoice("bicubic", None, 0.2),
                                                      catalogue()), 4)  # fmt: skip
    assert catalogue().settings(other[-1], 4, "cpu").fidelity == 0.5


def test_what_does_not_offer_the_scale_says_so() -> None:
    few = Offer((*OFFER.options, Option("few", "Few", "", True, (2, 4), ResultChoice("few"))))
    assert few.why_not("few", begun(), 8) == "It does not enlarge by ×8."
    assert few.toggled("few", begun(), 8) == begun()
    assert few.toggled("few", begun(), 4)[-1].method == "few"


def test_the_active_result_stays_active() -> None:
    state = ViewState(results=tuple(ResultChoice(name) for name in ("a", "b", "c")), active=1)
    put(state, (*state.results[1:], state.results[0]))
    assert (state.result.method, state.active) == ("b", 0)
    put(state, state.results[1:])
    assert state.result.method == "c"


def test_what_is_no_longer_installed_is_no_longer_compared() -> None:
    offered = catalogue(["bicubic", "lanczos", "pixel"])
    chosen = (ResultChoice("saliency-gan"), ResultChoice("bicubic"), ResultChoice("pixel"))
    still = tuple(offered.still(one) for one in chosen)
    assert [one.method for one in Offer.of_methods(offered).kept(still)] == ["pixel", "bicubic"]
    left = Offer.of_methods(offered).kept(chosen[:2])
    assert [one.method for one in left] == ["bicubic", "pixel"]


def test_a_network_that_is_no_longer_installed_gives_its_name_back() -> None:
    gone = ResultChoice("saliency-gan", "another", title="Another")
    assert catalogue().still(gone) == ResultChoice("saliency-gan")
    kept = ResultChoice("saliency-gan", "gan", title="My Gan")
    assert catalogue().still(kept) is kept


def test_the_best_figures_are_those_that_look_best() -> None:
    first, second = Figures(30.001, 0.9, 0.3), Figures(30.002, 0.8, 0.1)
    assert best_of([first, None, second]) == (set(), {0}, {2})
    assert best_of([first, None]) == (set(), set(), set())
    assert best_of([Figures(float("inf"), 1.0, 0.0), second])[0] == {0}
