"""Which passwords are good enough: long, not among the common ones, not guessable, not used before.

There are no rules of composition and no forced changes (OWASP ASVS 5.0, 6.2). Guessability is
judged by zxcvbn, which holds lists of leaked passwords and knows the patterns crackers try first.
"""

import re
from collections.abc import Collection

from zxcvbn import zxcvbn

from controlplane.errors import Invalid, Problem

MIN_LENGTH, MAX_LENGTH = 12, 256
WORD_LENGTH = 3  # shorter names are in every text
HISTORY = 5  # how many earlier passwords may not come back
GOOD_SCORE = 3  # of 4: more than 10^8 guesses of somebody who knows all lists
OWN_LENGTH = 8  # characters that are left when the names known here are taken away
JUDGED_LENGTH = 72  # what comes after is a bonus: the judge's time grows with the square
CONTEXT = ("catalyst", "health", "monitor", "chm")


def check(password: str, about: Collection[str] = ()) -> None:
    """Raise Invalid unless the password is good; `about` are the words of its owner and place."""
    if len(password) < MIN_LENGTH:
        raise refused("too_short", f"a password needs at least {MIN_LENGTH} characters")
    if len(password) > MAX_LENGTH:
        raise refused("too_long", f"a password has at most {MAX_LENGTH} characters")
    words = {*CONTEXT, *_words(about)}
    if len(_without(words, password)) < OWN_LENGTH:
        raise refused("guessable", "this password is easy to guess: it is made of names known here")
    judged = zxcvbn(password[:JUDGED_LENGTH], user_inputs=sorted(words))
    if judged["score"] < GOOD_SCORE:
        hint = judged["feedback"]["warning"] or "It follows a pattern that is tried early."
        raise refused("guessable", f"this password is easy to guess: {hint.rstrip('.').lower()}")


def refused(code: str, detail: str) -> Invalid:
    """Make the refusal of a password, which never repeats it."""
    return Invalid(detail, Problem("/password", code, detail))


def _without(words: Collection[str], password: str) -> str:
    rest = password.casefold()
    for word in sorted((w for w in words if len(w) >= WORD_LENGTH), key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest


def _words(about: Collection[str]) -> set[str]:
    """Split names, addresses and hosts into the words they are made of."""
    parts = {part for text in about for part in re.split(r"[^a-z0-9]+", text.lower())}
    return {text.lower() for text in about if text} | {part for part in parts if part}
