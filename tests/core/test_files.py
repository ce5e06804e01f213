import errno
import hashlib
import os
from pathlib import Path

import pytest

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.files import atomic_write, sha256_of, unused_path


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


def test_unused_path_counts_up(tmp_path: Path) -> None:
    wanted = tmp_path / "eye.tar.png"
    assert unused_path(wanted) == wanted
    wanted.touch()
    assert unused_path(wanted).name == "eye.tar (2).png"
    (tmp_path / "eye.tar (2).png").touch()
    assert unused_path(wanted).name == "eye.tar (3).png"
