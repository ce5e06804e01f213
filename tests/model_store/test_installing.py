"""How a model gets its name."""

import os
import time
from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store import installing
from retina_viewer.model_store.installing import copy_model, install, staging, taken_names
from retina_viewer.model_store.store import find_model, list_models, verify_model
from tests.model_store.models import make_cascade, own


def test_a_name_that_another_process_took_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both had looked before either had written; the pair is named together all the same."""
    there = own("clinic", seed=9)
    asked: list[int] = []

    def stale() -> list[str]:
        asked.append(1)
        return [] if len(asked) == 1 else taken_names()

    monkeypatch.setattr(installing, "taken_names", stale)
    gan = make_cascade(tmp_path / "gan", seed=1, twin="twin", fidelity=0.5)
    twin = make_cascade(tmp_path / "twin", seed=2)
    with staging() as folder:
        copy_model(tmp_path / "gan", folder / "model", gan)
        copy_model(tmp_path / "twin", folder / "twin", twin)
        card = install(folder / "model", "clinic", folder / "twin")
    assert (card.name, card.twin) == ("clinic-v2", "clinic-pixel-v2")
    assert len(asked) == 2
    assert find_model("clinic") == there
    own_names = {path.name for path in user_models_dir().iterdir()}
    assert own_names == {"clinic", "clinic-v2", "clinic-pixel-v2"}
    verify_model(find_model("clinic-pixel-v2"))


def test_what_a_killed_process_left_is_no_model_and_goes_after_a_day(tmp_path: Path) -> None:
    make_cascade(tmp_path / "mine")
    for name, age in ((".part-old", 48 * 3600), (".part-new", 60)):
        make_cascade(user_models_dir() / name, name="mine")
        then = time.time() - age
        os.utime(user_models_dir() / name, (then, then))
    assert "mine" not in {card.name for card in list_models()}
    with staging() as folder:
        assert folder.is_dir()
    assert [path.name for path in user_models_dir().iterdir()] == [".part-new"]


def test_a_damaged_twin_keeps_the_pair_out(tmp_path: Path) -> None:
    gan = make_cascade(tmp_path / "gan", seed=1, twin="twin", fidelity=0.5)
    twin = make_cascade(tmp_path / "twin", seed=2)
    twin.weights_file.write_bytes(b"damaged")
    with pytest.raises(UserError, match="not those its card names"), staging() as folder:
        copy_model(tmp_path / "gan", folder / "model", gan)
        copy_model(tmp_path / "twin", folder / "twin", twin)
        install(folder / "model", "clinic", folder / "twin")
    assert list(user_models_dir().iterdir()) == []
