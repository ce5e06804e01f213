import errno
import hashlib
import os
import subprocess
import sys
import threading
from io import FileIO
from pathlib import Path

import pytest

from retina_viewer.core import files
from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.files import (
    answered,
    atomic_write,
    open_regular,
    read_small,
    sha256_of,
    staged,
)
from retina_viewer.core.names import sidecar_path


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_writes_the_whole_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "Auge 眼.txt"
    with atomic_write(target) as stream:
        stream.write(b"retina")
        assert not target.exists()
    assert target.read_bytes() == b"retina"
    assert names(tmp_path) == [target.name]


def test_mode_follows_the_umask(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    with atomic_write(tmp_path / "atomic") as stream:
        stream.write(b"x")
    assert (tmp_path / "atomic").stat().st_mode == plain.stat().st_mode


def test_never_replaces_unasked(tmp_path: Path) -> None:
    target = tmp_path / "original.png"
    target.write_bytes(b"original")
    with pytest.raises(UserError, match="exists already"), atomic_write(target):
        pytest.fail("the work began although the name was taken")
    assert target.read_bytes() == b"original"
    assert names(tmp_path) == ["original.png"]


def test_never_replaces_a_file_that_appears_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "result.png"
    with pytest.raises(UserError, match="exists already"), atomic_write(target) as stream:
        stream.write(b"mine")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["result.png"]


def test_never_replaces_where_hard_links_are_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "result.png"
    with atomic_write(target) as stream:
        stream.write(b"first")
    with pytest.raises(UserError, match="exists already"), atomic_write(target) as stream:
        stream.write(b"second")
    assert target.read_bytes() == b"first"
    assert names(tmp_path) == ["result.png"]


def test_replaces_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "settings.toml"
    target.write_bytes(b"old")
    with atomic_write(target, replace=True) as stream:
        stream.write(b"new")
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["settings.toml"]


@pytest.mark.parametrize("raised", [Cancelled, ValueError])
def test_what_the_work_raises_passes_and_leaves_nothing(
    tmp_path: Path, raised: type[Exception]
) -> None:
    with pytest.raises(raised), atomic_write(tmp_path / "result.png") as stream:
        stream.write(b"half")
        raise raised
    assert names(tmp_path) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    old = tmp_path / "settings.toml"
    old.write_bytes(b"old")
    for replace, target in ((False, tmp_path / "result.png"), (True, old)):
        with (
            pytest.raises(UserError, match="disk is full") as caught,
            atomic_write(target, replace=replace) as stream,
        ):
            stream.write(b"half")
        assert caught.value.hint
    assert names(tmp_path) == ["settings.toml"]
    assert old.read_bytes() == b"old"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="does not exist"),
        atomic_write(tmp_path / "missing" / "result.png"),
    ):
        pytest.fail("there was no folder to write to")


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(UserError, match="does not exist"),
        atomic_write(tmp_path / "file" / "result.png"),
    ):
        pytest.fail("there was no folder to write to")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_read_only_folder_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    # Not by the folder's mode: an administrator may write anywhere.
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match="cannot be written to"), atomic_write(tmp_path / "a.png"):
        pytest.fail("the folder was read-only")


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"retina" * 100_000)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"retina" * 100_000).hexdigest()


def test_a_set_of_files_takes_its_names_together(tmp_path: Path) -> None:
    with staged(tmp_path, ["mask.png", "probability.png"]) as staging:
        for path in (*staging.inside, sidecar_path(staging.inside[0])):
            path.write_bytes(b"new")
        assert not (tmp_path / "mask.png").exists()
    assert staging.paths == [tmp_path / "mask.png", tmp_path / "probability.png"]
    assert names(tmp_path) == ["mask.png", "mask.png.json", "probability.png"]


def test_a_set_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="disk is full"),
        staged(tmp_path, ["eye.png"]) as staging,
    ):
        staging.inside[0].write_bytes(b"the image")
        raise OSError(errno.ENOSPC, "No space left on device")  # as its sidecar is written
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_between_two_names_leaves_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files._take_name

    def full_at_the_sidecar(temporary: Path, path: Path) -> None:
        if path.suffix == ".json":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(temporary, path)

    monkeypatch.setattr(files, "_take_name", full_at_the_sidecar)
    with pytest.raises(UserError, match="disk is full"), staged(tmp_path, ["eye.png"]) as staging:
        staging.inside[0].write_bytes(b"the image")
        sidecar_path(staging.inside[0]).write_bytes(b"its making")
    assert names(tmp_path) == []


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_name_taken_meanwhile_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard_links: bool
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    if not hard_links:
        monkeypatch.setattr(os, "link", no_links)
    with staged(tmp_path, ["mask.png", "probability.png"]) as staging:
        for path in staging.inside:
            path.write_bytes(b"mine")
        (tmp_path / "probability.png").write_bytes(b"theirs")
    assert staging.paths == [tmp_path / "mask (2).png", tmp_path / "probability (2).png"]
    assert names(tmp_path) == ["mask (2).png", "probability (2).png", "probability.png"]
    assert (tmp_path / "probability.png").read_bytes() == b"theirs"
    assert staging.paths[1].read_bytes() == b"mine"


