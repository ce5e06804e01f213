"""The two exceptions that a person may meet; what else a person can mend becomes one of them."""

import errno
from traceback import extract_tb

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_NO_MEMORY = ("out of memory", "can't allocate memory", "insufficient memory")
"""How torch and OpenCV say it, which raise a RuntimeError then."""


class UserError(Exception):
    """Something the person can mend: a bad file, a full disk, a missing model.

    Args:
        message: what happened, one sentence.
        hint: what to do about it, one sentence; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Cancelled(Exception):
    """Raised by a progress callback when the person has asked to stop."""


def mendable(error: BaseException) -> UserError | None:
    """An error in words, where a person can mend what caused it; None for a bug.

    Besides UserErrors these are what the machine refuses: files, folders, drives, memory.
    """
    if isinstance(error, UserError):
        return error
    if _is_of_memory(error):
        return UserError(
            "There is not enough memory for this.",
            "Close other programs, or choose a smaller photograph or enlargement.",
        )
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, RecursionError) and _reads_a_file(error):
        return UserError(
            "A file is nested too deeply to be read.", "It is damaged; restore or remove it."
        )
    return None


def _is_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    # OpenCV's error is an Exception of its own, torch's a RuntimeError.
    known = isinstance(error, RuntimeError) or type(error).__module__.startswith("cv2")
    return known and any(words in str(error).lower() for words in _NO_MEMORY)


def _of_the_system(error: OSError) -> UserError:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in _FULL:
        return UserError("The disk is full.", "Free some space and try again.")
    reason = error.strerror or str(error) or type(error).__name__
    return UserError(
        f"{where}a file or folder could not be read or written ({reason}).",
        "Look whether it is there, may be used, and its drive answers; then try again.",
    )


def _reads_a_file(error: RecursionError) -> bool:
    """Whether it happened in a reader of nested files rather than in the program itself."""
    frames = extract_tb(error.__traceback__)
    places = frames[-1].filename.replace("\\", "/").split("/") if frames else []
    return "json" in places or "tomllib" in places
