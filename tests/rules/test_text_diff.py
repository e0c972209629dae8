"""What was changed between two texts, word by word."""

from hypothesis import given
from hypothesis import strategies as st

from rules.text_diff import GONE, NEW, SAME, Piece, differences

texts = st.text(alphabet="ab đé\n.", max_size=40)


@given(old=texts, new=texts)
def test_the_pieces_make_both_texts(old: str, new: str) -> None:
    pieces = differences(old, new)
    assert "".join(one.text for one in pieces if one.kind != NEW) == old
    assert "".join(one.text for one in pieces if one.kind != GONE) == new
    assert all(one.text for one in pieces)


def test_it_shows_the_words_that_changed() -> None:
    assert differences("Gọi buổi sáng nhé", "Gọi buổi chiều nhé") == [
        Piece(SAME, "Gọi buổi "),
        Piece(GONE, "sáng"),
        Piece(NEW, "chiều"),
        Piece(SAME, " nhé"),
    ]


def test_a_whole_book_is_not_compared_word_by_word() -> None:
    assert differences("a " * 5000, "b") == [Piece(GONE, "a " * 5000), Piece(NEW, "b")]
