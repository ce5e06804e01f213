"""The two exceptions that a person may meet; every other exception is a bug."""


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
