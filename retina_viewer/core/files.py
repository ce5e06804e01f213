"""Files are written whole or not at all, and originals are never overwritten.

What is being written lies under a hidden name beside its place. Every process holds a lock on its
own: what a killed one left behind is told by that, and removed when the folder is next written to.
"""

import atexit
import errno
import hashlib
import os
import platform
import secrets
import shutil
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from io import BufferedReader, FileIO, RawIOBase
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from retina_viewer.core.errors import UserError
from retina_viewer.core.names import is_taken, numberings, sidecar_path

_HAS_LOCKS = find_spec("fcntl") is not None
if _HAS_LOCKS:  # not on Windows
    import fcntl

SILENCE = 30.0
"""Seconds after which a drive counts as gone; one that sleeps needs a dozen to wake up."""
_ASKED_AT_ONCE = 4 << 20
SMALL_FILE = 16 << 20
"""Bytes: no settings, card or provenance is larger."""
if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
_DAY = 24 * 3600.0
_unfinished: set[Path] = set()
_swept: set[Path] = set()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def answered(ask: Callable[[], T]) -> T:
    """What a drive says, asked in a thread of its own: one that is gone may keep it for ever.

    Raises:
        TimeoutError: it has said nothing for :data:`SILENCE` seconds.
        OSError: what it said.
    """
    said: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def listen() -> None:
        try:
            said.put((ask(), None))
        except BaseException as error:  # whatever it is, it belongs to who asked
            said.put((None, error))

    threading.Thread(target=listen, name="retina-drive", daemon=True).start()
    try:
        answer, error = said.get(timeout=SILENCE)
    except Empty:
        raise TimeoutError(errno.ETIMEDOUT, "The drive does not answer") from None
    if error is not None:
        raise error
    return cast(T, answer)


def open_regular(path: Path) -> BufferedReader:
    """Open an ordinary file for reading: a pipe keeps its reader waiting, a device has no end, and
    a drive that does not answer is an error when reading, too. Raises OSError: it is none, or
    cannot be opened.
    """
    return BufferedReader(_Answering(answered(lambda: _opened(path))), 1 << 16)


def _opened(path: Path) -> FileIO:
    # Before it is opened: opening a pipe waits for a writer.
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "Not an ordinary file", str(path))
    return path.open("rb", buffering=0)


