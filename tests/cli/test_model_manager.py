"""The actions of ``models`` that change something."""

import json
from pathlib import Path

import pytest

from retina_viewer.cli import main
from retina_viewer.model_store.store import DEFAULT_MODELS, find_model, list_models
from tests.model_store.models import make_run, own, own_pair


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_training_is_kept_used_and_rolled_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "run", conclusion="worse")
    assert main(["models", "accept", str(run), "clinic"]) == 1
    assert "only for a reason" in capsys.readouterr().err
    asked = ["models", "accept", str(run), "clinic", "--reason", "discs", "--default", "--json"]
    assert main(asked) == 0
    assert [event["event"] for event in events(capsys)] == ["installed", "default"]
    assert find_model("clinic").reason == "discs"
    assert main(["models", "list"]) == 0
    starred = [line for line in capsys.readouterr().out.splitlines() if line.startswith("* ")]
    assert any(line.startswith("* clinic ") for line in starred)
    assert main(["models", "default"]) == 0
    assert "chosen" in capsys.readouterr().out
    assert main(["models", "rollback", "superres", "--json"]) == 0
    assert events(capsys)[0]["name"] == DEFAULT_MODELS["superres"]
    assert main(["models", "rollback", "superres"]) == 1


def test_default_names_a_model_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    own("clinic")
    assert main(["models", "default", "clinic"]) == 0
    assert main(["models", "default", "unheard-of"]) == 1
    capsys.readouterr()
    assert main(["models", "default", "--json"]) == 0
    assert {"event": "default", "task": "superres", "name": "clinic", "chosen": True} in events(
        capsys
    )


def test_title_note_and_lineage(capsys: pytest.CaptureFixture[str]) -> None:
    own("clinic", parent="pixel 1")
    assert main(["models", "rename", "clinic", "Clinic B"]) == 0
    assert main(["models", "note", "clinic", "left camera"]) == 0
    capsys.readouterr()
    assert main(["models", "note", "clinic"]) == 0
    assert capsys.readouterr().out == "left camera\n"
    assert main(["models", "lineage", "clinic"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "clinic: version 1, Clinic B"
    assert said[1].startswith("  from pixel: version 1")
    assert main(["models", "rename", "pixel", "Mine"]) == 1


def test_a_model_goes_out_and_comes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own("clinic")
    assert main(["models", "export", "clinic", "-o", str(tmp_path)]) == 0
    assert main(["models", "export", "clinic", "-o", str(tmp_path)]) == 1  # it exists
    (tmp_path / "bad.rvmodel").write_bytes(b"no model")
    capsys.readouterr()
    files = [str(tmp_path / name) for name in ("bad.rvmodel", "clinic.rvmodel")]
    assert main(["models", "import", "--json", *files]) == 1  # the other one was installed
    assert [event["name"] for event in events(capsys) if event["event"] == "installed"] == [
        "clinic-v2"
    ]


def test_deleting_asks_unless_told_not_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own_pair()
    assert main(["models", "delete", "gan"]) == 2
    assert "Add --yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert main(["models", "delete", "gan"]) == 0
    assert find_model("gan")
    monkeypatch.setattr("builtins.input", lambda question: "gan")
    assert main(["models", "delete", "gan", "--with-twin"]) == 0
    assert not {"gan", "twin"} & {card.name for card in list_models()}
    assert main(["models", "delete", "pixel", "--yes"]) == 1


@pytest.mark.parametrize(
    "arguments", [["rollback", "cooking"], ["delete"], ["import"], ["rename", "x"], ["accept"]]
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["models", *arguments])
    assert caught.value.code == 2
