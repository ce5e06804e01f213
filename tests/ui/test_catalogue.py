"""What there is to choose from, and what follows from a choice."""

from dataclasses import replace

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.settings import Settings
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings
from retina_viewer.superres.methods import Method
from retina_viewer.ui.catalogue import Catalogue, NetworkInfo, ResultChoice, labels
from retina_viewer.ui.start import Start


def method(name: str, learned: bool) -> Method:
    return Method(name, name, "", "restores", learned, SCALES)


NETWORKS = {
    "gan": [
        NetworkInfo("gan-fast", "Fast GAN", "pixel-fast", 0.7),
        NetworkInfo("gan-best", "Best GAN", "pixel-best", 0.8),
    ],
    "pixel": [NetworkInfo("pixel-fast", "Fast"), NetworkInfo("pixel-best", "Best")],
}


@pytest.fixture
def catalogue() -> Catalogue:
    methods = [method("gan", True), method("pixel", True), method("bicubic", False)]
    return Catalogue(methods, "gan", lambda method: NETWORKS[method])


def test_defaults_are_the_network_s_own(catalogue: Catalogue) -> None:
    choice = ResultChoice("gan")
    made = EnhanceSettings("gan", 4, "cpu", "gan-fast", 0.7, True)
    assert catalogue.settings(choice, 4, "cpu") == made
    choice = choice.changed(model="gan-best")
    assert catalogue.settings(choice, 4, "cpu").fidelity == 0.8
    choice = choice.changed(fidelity=0.1)
    assert catalogue.settings(choice, 4, "cpu").fidelity == 0.1


def test_what_a_method_does_not_offer_makes_no_difference(catalogue: Catalogue) -> None:
    # Otherwise the same interpolation would be computed twice.
    one = ResultChoice("bicubic", fidelity=0.2, back_projection=True)
    other = ResultChoice("bicubic", model="gan-fast", back_projection=False)
    assert catalogue.settings(one, 4, "cpu") == catalogue.settings(other, 4, "cpu")
    pixel = ResultChoice("pixel", fidelity=0.2)
    assert catalogue.settings(pixel, 4, "cpu").fidelity is None


def test_a_network_s_counterpart_has_the_same_architecture(catalogue: Catalogue) -> None:
    best = catalogue.network("gan", "gan-best")
    assert catalogue.counterpart("pixel", best) == "pixel-best"
    assert catalogue.counterpart("gan", catalogue.network("pixel", "pixel-best")) == "gan-best"
    assert catalogue.counterpart("bicubic", best) is None
    assert catalogue.counterpart("pixel", None) is None


def test_networks_are_told_apart_by_short_names_or_by_their_titles() -> None:
    assert labels(NETWORKS["gan"]) == ["Fast", "Best"]
    own = NetworkInfo("own-fast", "Tuned on our camera", "pixel-fast", 0.5)
    assert labels([*NETWORKS["gan"], own]) == ["Fast GAN", "Best", "Tuned on our camera"]


def test_only_the_same_method_at_the_same_scale_is_a_placeholder() -> None:
    now = EnhanceSettings("gan", 4, "cpu", "gan-fast", 0.7)
    assert replace(now, fidelity=0.2).is_placeholder_for(now)
    assert replace(now, back_projection=False).is_placeholder_for(now)
    assert not now.is_placeholder_for(now)
    assert not replace(now, scale=8).is_placeholder_for(now)
    assert not replace(now, method="pixel").is_placeholder_for(now)


def test_the_command_line_replaces_what_was_remembered(catalogue: Catalogue) -> None:
    settings = Settings(method="bicubic", model="gan-best", fidelity=0.3)
    Start().put_into(settings, catalogue)
    assert (settings.method, settings.fidelity) == ("bicubic", 0.3)
    Start(model="gan-best", fidelity=0.9, scale=8, back_projection=False).put_into(
        settings, catalogue
    )
    assert (settings.method, settings.model, settings.fidelity) == ("gan", "gan-best", 0.9)
    assert (settings.scale, settings.back_projection) == (8, False)
    Start(method="pixel").put_into(settings, catalogue)
    assert (settings.method, settings.model, settings.fidelity) == ("pixel", None, None)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (Start(method="magic"), "no method 'magic'"),
        (Start(method="pixel", model="gan-fast"), "no model 'gan-fast'"),
        (Start(model="other"), "no model 'other'"),
        (Start(method="pixel", fidelity=0.5), "no fidelity"),
        (Start(method="gan", fidelity=1.5), "1.5 is not possible"),
    ],
)
def test_what_does_not_fit_is_refused(catalogue: Catalogue, start: Start, message: str) -> None:
    with pytest.raises(UserError, match=message):
        start.put_into(Settings(), catalogue)


def test_each_scale_may_have_a_default_of_its_own() -> None:
    network = NetworkInfo("gan", "GAN", "pixel", {2: 0.6, 4: 0.3})
    one = Catalogue([method("gan", True)], "gan", lambda _: [network])
    assert one.settings(ResultChoice("gan"), 2, "cpu").fidelity == 0.6
    assert one.settings(ResultChoice("gan"), 4, "cpu").fidelity == 0.3
    chosen = ResultChoice("gan", fidelity=0.9)
    assert one.settings(chosen, 4, "cpu").fidelity == 0.9
