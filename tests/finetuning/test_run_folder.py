"""What viewer and training tell each other through a folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import user_runs_dir
from retina_viewer.finetuning.run_folder import RunFolder, list_runs
from tests.finetuning.plans import some_plan


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / "one")
    folder.prepare(some_plan())
    return folder


def test_a_prepared_run_holds_its_plan_and_no_other(run: RunFolder) -> None:
    assert run.read_plan() == some_plan()
    assert run.state().status == "prepared"
    run.prepare(some_plan())  # the same again is fine: going on
    with pytest.raises(UserError, match="another plan"):
        run.prepare(some_plan(minutes=5))


def test_a_running_process_is_alive_until_it_is_killed(run: RunFolder) -> None:
    assert not run.is_alive()
    run.set_state("running")
    assert run.is_alive()
    code = (
        "import sys, time; from pathlib import Path\n"
        "from retina_viewer.finetuning.run_folder import RunFolder\n"
        "RunFolder(Path(sys.argv[1])).set_state('running'); print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(run.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert run.state().pid == child.pid
        assert run.is_alive()
        child.kill()
        child.wait()
    assert run.state().status == "running"
    assert not run.is_alive()
    run.set_state("paused", message="The disk is full.", hint="Free some space.")
    assert run.state().message == "The disk is full."
    assert run.state().pid is None


def test_a_state_of_no_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not the folder of a training"):
        RunFolder(tmp_path).state()


def test_events_are_read_on_from_where_one_stopped(run: RunFolder) -> None:
    assert run.events_since() == ([], 0)
    run.append_event({"event": "start", "device": "cpu"})
    first, offset = run.events_since()
    assert first == [{"event": "start", "device": "cpu"}]
    assert run.events_since(offset) == ([], offset)
    run.append_event({"event": "losses", "step": 50})
    assert run.events_since(offset)[0] == [{"event": "losses", "step": 50}]


def test_a_line_cut_off_by_a_kill_costs_no_other(run: RunFolder) -> None:
    run.append_event({"event": "a"})
    with (run.path / "events.jsonl").open("ab") as stream:
        stream.write(b'{"event": "half')
    seen, offset = run.events_since()
    assert [event["event"] for event in seen] == ["a"]
    run.repair_events()
    run.append_event({"event": "b"})
    assert [event["event"] for event in run.events_since(offset)[0]] == ["b"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_events_on_a_full_disk_are_a_clear_error(run: RunFolder) -> None:
    (run.path / "events.jsonl").symlink_to("/dev/full")
    with pytest.raises(UserError, match="could not be written"):
        run.append_event({"event": "a"})


def test_requests_are_taken_once(run: RunFolder) -> None:
    assert run.take_request() is None
    run.request("pause")
    run.request("stop")
    assert run.take_request() == "stop"
    assert run.take_request() is None
    (run.path / "control").write_text("format the disk", encoding="utf-8")
    assert run.take_request() is None
    assert not (run.path / "control").exists()


def test_runs_are_listed_newest_first_and_strange_folders_left_out() -> None:
    assert list_runs() == []
    for name in ("a", "b"):
        RunFolder(user_runs_dir() / name).prepare(some_plan())
    (user_runs_dir() / "no run").mkdir()
    assert [run.path.name for run in list_runs()] == ["b", "a"]


def test_cancelling_leaves_the_plan_and_what_happened(run: RunFolder) -> None:
    run.append_event({"event": "a"})
    run.model.mkdir()
    (run.path / "stage1.safetensors").write_bytes(b"x")
    (run.path / "schedule.json").write_text(json.dumps({}), encoding="utf-8")
    run.discard_results()
    left = {path.name for path in run.path.iterdir()}
    assert left == {"plan.toml", "state.json", "events.jsonl"}


def test_a_message_that_names_a_file_which_is_not_utf_8_is_kept(run: RunFolder) -> None:
    run.set_state("failed", message=os.fsdecode(b"M\xfcller.png is damaged."))
    assert run.state().message == "M\\xfcller.png is damaged."
