"""A model as one file: there and back, and everything that is refused on the way in."""

import hashlib
import io
import json
import os
import pickle
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.archive import export_model, import_model
from retina_viewer.model_store.card import CARD_FILE, WEIGHTS_FILE
from retina_viewer.model_store.own_models import delete, set_note
from retina_viewer.model_store.store import find_model, load_network, verify_model
from tests.model_store.models import HISTORY, make_unet, own, own_pair

Contents = dict[str, bytes]
MANIFEST = "manifest.json"


@pytest.fixture
def sound(tmp_path: Path) -> Contents:
    """The files of an exported model that is no longer installed."""
    own("clinic")
    set_note("clinic", "the person's own words")
    (user_models_dir() / "clinic" / "history.json").write_text(json.dumps(HISTORY))
    exported = export_model("clinic", tmp_path)
    delete("clinic")
    with zipfile.ZipFile(exported) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    exported.unlink()
    return contents


def pack(contents: Contents, path: Path, *, manifest: bool = True) -> Path:
    """A zip of these files, by default with a table of contents that fits them."""
    if manifest:
        files = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in contents.items()
            if name != MANIFEST
        }
        about = {"format": 1, "program": "0", "files": files}
        contents = contents | {MANIFEST: json.dumps(about).encode()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def refuse(path: Path, match: str) -> None:
    """Importing fails with these words and leaves nothing behind."""
    before = sorted(user_models_dir().iterdir()) if user_models_dir().exists() else []
    with pytest.raises(UserError, match=match):
        import_model(path)
    assert sorted(user_models_dir().iterdir()) == before


def with_card(contents: Contents, **changes: Any) -> Contents:
    card = json.loads(contents[CARD_FILE]) | changes
    return contents | {CARD_FILE: json.dumps(card).encode()}


def with_weights(contents: Contents, content: bytes) -> Contents:
    digest = hashlib.sha256(content).hexdigest()
    return with_card(contents | {WEIGHTS_FILE: content}, weights_sha256=digest)


def test_a_model_comes_back_with_its_curves_and_without_the_note(tmp_path: Path) -> None:
    card = own("clinic")
    set_note("clinic", "the person's own words")
    (user_models_dir() / "clinic" / "history.json").write_text(json.dumps(HISTORY))
    exported = export_model("clinic", tmp_path)
    assert exported == tmp_path / "clinic.rvmodel"
    assert b"own words" not in b"".join(
        zipfile.ZipFile(exported).read(name) for name in zipfile.ZipFile(exported).namelist()
    )
    expected = load_network(card).state_dict()
    delete("clinic")
    back = import_model(exported)
    assert back == card
    loaded = load_network(back).state_dict()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)
    assert json.loads((user_models_dir() / "clinic" / "history.json").read_text()) == HISTORY
    assert not (user_models_dir() / "clinic" / "note.txt").exists()


def test_importing_again_is_another_version_and_overwrites_nothing(tmp_path: Path) -> None:
    own("clinic")
    exported = export_model("clinic", tmp_path / "a.rvmodel")
    before = (user_models_dir() / "clinic" / CARD_FILE).read_bytes()
    assert [import_model(exported).name for _ in range(2)] == ["clinic-v2", "clinic-v3"]
    assert (user_models_dir() / "clinic" / CARD_FILE).read_bytes() == before
    assert find_model("clinic-v3").version == "3"
    assert len(list(user_models_dir().iterdir())) == 3


def test_a_shipped_model_travels_too(tmp_path: Path) -> None:
    back = import_model(export_model("vessels-unet", tmp_path))
    assert back.name == "vessels-unet-v2"
    assert back.weights_sha256 == find_model("vessels-unet").weights_sha256


def test_a_saliency_gan_travels_with_its_twin(tmp_path: Path) -> None:
    gan, twin = own_pair()
    exported = export_model("gan", tmp_path)
    back = import_model(exported)
    assert (back.name, back.twin, back.fidelity) == ("gan-v2", "gan-pixel-v2", 0.25)
    assert find_model("gan-pixel-v2").weights_sha256 == twin.weights_sha256
    verify_model(find_model(gan.name))


