"""Two processes with a batch each do what one does with both; whatever fails ends both."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from retina_viewer.core.errors import UserError
from retina_viewer.training.checkpoint import load_checkpoint
from retina_viewer.training.distributed import ALONE, joined
from retina_viewer.training.loop import run_stage
from retina_viewer.training.task import TrainContext
from studies.train import train
from tests.studies.test_run import tiny
from tests.training.together import DuelTask, weights

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
IN_FLOAT32 = (  # the precision is chosen by time, and two trainings that differ cannot be compared
    "import sys, torch\n"
    "from retina_viewer.training import loop\n"
    "loop.fastest_precision = lambda device: torch.float32\n"
    "from studies.__main__ import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)
TIMEOUT = 900  # seconds; a busy machine is slow, a deadlock is for ever


def two_processes(arguments: Sequence[str]) -> list[subprocess.CompletedProcess[str]]:
    """Run the same command twice with the environment that ``torchrun`` gives."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {
        **os.environ,
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    started = [
        subprocess.Popen(
            [sys.executable, *arguments],
            env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    ended = []
    for process in started:
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
        ended.append(subprocess.CompletedProcess(arguments, process.returncode, out, err))
    return ended


def test_two_processes_broken_off_and_gone_on_are_one_with_twice_the_batch(
    tmp_path: Path,
) -> None:
    for process in two_processes([str(ROOT / "tests/training/together.py"), str(tmp_path), "3"]):
        assert process.returncode == 0, process.stderr
    alone = DuelTask(6)
    where = TrainContext(tmp_path / "alone.safetensors", 3, torch.device("cpu"), lambda event: None)
    run_stage(alone, 0, where)
    started = weights(DuelTask(6))
    first, second = (np.load(tmp_path / f"{rank}.npz") for rank in range(2))
    np.testing.assert_array_equal(first["weights"], second["weights"])
    np.testing.assert_allclose(first["weights"], weights(alone).numpy(), rtol=0, atol=1e-5)
    assert (weights(alone) - started).abs().max() > 0.1  # or the comparison would say nothing
    assert (first["validations"], second["validations"]) == (3, 0)


@pytest.mark.verify
def test_the_same_command_under_two_processes_makes_the_model_of_twice_the_batch(
    data_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "single").mkdir()
    numbers = {"patch": 12, "iterations": 4, "validate_every": 2}
    recipe = tiny("superres-pixel.toml", tmp_path, batch=1, **numbers)
    arguments = ["train", str(recipe), str(data_folder), "--out", str(tmp_path / "two"), "--json"]
    arguments += ["--device", "cpu"]
    first, second = two_processes(["-c", IN_FLOAT32, *arguments])
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    events = [json.loads(line)["event"] for line in first.stdout.splitlines()]
    assert (events.count("start"), events.count("model")) == (1, 1)
    assert second.stdout == ""
    twice = tiny("superres-pixel.toml", tmp_path / "single", batch=2, **numbers)
    card = train(twice, data_folder, tmp_path / "one", device="cpu")
    ours, theirs = (
        load_file(tmp_path / folder / "model" / "weights.safetensors") for folder in ("two", "one")
    )
    assert card.training.precision == "float32"
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=0, atol=2e-5)


def test_a_process_that_is_killed_leaves_a_checkpoint_and_no_other_waiting(
    tmp_path: Path,
) -> None:
    arguments = [str(ROOT / "tests/training/together.py"), str(tmp_path), "3", "alone"]
    first, second = two_processes(arguments)
    assert (first.returncode, second.returncode) == (0, -9), first.stderr
    assert "Another process of this training has ended." in first.stdout
    _, counters = load_checkpoint(tmp_path / "stage1.safetensors")
    assert 10 <= counters.step < 24


def test_a_failure_of_the_first_process_is_told_to_the_other(
    data_folder: Path, tmp_path: Path
) -> None:
    recipe = tiny("superres-pixel.toml", tmp_path)
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    arguments = ["train", str(recipe), str(data_folder), "--out", str(tmp_path / "file" / "run")]
    first, second = two_processes(["-m", "studies", *arguments, "--device", "cpu"])
    assert (first.returncode, second.returncode) == (1, 1)
    assert "cannot be made" in first.stderr
    assert "cannot be made" in second.stderr
    assert "Traceback" not in first.stderr + second.stderr


def test_alone_nothing_is_exchanged() -> None:
    with joined("cpu") as (group, device):
        assert group is ALONE
        assert device == torch.device("cpu")
        values = [torch.tensor([1.0, 2.0])]
        group.average(values)
        assert values[0].tolist() == [1.0, 2.0]
        assert group.from_first(lambda: "made") == "made"
        assert not group.agreed(False)
        with pytest.raises(UserError, match="no space"):
            group.from_first(lambda: _fail())


def _fail() -> None:
    raise UserError("There is no space.")


def test_several_processes_do_not_share_one_named_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(
        "retina_viewer.training.distributed.resolve_device", lambda name: torch.device("cuda", 1)
    )
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(UserError, match="share cuda:1"), joined("cuda:1"):
        pass
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(UserError, match="fewer than processes"), joined("cuda"):
        pass
