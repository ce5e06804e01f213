"""The gate on tiny models and crops of the bundled photographs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.paths import user_models_dir
from retina_viewer.finetuning.tuning_data import replayed
from retina_viewer.model_store.card import ModelCard, read_card
from retina_viewer.model_store.store import find_model
from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.candidates import Candidate
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.gate import SuperresFigures, general_photographs, judge
from tests.untrained import add_cascade

pytestmark = pytest.mark.slow

CPU = resolve_device("cpu")


@pytest.fixture
def crops(samples: Path, tmp_path: Path) -> Callable[..., list[Photograph]]:
    """``crops(count, side)``: crops of one photograph, each as if of another patient."""

    def make(count: int, side: int = 80) -> list[Photograph]:
        found = []
        with (
            Image.open(samples / "chase_14L.jpg") as picture,
            Image.open(samples / "chase_14L_vessels.png") as drawn,
        ):
            for number in range(count):
                box = (330 + 40 * number, 400, 330 + 40 * number + side, 400 + side)
                image, vessels = (tmp_path / f"{kind}_smith_{number}.png" for kind in "pv")
                picture.crop(box).save(image)
                drawn.crop(box).save(vessels)
                name = f"smith_{number}"
                found.append(Photograph("own", name, name, image, vessels=vessels))
        return found

    return make


@pytest.fixture
def whole(samples: Path, tmp_path: Path) -> Photograph:
    """A whole photograph with its vessels, 400 x 384 pixels."""
    image, vessels = tmp_path / "whole.png", tmp_path / "whole_vessels.png"
    for name, path in (("chase_14L.jpg", image), ("chase_14L_vessels.png", vessels)):
        with Image.open(samples / name) as picture:
            mode = "RGB" if path is image else "L"
            picture.convert(mode).resize((400, 384), Image.Resampling.BOX).save(path)
    return Photograph("own", "whole", "whole", image, vessels=vessels)


def uninstalled(name: str, folder: Path, **how: float) -> ModelCard:
    """A model that lies in a run's folder, not among the installed ones."""
    add_cascade(name, **how)  # type: ignore[arg-type]
    (user_models_dir() / name).rename(folder / name)
    return read_card(folder / name)


def test_a_model_that_is_closer_to_the_truth_is_better(
    crops: Callable[..., list[Photograph]], tmp_path: Path
) -> None:
    """The base adds random patterns to bicubic interpolation, the tuned model none."""
    base, tuned = add_cascade("base"), uninstalled("tuned", tmp_path, strength=0.0)
    held_out = crops(6)
    general = [replace(held_out[0], id="camera", patient="camera")]
    found = judge(base, tuned, held_out, general, device="cpu", log=tmp_path / "log.jsonl")
    assert found.conclusion == "better"
    assert (found.patients, found.photographs, len(found.values)) == (6, 6, 24)
    assert {(one.scale, one.kernel) for one in found.values} == {
        (2, "gaussian"), (2, "bicubic"), (4, "gaussian"), (4, "bicubic")
    }  # fmt: skip
    measured = {one.metric: one for one in found.comparisons}
    assert set(measured) == {"psnr", "lpips", "ssim", "consistency", "drift"}
    assert measured["psnr"].gain > 1
    assert "smith" not in found.model_dump_json() + (tmp_path / "log.jsonl").read_text()
    # The log holds all, so the other way round needs no measuring, and says the opposite.
    before = (tmp_path / "log.jsonl").read_text()
    turned = judge(tuned, base, held_out, general, device="cpu", log=tmp_path / "log.jsonl")
    assert turned.conclusion == "worse"
    assert turned.forgets
    assert (tmp_path / "log.jsonl").read_text() == before


