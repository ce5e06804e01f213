import errno
import json
import os
import tomllib

import pytest

from retina_viewer.core.errors import UserError, mendable


def test_text_is_message_and_hint() -> None:
    error = UserError("The disk is full.", "Free some space.")
    assert str(error) == "The disk is full. Free some space."
    assert (error.message, error.hint) == ("The disk is full.", "Free some space.")


def test_text_without_a_hint_has_no_trailing_space() -> None:
    assert str(UserError("The disk is full.")) == "The disk is full."


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (OSError(errno.EIO, os.strerror(errno.EIO), "eye.png"), "eye.png"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "disk is full"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "not enough memory"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES)), "Permission denied"),
        (TimeoutError(), "TimeoutError"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "not enough memory"),
    ],
)
def test_what_the_machine_refuses_is_said_and_is_no_bug(error: Exception, word: str) -> None:
    said = mendable(error)
    assert said is not None
    assert word in said.message
    assert said.hint


@pytest.mark.parametrize("read", [json.loads, tomllib.loads])
def test_a_file_that_is_nested_too_deeply_is_no_bug(read: object) -> None:
    text = "[" * 100_000
    with pytest.raises(RecursionError) as caught:
        read(text if read is json.loads else f"a = {text}")  # type: ignore[operator]
    said = mendable(caught.value)
    assert said is not None
    assert "nested" in said.message


def test_a_bug_stays_a_bug() -> None:
    def endless() -> None:
        endless()

    with pytest.raises(RecursionError) as caught:
        endless()
    assert mendable(caught.value) is None
    assert mendable(RuntimeError("sizes differ")) is None
    assert mendable(ZeroDivisionError()) is None


def test_a_user_error_is_passed_on_as_it_is() -> None:
    error = UserError("It broke.", "Mend it.")
    assert mendable(error) is error
