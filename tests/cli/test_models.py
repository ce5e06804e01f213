"""models and info."""

import json
import shutil
from pathlib import Path

import pytest

from retina_viewer.cli import main
from retina_viewer.core.paths import shipped_models_dir, user_models_dir
from retina_viewer.model_store.card import WEIGHTS_FILE


def test_every_shipped_model_is_listed_and_sound(capsys: pytest.CaptureFixture[str]) -> None:
    shipped = {path.parent.name for path in shipped_models_dir().glob("*/card.json")}
    assert {"pixel", "vessels-unet"} <= shipped
    assert main(["models", "list", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["name"] for event in events} == shipped
    assert main(["models", "verify"]) == 0
    assert capsys.readouterr().out.count(": sound") == len(shipped)


def test_show_gives_the_whole_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", "pixel"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["task"] == "superres"
    assert len(card["weights_sha256"]) == 64
    assert main(["models", "show", "unheard-of"]) == 1
    assert "Installed: " in capsys.readouterr().err


def test_damaged_weights_are_found_and_the_others_still_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mine = user_models_dir() / "mine"
    shutil.copytree(shipped_models_dir() / "pixel", mine)
    card = (mine / "card.json").read_text(encoding="utf-8")
    (mine / "card.json").write_text(
        card.replace('"name": "pixel"', '"name": "mine"'), encoding="utf-8"
    )
    with (mine / WEIGHTS_FILE).open("r+b") as stream:
        stream.seek(-1, 2)
        last = stream.read(1)
        stream.seek(-1, 2)
        stream.write(bytes([last[0] ^ 1]))
    assert main(["models", "verify"]) == 1
    said = capsys.readouterr()
    assert "mine" in said.err
    assert "pixel: sound" in said.out
    assert main(["models", "verify", "pixel"]) == 0


def test_a_model_whose_card_is_broken_is_not_passed_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (user_models_dir() / "mine").mkdir(parents=True)
    (user_models_dir() / "mine" / "card.json").write_text("{}", encoding="utf-8")
    assert main(["models", "verify"]) == 1
    assert "The card of the model in mine is wrong" in capsys.readouterr().err


def test_info_names_versions_and_devices_and_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER", "dr-somebody")
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    for word in ("retina-viewer", "Python", "torch", "PySide6_Essentials", "device cpu"):
        assert word in said
    assert "dr-somebody" not in said
    assert str(Path.home()) not in said
    assert main(["info", "--json"]) == 0
    event = json.loads(capsys.readouterr().out)
    assert event["devices"][-1]["id"] == "cpu"
