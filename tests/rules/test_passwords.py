"""Which passwords staff may choose."""

import pytest

from rules.errors import InvalidInput
from rules.passwords import LENGTH_MAX, check_password

CHI = {"email": "chi.le@congty.vn", "name": "Lê Thị Chi"}


@pytest.mark.parametrize(
    "password",
    [
        "trời hôm nay đẹp",
        "correct horse battery staple",
        "công ty hoa lan",
        "k7wp2mznx4",
        "aB3$xY7!qP",
        "ă" * 3 + "đây là một câu dài " * 5,
    ],
)
def test_it_takes_sentences_and_random_ones(password: str) -> None:
    check_password(password, **CHI)


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "Password2024!",
        "P@ssw0rd123",
        "qwertyuiop123",
        "vietnam2024",
        "Matkhau123456",
        "mậtkhẩu123",
        "anhyeuem12345",
        "aaaaaaaaaaaa",
        "abababababab",
        "iloveyou2023",
        "0912345678",
        "basketball1",
        "2512199025121990",
    ],
)
def test_it_refuses_what_attackers_try_first(password: str) -> None:
    with pytest.raises(InvalidInput, match="attackers"):
        check_password(password, **CHI)


@pytest.mark.parametrize("password", ["chi.le@congty.vn", "Lê Thị Chi", "LêThịChi  "])
def test_it_refuses_what_stands_on_the_business_card(password: str) -> None:
    with pytest.raises(InvalidInput):
        check_password(password, **CHI)


@pytest.mark.parametrize("password", ["", "ngắn", "123456789", "x" * (LENGTH_MAX + 1)])
def test_it_refuses_too_short_and_too_long_ones(password: str) -> None:
    with pytest.raises(InvalidInput, match="characters"):
        check_password(password, **CHI)
