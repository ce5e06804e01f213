from retina_viewer.core.errors import UserError


def test_text_is_message_and_hint() -> None:
    error = UserError("The disk is full.", "Free some space.")
    assert str(error) == "The disk is full. Free some space."
    assert (error.message, error.hint) == ("The disk is full.", "Free some space.")


def test_text_without_a_hint_has_no_trailing_space() -> None:
    assert str(UserError("The disk is full.")) == "The disk is full."
