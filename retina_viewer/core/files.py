"""Files are written whole or not at all, and originals are never overwritten."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from retina_viewer.core.errors import UserError


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def atomic_write(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path``; on success it takes the name ``path``.

    Args:
        path: the final name; its folder must exist.
        replace: whether an existing file may be replaced (settings, checkpoints). Without it an
            existing file is an error, also if it appears while this one is being written.

    Raises:
        UserError: the folder is missing or read-only, the disk is full, or the name is taken.
    """
    # Not tempfile: it makes files that only their owner may read, whatever the umask says.
    temporary = path.with_name(f".retina-{secrets.token_hex(8)}.part")
    try:
        if not replace and path.exists():  # at once, not after minutes of work
            raise FileExistsError(errno.EEXIST, "exists", str(path))
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            temporary.replace(path)
        else:
            _take_name(temporary, path)
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


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


def _write_error(path: Path, error: OSError) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(f"The disk is full: {path.name} was not written.", "Free some space.")
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
    return UserError(f"{path.name} could not be written: {error.strerror or error}.")


def unused_path(path: Path) -> Path:
    """``path``, or ``stem (2).suffix``, ``stem (3).suffix`` and so on: the first that is free."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem} ({number}){path.suffix}")
        number += 1
    return candidate
