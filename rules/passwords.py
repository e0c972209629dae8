"""Which passwords staff may choose."""

from rules.errors import N_, InvalidInput
from rules.text import fold

LENGTH_MIN, LENGTH_MAX = 10, 128
GUESSES_LOG10_MIN = 8.0  # a hundred million: more than a locked login lets anybody try
JUDGED_LENGTH = 72  # what stands behind cannot make a password weaker

# Heads of the published lists of leaked passwords, and their Vietnamese cousins, which the 30,000
# common passwords and words that zxcvbn knows leave out. Compared without regard to case.
COMMON = frozenset(
    """
    1234567890 0123456789 0987654321 9876543210 12345678910 123456789a a123456789 1234567899
    123456789q q123456789 1q2w3e4r5t 1qaz2wsx3edc qwertyuiop qwerty12345 qwerty1234 qwerty123456
    asdfghjkl; zxcvbnm123 1111111111 0000000000 2222222222 5555555555 6666666666 8888888888
    9999999999 1212121212 1231231231 123123123123 1122334455 11223344556 0123456789a abcdefghij
    abcd123456 abc1234567 abcde12345 password12 password123 password1234 password12345 passw0rd123
    p@ssw0rd123 p@ssword123 mypassword iloveyou123 iloveyou12 iloveyou1234 letmein123 welcome123
    welcome1234 administrator admin12345 admin123456 adminadmin changeme123 superman123 football123
    baseball123 monkey12345 dragon12345 sunshine123 princess123 michael123 computer123 internet123
    matkhau123 matkhau1234 matkhau12345 matkhau123456 mậtkhẩu123 anhyeuem123 emyeuanh123 anhyeuem12
    anhyeuem1234 yeuem12345 yeuanh12345 vietnam123 vietnam1234 vietnam12345 hanoi12345 saigon12345
    khongcopass khongbiet123 khongnhopass congty12345 congty123456 nhanvien123 khachhang123
    chamsoc123 carebook123 carebook1234 carebook12345 baongoc123 thanhcong123 maiyeuem123
    minhanh123 0912345678 0987654321a aaaaaaaaaa qazwsxedcr zaq12wsxcde 1q2w3e4r5t6y q1w2e3r4t5
    trustno1234 whatever123 asdf123456 asdfghjkl123 qwerasdfzxcv 147258369a 1472583690 7894561230
    741852963a 159753456a starwars123 facebook123 google12345 samsung123 iphone12345
    """.split()  # noqa: SIM905 a list of a hundred literals reads worse
)


def check_password(password: str, *, email: str, name: str) -> None:
    """Accepts a password that is long enough, not on every attacker's list, and not the person's.

    Raises:
        InvalidInput: says what is wrong and what to do.
    """
    if len(password) < LENGTH_MIN:
        raise InvalidInput(
            N_("Choose a password of at least %(length)s characters; a short sentence is fine."),
            length=LENGTH_MIN,
        )
    if len(password) > LENGTH_MAX:
        raise InvalidInput(
            N_("Choose a password of at most %(length)s characters."), length=LENGTH_MAX
        )
    if password.casefold() in _personal(email, name):
        raise InvalidInput(N_("Choose a password that is not your name or e-mail address."))
    if password.casefold() in COMMON or len(set(password)) < 4 or is_guessed(password, email, name):
        raise InvalidInput(
            N_("This password is one of the first that attackers try. Choose another one.")
        )


def is_guessed(password: str, email: str = "", name: str = "") -> bool:
    """Whether somebody who tries common passwords, words, years and keyboard rows comes upon it.

    `Password2024!` and `anhyeuem12345` are; a sentence of four words is not.
    """
    # Loads 30,000 words, which commands that need no password should not wait for.
    from zxcvbn import zxcvbn

    known = [*_personal(email, name), *fold(name).split(), *COMMON]
    judged = zxcvbn(password[:JUDGED_LENGTH], user_inputs=[word for word in known if word])
    return bool(judged["guesses_log10"] < GUESSES_LOG10_MIN)


def _personal(email: str, name: str) -> set[str]:
    local = email.split("@", 1)[0]
    return {text.casefold() for text in (email, local, name, name.replace(" ", ""))}