def test_a_cancelled_comparison_goes_on_where_it_was(
    crops: Callable[..., list[Photograph]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, tuned = add_cascade("base"), add_cascade("tuned", seed=2)
    held_out, log = crops(2), tmp_path / "log.jsonl"
    counted: list[int] = []
    real = SuperresFigures.figures

    def counting(self: SuperresFigures, *arguments: object) -> dict[str, float]:
        counted.append(1)
        return real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(SuperresFigures, "figures", counting)

    def cancel(fraction: float, what: str) -> None:
        if fraction >= 0.5:
            raise Cancelled

    def compare(**how: object) -> object:
        return judge(base, tuned, held_out, [], scales=[2], device="cpu", log=log, **how)  # type: ignore[arg-type]

    with pytest.raises(Cancelled):
        compare(progress=cancel)
    assert len(counted) == 4
    assert compare() == judge(base, tuned, held_out, [], scales=[2], device="cpu")
    assert len(counted) == 4 + 4 + 8


def test_progress_rises_to_its_end(crops: Callable[..., list[Photograph]]) -> None:
    card, seen = add_cascade("base"), list[float]()
    judge(
        card, card, crops(1), crops(1), scales=[2], device="cpu",
        progress=lambda fraction, what: seen.append(fraction),
    )  # fmt: skip
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) > 8


def test_vessels_of_result_and_truth_are_compared(whole: Photograph) -> None:
    card = add_cascade("base", strength=0.0)
    found = judge(card, card, [whole], [], scales=[2], device="cpu")
    agreement = found.values[0].base["vessel_dice"]
    assert 0.6 < agreement < 1


def test_vessel_models_are_compared_with_drawn_vessels(
    whole: Photograph,
) -> None:
    base = find_model("vessels-unet")
    timid = base.model_copy(update={"threshold": 0.999})
    photographs = [whole]
    found = judge(base, timid, photographs, [], device="cpu")
    value = found.values[0]
    assert value.base["auc"] == value.tuned["auc"] > 0.9
    assert value.base["dice"] > value.tuned["dice"]
    blank = whole.vessels
    assert blank is not None
    Image.fromarray(np.zeros((384, 400), np.uint8)).save(blank)
    empty = judge(base, base, photographs, [], device="cpu").values[0]
    assert set(empty.base) == {"dice"}
    Image.fromarray(np.zeros((10, 10), np.uint8)).save(blank)
    with pytest.raises(UserError, match="not of the photograph's size"):
        judge(base, base, photographs, [], device="cpu")


def test_a_photograph_too_small_for_a_scale_is_left_out(
    crops: Callable[..., list[Photograph]],
) -> None:
    """At x4 twelve pixels of every rim do not count."""
    card = add_cascade("base")
    found = judge(card, card, crops(1, 24), [], device="cpu")
    assert {one.scale for one in found.values} == {2}


def test_a_twin_that_is_not_installed_takes_part(
    crops: Callable[..., list[Photograph]], tmp_path: Path
) -> None:
    twin = uninstalled("twin", tmp_path, strength=0.0)
    card = add_cascade("gan", twin="twin", fidelity=1.0)
    with pytest.raises(UserError, match="'twin'"):
        Candidate(card, CPU).enhancer(2)
    mixed = Candidate(card, CPU, twin)
    other = add_cascade("other", seed=5)
    assert mixed.identity() != Candidate(card, CPU, other).identity()
    held_out = crops(1)
    gan = judge(twin, card, held_out, [], scales=[2], device="cpu", tuned_twin=twin)
    assert gan.values[0].base == gan.values[0].tuned  # fidelity 1 is the twin


def test_models_that_cannot_be_compared_are_refused(
    crops: Callable[..., list[Photograph]],
) -> None:
    base = add_cascade("base")
    with pytest.raises(UserError, match="different tasks"):
        judge(base, find_model("vessels-unet"), crops(1), [])
    with pytest.raises(UserError, match="no scale in common"):
        judge(base, base, crops(1), [], scales=[8])


def test_what_is_practised_is_not_the_test() -> None:
    general = general_photographs("superres")
    assert [one.id for one in general] == ["chase_14L", "fives_28_A", "hrf_08_h", "idrid_53_half"]
    labelled = general_photographs("vessels")
    assert [one.id for one in labelled] == ["chase_14L", "fives_28_A", "hrf_08_h"]
    assert all(one.read_vessels().any() for one in labelled)
    patients = {one.patient.rstrip("LR") for one in general}
    assert not patients & {one.patient for one in replayed(with_vessels=False)}
    with pytest.raises(UserError, match="no vessel mask"):
        replace(general[0], vessels=None).read_vessels()