def test_a_name_taken_at_the_last_moment_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "is_taken", lambda path: False)  # as if looked at just before
    (tmp_path / "probability.png").write_bytes(b"theirs")
    with staged(tmp_path, ["mask.png", "probability.png"]) as staging:
        for path in staging.inside:
            path.write_bytes(b"mine")
    assert staging.paths == [tmp_path / "mask (2).png", tmp_path / "probability (2).png"]
    assert names(tmp_path) == ["mask (2).png", "probability (2).png", "probability.png"]


def test_a_set_replaces_when_asked(tmp_path: Path) -> None:
    (tmp_path / "sheet.png").write_bytes(b"old")
    with staged(tmp_path, ["sheet.png"], replace=True) as staging:
        staging.inside[0].write_bytes(b"new")
    assert staging.paths == [tmp_path / "sheet.png"]
    assert (tmp_path / "sheet.png").read_bytes() == b"new"


_WRITES = """
import pathlib, sys, time
from retina_viewer.core.files import atomic_write, staged
folder = pathlib.Path(sys.argv[1])
with staged(folder, ["eye.png"]) as staging, atomic_write(folder / "other") as stream:
    staging.inside[0].write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_swept", set())
    command = [sys.executable, "-c", _WRITES, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"writing\n"
        with atomic_write(tmp_path / "first"):
            pass
        assert len(list(tmp_path.glob(".retina-*.part"))) == 2  # it lives
        child.kill()
        child.wait()
    assert len(list(tmp_path.glob(".retina-*.part"))) == 2
    files._swept.clear()
    with atomic_write(tmp_path / "second"):
        pass
    assert names(tmp_path) == ["first", "second"]


def test_another_computers_leftovers_go_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_swept", set())
    fresh, old = tmp_path / ".retina-elsewh-1.part", tmp_path / ".retina-elsewh-2.part"
    for path in (fresh, old):
        path.touch()
    os.utime(old, (0, 0))
    with atomic_write(tmp_path / "result"):
        pass
    assert names(tmp_path) == [fresh.name, "result"]


def test_the_end_of_the_program_removes_what_its_threads_were_writing(tmp_path: Path) -> None:
    script = """
import pathlib, sys, threading, time
from retina_viewer.core.files import atomic_write
begun = threading.Event()
def write():
    with atomic_write(pathlib.Path(sys.argv[1]) / "result") as stream:
        begun.set()
        time.sleep(60)
threading.Thread(target=write, daemon=True).start()
begun.wait()
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.ENAMETOOLONG, "too long"),
        (errno.EIO, "could not be written"),
        (errno.EFBIG, "larger"),
    ],
)
def test_every_error_of_the_system_has_words(tmp_path: Path, number: int, word: str) -> None:
    with pytest.raises(UserError, match=word) as caught, atomic_write(tmp_path / "a.png"):
        raise OSError(number, os.strerror(number))
    assert caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Not an ordinary file"):
        open_regular(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)


def test_small_files_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_small(tmp_path / "a", 5) == b"12345"
    with pytest.raises(OSError, match="large"):
        read_small(tmp_path / "a", 4)


def test_a_drive_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SILENCE", 0.05)
    back = threading.Event()
    with pytest.raises(TimeoutError, match="does not answer"):
        answered(lambda: back.wait(5))
    back.set()
    with pytest.raises(ZeroDivisionError):
        answered(lambda: 1 / 0)
    assert answered(lambda: 5) == 5


def test_a_drive_that_stops_answering_while_a_file_is_read_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = threading.Event()

    class Stalling(FileIO):
        def readinto(self, buffer: object, /) -> int:
            back.wait(5)
            return 0

    path = tmp_path / "eye.png"
    path.write_bytes(b"12345")
    monkeypatch.setattr(files, "_opened", lambda path: Stalling(path))
    monkeypatch.setattr(files, "SILENCE", 0.05)
    with open_regular(path) as stream, pytest.raises(TimeoutError, match="does not answer"):
        stream.read()
    back.set()


def test_an_ordinary_file_reads_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_ASKED_AT_ONCE", 1000)
    content = os.urandom(200_001)
    (tmp_path / "eye.png").write_bytes(content)
    with open_regular(tmp_path / "eye.png") as stream:
        assert stream.read(10) == content[:10]
        assert stream.seek(-5, os.SEEK_END) == 199_996
        assert stream.read() == content[-5:]
        assert stream.seek(0) == 0
        assert stream.read(len(content) + 1) == content