def test_the_same_model_gives_the_same_file(tmp_path: Path) -> None:
    own("clinic")
    first = export_model("clinic", tmp_path / "a.rvmodel").read_bytes()
    assert export_model("clinic", tmp_path / "b.rvmodel").read_bytes() == first


def test_exporting_overwrites_nothing_and_no_damaged_model_leaves(tmp_path: Path) -> None:
    card = own("clinic")
    export_model("clinic", tmp_path)
    with pytest.raises(UserError, match="exists already"):
        export_model("clinic", tmp_path)
    with pytest.raises(UserError, match="no name of a model file"):
        export_model("clinic", tmp_path / "clinic.zip")
    card.weights_file.write_bytes(b"damaged")
    with pytest.raises(UserError, match="not those its card names"):
        export_model("clinic", tmp_path / "other.rvmodel")
    assert not (tmp_path / "other.rvmodel").exists()


def test_the_repacked_sound_file_is_taken(sound: Contents, tmp_path: Path) -> None:
    """The other tests change one thing of it."""
    assert import_model(pack(sound, tmp_path / "a.rvmodel")).name == "clinic"


def test_a_cancelled_import_leaves_nothing(sound: Contents, tmp_path: Path) -> None:
    def cancel(fraction: float, what: str) -> None:
        if what == WEIGHTS_FILE:
            raise Cancelled

    with pytest.raises(Cancelled):
        import_model(pack(sound, tmp_path / "a.rvmodel"), cancel)
    assert list(user_models_dir().iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../outside.txt", "/outside.txt", "..\\outside.txt", "C:outside.txt", "twin/../../x",
        "readme.txt", "twin/", "CARD.JSON", "history.json/x",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere_or_do_not_belong_are_refused(
    sound: Contents, tmp_path: Path, name: str
) -> None:
    path = pack(sound | {name: b"x"}, tmp_path / "a.rvmodel")
    refuse(path, "does not belong")
    assert not (user_models_dir().parent / "outside.txt").exists()


@pytest.mark.parametrize("name", ["weights.pt", "model.pkl", "twin/weights.PTH", "pytorch.bin"])
def test_pickles_are_refused_by_name(sound: Contents, tmp_path: Path, name: str) -> None:
    refuse(pack(sound | {name: b"x"}, tmp_path / "a.rvmodel"), "can run code")


class _Dangerous:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_pickles_in_the_place_of_weights_are_refused_and_never_run(
    sound: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    stream = io.BytesIO()
    if kind == "torch":
        torch.save({"weight": torch.zeros(4), "x": _Dangerous()}, stream)
    else:
        pickle.dump(_Dangerous(), stream)
    size = len(sound[WEIGHTS_FILE])
    for content in (stream.getvalue(), stream.getvalue().ljust(size, b"\0")):
        refuse(pack(with_weights(sound, content), tmp_path / "a.rvmodel"), r"size|do not fit")
    assert not (tmp_path / "ran").exists()


def test_links_are_refused(sound: Contents, tmp_path: Path) -> None:
    path = pack({name: sound[name] for name in sound if name != "history.json"}, tmp_path / "a")
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("history.json")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    refuse(path, "link")


def test_a_name_that_is_there_twice_is_refused(sound: Contents, tmp_path: Path) -> None:
    path = pack(sound, tmp_path / "a.rvmodel")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr(CARD_FILE, sound[CARD_FILE])
    refuse(path, "twice")


def patched_size(path: Path, name: str, size: int) -> Path:
    """The file with another uncompressed size declared for one entry, in both of zip's places."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        header = archive.getinfo(name).header_offset
    content[header + 22 : header + 26] = size.to_bytes(4, "little")
    place = content.find(b"PK\x01\x02")
    while content[place + 46 : place + 46 + len(name)] != name.encode():
        place = content.find(b"PK\x01\x02", place + 1)
    content[place + 24 : place + 28] = size.to_bytes(4, "little")
    path.write_bytes(content)
    return path


def test_a_bomb_is_refused_by_its_declared_size(sound: Contents, tmp_path: Path) -> None:
    path = pack(sound | {"history.json": b"0" * (17 * 2**20)}, tmp_path / "a.rvmodel")
    assert path.stat().st_size < 2**20
    refuse(path, "larger than any model's")


def test_a_bomb_that_lies_about_its_size_is_stopped(sound: Contents, tmp_path: Path) -> None:
    bomb = pack(sound | {"history.json": b"0" * (17 * 2**20)}, tmp_path / "a.rvmodel")
    refuse(patched_size(bomb, "history.json", 1000), r"damaged|larger than it says")
    longer = pack(sound, tmp_path / "b.rvmodel")
    refuse(patched_size(longer, "history.json", len(sound["history.json"]) + 9), r"damaged|shorter")


def test_weights_of_a_size_that_the_architecture_has_not_are_refused_unread(
    sound: Contents, tmp_path: Path
) -> None:
    bomb = with_weights(sound, b"\0" * (64 * 2**20))
    refuse(pack(bomb, tmp_path / "a.rvmodel"), "not the size")


@pytest.mark.parametrize(
    "steps",
    [
        [{"maps": 10**9, "blocks": 1}],
        [{"maps": 4, "blocks": 10**9}],
        [{"maps": 4, "blocks": 1}] * 10_000,
        [{"maps": 4.5, "blocks": 1}],
        [{"maps": -4, "blocks": 1}],
        [{"maps": 4, "blocks": 1, "unshuffle": 3}],
        [{"maps": 4, "blocks": 1}, [[]]],
        ["residual", None],
        {"maps": 4},
    ],
    ids=["wide", "deep", "many", "fraction", "negative", "another", "list", "words", "no list"],
)
def test_networks_that_are_none_of_this_program_are_refused_at_once(
    sound: Contents, tmp_path: Path, steps: Any
) -> None:
    bomb = with_card(sound, parameters={"steps": steps})
    refuse(pack(bomb, tmp_path / "a.rvmodel"), r"larger than any|do not fit|built|not the size")


def test_a_file_that_is_not_what_the_contents_name_is_refused(
    sound: Contents, tmp_path: Path
) -> None:
    other = sound | {"history.json": b"[]"}
    refuse(pack(other, tmp_path / "a.rvmodel", manifest=False), "not what its table")
    changed = bytearray(sound[WEIGHTS_FILE])
    changed[-1] ^= 1
    # Hashes in the manifest that fit do not help: the card has one of its own.
    refuse(pack(sound | {WEIGHTS_FILE: bytes(changed)}, tmp_path / "b.rvmodel"), "not those")


def test_weights_that_are_not_numbers_are_refused(sound: Contents, tmp_path: Path) -> None:
    state = load(sound[WEIGHTS_FILE])
    first = next(iter(state.values()))
    first.view(-1)[0] = float("nan")
    refuse(pack(with_weights(sound, save(state)), tmp_path / "a.rvmodel"), "not all numbers")


def test_weights_of_other_names_are_refused(sound: Contents, tmp_path: Path) -> None:
    state = {f"other.{name}": value for name, value in load(sound[WEIGHTS_FILE]).items()}
    refuse(pack(with_weights(sound, save(state)), tmp_path / "a.rvmodel"), "do not fit")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"surprise": 1}, "surprise"),
        ({"name": "../up"}, "name"),
        ({"task": "cooking"}, "task"),
        ({"architecture": "transformer"}, "architecture"),
        ({"architecture": "unet", "parameters": {"widths": [4]}}, "architecture"),
        ({"task": "vessels"}, "architecture"),
        ({"scales": [2, 4, 8]}, "scales or margins"),
        ({"margins": [0, 0]}, "scales or margins"),
        ({"twin": "x", "fidelity": 0.5}, "belong together"),
        ({"fidelity": 2}, "card"),
        ({"validation": {"stage1": float("nan")}}, "validation"),
        ({"validation": {"stage1": float("-inf")}}, "validation"),
        ({"method": "linear"}, "method"),
        ({"method": "sr-forest"}, "method"),
    ],
    ids=str,
)
def test_cards_that_promise_something_else_are_refused(
    sound: Contents, tmp_path: Path, changes: dict[str, Any], match: str
) -> None:
    refuse(pack(with_card(sound, **changes), tmp_path / "a.rvmodel"), match)


@pytest.mark.parametrize(
    "changes", [{"threshold": 1.5}, {"threshold": None}, {"field_diameter": 9}]
)
def test_vessel_models_without_their_settings_are_refused(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    make_unet(user_models_dir() / "vein")
    exported = export_model("vein", tmp_path)
    with zipfile.ZipFile(exported) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    refuse(pack(with_card(contents, **changes), tmp_path / "a.rvmodel"), r"threshold|resolution")


@pytest.mark.parametrize("missing", [MANIFEST, CARD_FILE, WEIGHTS_FILE])
def test_what_lacks_a_part_is_refused(sound: Contents, tmp_path: Path, missing: str) -> None:
    rest = {name: content for name, content in sound.items() if name != missing}
    refuse(pack(rest, tmp_path / "a.rvmodel", manifest=missing != MANIFEST), "lacks")


def test_a_twin_that_does_not_fit_is_refused(sound: Contents, tmp_path: Path) -> None:
    twin = {f"twin/{name}": sound[name] for name in (CARD_FILE, WEIGHTS_FILE)}
    refuse(pack(sound | twin, tmp_path / "a.rvmodel"), "belong together")
    gan = with_card(sound, twin="x", fidelity=0.5)
    make_unet(user_models_dir() / "vein")
    with zipfile.ZipFile(export_model("vein", tmp_path)) as archive:
        other = {f"twin/{name}": archive.read(name) for name in (CARD_FILE, WEIGHTS_FILE)}
    refuse(pack(gan | other, tmp_path / "b.rvmodel"), "one architecture")
    assert import_model(pack(gan | twin, tmp_path / "c.rvmodel")).twin == "clinic-pixel"


def test_files_of_other_kinds_are_refused(
    sound: Contents, tmp_path: Path, sample_path: Callable[[str], Path]
) -> None:
    user_models_dir().mkdir(parents=True, exist_ok=True)
    refuse(sample_path("chase_14L.jpg"), "of another kind")
    (tmp_path / "empty.rvmodel").touch()
    refuse(tmp_path / "empty.rvmodel", "of another kind")
    whole = pack(sound, tmp_path / "a.rvmodel").read_bytes()
    (tmp_path / "half.rvmodel").write_bytes(whole[: len(whole) // 2])
    refuse(tmp_path / "half.rvmodel", "of another kind")
    refuse(tmp_path / "nothing.rvmodel", "cannot be read")
    newer = {"format": 2, "program": "9", "files": {}}
    contents = sound | {MANIFEST: json.dumps(newer).encode()}
    refuse(pack(contents, tmp_path / "new.rvmodel", manifest=False), "format 2")


@given(st.lists(st.tuples(st.integers(0, 2**31), st.binary(min_size=1, max_size=8)), min_size=1))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_changed_it_is_refused_in_words_or_harmless(
    sound: Contents, tmp_path: Path, changes: list[tuple[int, bytes]]
) -> None:
    path = pack(sound, tmp_path / "a.rvmodel")
    content = bytearray(path.read_bytes())
    for place, new in changes:
        start = place % len(content)
        content[start : start + len(new)] = new
    path.write_bytes(content)
    try:
        card = import_model(path)
    except UserError:
        return
    verify_model(card)  # a date in the zip was changed, or the like
    delete(card.name)


def test_any_flipped_byte_is_noticed(sound: Contents, tmp_path: Path) -> None:
    whole = pack(sound, tmp_path / "a.rvmodel").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.rvmodel") as archive:
        place = archive.getinfo(WEIGHTS_FILE).header_offset + 200
    changed = bytearray(whole)
    changed[place] ^= 0xFF
    (tmp_path / "b.rvmodel").write_bytes(changed)
    refuse(tmp_path / "b.rvmodel", r"damaged|not what its table")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.rvmodel")
    with pytest.raises(UserError, match="cannot be read"):
        import_model(tmp_path / "pipe.rvmodel")