class _Answering(RawIOBase):
    """A file whose every read is :func:`answered`."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        part = memoryview(buffer)[:_ASKED_AT_ONCE]
        return answered(lambda: self._file.readinto(part))

    def close(self) -> None:
        self._file.close()
        super().close()


def read_small(path: Path, most: int = SMALL_FILE) -> bytes:
    """All of an ordinary file of at most ``most`` bytes. Raises OSError: it is larger, no ordinary
    file, or cannot be read.
    """
    with open_regular(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The content of a TOML file. Raises UserError: unreadable, or not TOML; ``what`` names it."""
    try:
        return tomllib.loads(read_small(path).decode())
    except OSError as error:
        raise UserError(f"The {what} {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # what is nested too deeply is none either
        raise UserError(f"The {what} {path.name} is not valid TOML: {error}.") from error


@contextmanager
def atomic_write(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path``; on success it takes the name ``path``. Raises
    UserError: the folder is missing or read-only, the disk is full, or the name is taken.

    Args:
        path: the final name; its folder must exist.
        replace: whether an existing file may be replaced (settings, checkpoints). Without it an
            existing file is an error, also if it appears while this one is being written.
    """
    try:
        if not replace and path.exists():  # at once, not after minutes of work
            raise FileExistsError(errno.EEXIST, "exists", str(path))
        # Not tempfile: it makes files that only their owner may read, whatever the umask says.
        with _temporary(path.parent, lambda new: new.touch(exist_ok=False)) as temporary:
            with temporary.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            if replace:
                temporary.replace(path)
            else:
                _take_name(temporary, path)
    except OSError as error:
        raise write_error(path, error) from error


@dataclass
class Staging:
    """Files on their way: ``inside`` a hidden folder they are written, ``paths`` they have then."""

    inside: list[Path]
    paths: list[Path] = field(default_factory=list)


@contextmanager
def staged(folder: Path, names: Sequence[str], *, replace: bool = False) -> Iterator[Staging]:
    """Write several files, and what lies beside them, all or none.

    On success all take their names, with one number where any is taken: also where another process
    has taken one meanwhile, so that no work is lost. Whatever is raised leaves none of them. Raises
    UserError: as :func:`atomic_write`.

    Args:
        folder: it must exist.
        names: theirs; provenance that is written beside them goes along.
        replace: whether existing files may be replaced, instead of counting on.
    """
    try:
        with _temporary(folder, Path.mkdir) as hidden:
            staging = Staging([hidden / name for name in names])
            yield staging
            staging.paths = _published(staging.inside, folder, replace)
    except OSError as error:
        raise write_error(folder / names[0], error) from error


def _published(sources: Sequence[Path], folder: Path, replace: bool) -> list[Path]:
    """Give all files their names; those that have some already give them back where one cannot."""
    take = Path.replace if replace else _take_name
    for targets in numberings(folder, [source.name for source in sources]):
        if not replace and any(map(is_taken, targets)):
            continue
        pairs = list(zip(sources, targets, strict=True))
        pairs += [(sidecar_path(source), sidecar_path(target)) for source, target in pairs]
        taken: list[tuple[Path, Path]] = []
        try:
            for source, target in pairs:
                if source.exists():
                    take(source, target)
                    taken.append((source, target))
        except BaseException as error:
            for source, target in taken:
                with suppress(OSError):
                    target.unlink() if source.exists() else target.rename(source)
            if not isinstance(error, FileExistsError):
                raise
        else:
            return targets
    raise AssertionError("numbers have no end")


@contextmanager
def _temporary(folder: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """A hidden file or folder that is gone afterwards, whatever happens short of a kill."""
    _sweep(folder)
    while True:
        path = folder / f".retina-{_HOST}-{secrets.token_hex(8)}.part"
        make(path)
        _unfinished.add(path)
        holder = _hold(path)
        if path.exists():  # else another process took it for a leftover before it was held
            break
    try:
        yield path
    finally:
        _remove(path)
        _unfinished.discard(path)
        if holder is not None:
            os.close(holder)


def _hold(path: Path) -> int | None:
    """Lock it for as long as the returned descriptor is open; None where that cannot be done."""
    if not _HAS_LOCKS:
        return None
    with suppress(OSError):
        holder = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(holder)
        else:
            return holder
    return None


def _sweep(folder: Path) -> None:
    """Remove what killed processes left in a folder; once a folder and process."""
    if folder in _swept or folder.name.startswith(".retina-"):
        return
    _swept.add(folder)
    with suppress(OSError):
        for path in folder.glob(".retina-*.part"):
            with suppress(OSError):
                if _is_abandoned(path):
                    _remove(path)


def _is_abandoned(path: Path) -> bool:
    """Whether nobody holds it; where locks tell nothing, because it is another computer's or the
    file system has none, whether it has not changed for a day."""
    if path.name.startswith(f".retina-{_HOST}-") and _HAS_LOCKS:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
        else:
            return True
        finally:
            os.close(descriptor)
    return time.time() - path.stat().st_mtime > _DAY


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@atexit.register
def _remove_unfinished() -> None:
    """Of threads that the end of the program stops in the middle of their work."""
    for path in list(_unfinished):
        _remove(path)


def _take_name(temporary: Path, path: Path) -> None:
    """Rename without replacing: a hard link fails where the name exists."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links (exFAT, some network shares)
        if path.exists():
            raise FileExistsError(errno.EEXIST, "exists", str(path)) from None
        temporary.rename(path)


def write_error(path: Path, error: OSError) -> UserError:
    """What went wrong with writing a file, and what to do, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(f"The disk is full: {path.name} was not written.", "Free some space.")
    if error.errno == errno.EFBIG:
        return UserError(
            f"{path.name} is larger than this drive takes files.", "Choose a folder elsewhere."
        )
    if error.errno == errno.ENAMETOOLONG:
        return UserError(
            f"The name {path.name} is too long for this drive.", "Choose a shorter name or folder."
        )
    if isinstance(error, FileExistsError):
        return UserError(f"{path} exists already.", "Choose another name.")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UserError(
            f"The folder {path.parent} does not exist.", "Create it or choose another."
        )
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return UserError(
            f"The folder {path.parent} cannot be written to.", "Choose a folder of your own."
        )
    return UserError(
        f"{path.name} could not be written: {error.strerror or error}.",
        "Try again, or choose a folder on another drive.",
    )
