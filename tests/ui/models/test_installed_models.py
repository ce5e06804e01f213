"""What is said of a model."""

from pathlib import Path

import pytest

from retina_viewer.model_store.card import Conclusion
from retina_viewer.model_store.own_models import accept
from retina_viewer.model_store.store import DEFAULT_MODELS
from retina_viewer.ui.models.installed_models import (
    ModelEntry,
    card_rows,
    read_installed,
    subtitle,
    verdict_heading,
    verdict_sentences,
)
from tests.model_store.models import make_run, own_pair


def entry_of(name: str) -> ModelEntry:
    found = read_installed().entry(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("conclusion", "word"),
    [("better", "Better"), ("worse", "Worse"), ("no difference", "No difference"),
     ("too few", "Too few"), (None, "Was not judged")],
)  # fmt: skip
def test_the_verdict_comes_first_in_plain_words(
    tmp_path: Path, conclusion: Conclusion | None, word: str
) -> None:
    accept(make_run(tmp_path / "run", conclusion=conclusion), "clinic", "Clinic A", "to try it")
    entry = entry_of("clinic")
    assert verdict_heading(entry).startswith(word)
    assert "Kept because: to try it" in verdict_sentences(entry)


def test_the_card_names_counts_and_no_people(tmp_path: Path) -> None:
    accept(make_run(tmp_path / "run"), "clinic", "Clinic A")
    rows = dict(card_rows(entry_of("clinic")))
    assert rows["Trained on"] == "12 own photographs; 6 patients"
    assert rows["For"] == "Enlargement, ×2 ×4"
    assert rows["Weights"].startswith("SHA-256 ")


def test_shipped_models_show_what_was_measured() -> None:
    entry = entry_of("pixel")
    assert verdict_heading(entry) == "Comes with the program"
    assert subtitle(entry) == "pixel, shipped"


def test_ones_own_come_before_the_shipped_and_the_default_first() -> None:
    own_pair()
    installed = read_installed()
    names = [one.card.name for one in installed.of("superres")]
    assert names[0] == DEFAULT_MODELS["superres"]
    assert set(names[1:3]) == {"gan", "twin"}
    gan = installed.entry("gan")
    assert gan is not None and gan.lonely_twin is not None
    assert dict(card_rows(gan))["Twin"] == "twin, its share by default 25 %"
