from retina_viewer.core.names import IMAGE_SUFFIXES
from retina_viewer.imaging.formats import FORMATS, SUFFIXES, SUPPORTED, format_of


def test_what_can_be_opened_is_said_by_the_list_of_the_decoders() -> None:
    assert all(one.title in SUPPORTED for one in FORMATS)
    assert {".ppm", ".jp2", ".avif", ".dcm", ".tif"} <= set(SUFFIXES)


def test_every_suffix_is_left_out_of_the_names_of_results() -> None:
    assert set(SUFFIXES) <= set(IMAGE_SUFFIXES)


def test_text_that_begins_like_a_picture_is_none() -> None:
    for head in (b"P", b"P6x", b"Patient 1", b"", b"RIFF0000WAVE", b"\0\0\0\x18ftypmp42"):
        assert format_of(head) is None


def test_brands_are_looked_for_among_the_compatible_ones_too() -> None:
    heif = b"\0\0\0\x1cftypmif1\0\0\0\0miafavif" + bytes(100)
    found = format_of(heif)
    assert found is not None
    assert found.title == "AVIF"
