"""Korean spelling by arithmetic: particles and endings that fit the word before them.

A syllable block is a number: 0xAC00 + (21 · initial + vowel) · 28 + final. Whether a
particle is 을 or 를, and whether a stem and its ending melt into one syllable, can be
read off that number.
"""

FIRST, LAST = 0xAC00, 0xD7A3
INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
BRIGHT = "ㅏㅗ"  # after these vowels the ending is 아, after others 어

# After a consonant the first, after a vowel the second.
PARTICLES = {"topic": ("은", "는"), "subject": ("이", "가"), "object": ("을", "를")}
_EVERY = {**PARTICLES, "and": ("과", "와")}  # "and" is no role in a sentence


def split(syllable: str) -> tuple[str, str, str]:
    """Return the initial consonant, the vowel and the final consonant, or ``""``.

    Raises
    ------
    ValueError
        If this is not one Korean syllable.

    Examples
    --------
    >>> split("책"), split("나")
    (('ㅊ', 'ㅐ', 'ㄱ'), ('ㄴ', 'ㅏ', ''))
    """
    if len(syllable) != 1 or not FIRST <= ord(syllable) <= LAST:
        raise ValueError(f"{syllable!r} is not one Korean syllable, such as '책'")
    rest, final = divmod(ord(syllable) - FIRST, len(FINALS))
    initial, vowel = divmod(rest, len(VOWELS))
    return INITIALS[initial], VOWELS[vowel], FINALS[final]


def join(initial: str, vowel: str, final: str = "") -> str:
    """Return the syllable of an initial consonant, a vowel and a final consonant.

    Examples
    --------
    >>> join("ㅊ", "ㅐ", "ㄱ")
    '책'
    """
    block = INITIALS.index(initial) * len(VOWELS) + VOWELS.index(vowel)
    return chr(FIRST + block * len(FINALS) + FINALS.index(final))


def final_consonant(word: str) -> str:
    """Return the consonant that the word ends in, ``""`` where it ends in a vowel.

    Examples
    --------
    >>> final_consonant("학생"), final_consonant("고양이")
    ('ㅇ', '')
    """
    return split(word[-1])[2]


def particle(word: str, role: str) -> str:
    """Return the particle of a role that fits a word.

    A role is "topic", "subject" or "object", or "and" between two words.

    Examples
    --------
    >>> [particle("책", role) for role in PARTICLES]
    ['은', '이', '을']
    >>> [particle("고양이", role) for role in PARTICLES]
    ['는', '가', '를']
    >>> particle("책", "and"), particle("별", "and"), particle("고양이", "and")
    ('과', '과', '와')
    """
    after_consonant, after_vowel = _EVERY[role]
    return after_consonant if final_consonant(word) else after_vowel


def honour(stem: str, irregular: str = "") -> str:
    """Return the stem that honours the subject: with 시, after a consonant with 으시.

    A final ㄹ falls out; an irregular stem changes as it does before any vowel.

    Parameters
    ----------
    stem : the verb without 다.
    irregular : "ㄷ", "ㅂ" or "르", the class that the verb belongs to, or "".

    Examples
    --------
    >>> honour("보"), honour("잡"), honour("팔"), honour("듣", "ㄷ"), honour("돕", "ㅂ")
    ('보시', '잡으시', '파시', '들으시', '도우시')
    """
    head, (initial, vowel, final) = stem[:-1], split(stem[-1])
    if irregular == "ㄷ":
        return head + join(initial, vowel, "ㄹ") + "으시"
    if irregular == "ㅂ":
        return head + join(initial, vowel) + "우시"
    if final == "ㄹ":
        return head + join(initial, vowel) + "시"
    return stem + ("으시" if final else "시")


def present(stem: str, irregular: str = "") -> str:
    """Return the casual present of a verb, in 아 or 어.

    Examples
    --------
    >>> [present("먹"), present("보"), present("마시"), present("쓰"), present("사")]
    ['먹어', '봐', '마셔', '써', '사']
    >>> present("듣", "ㄷ"), present("돕", "ㅂ"), present("고르", "르"), present("하")
    ('들어', '도와', '골라', '해')
    """
    head, (initial, vowel, final) = stem[:-1], split(stem[-1])
    if stem.endswith("하"):
        return head + "해"
    if irregular == "ㄷ":
        return head + join(initial, vowel, "ㄹ") + _a_or_eo(vowel)
    if irregular == "ㅂ":
        return head + join(initial, vowel) + ("와" if vowel in BRIGHT else "워")
    if irregular == "르":
        before = split(head[-1])
        doubled = join(before[0], before[1], "ㄹ")
        return head[:-1] + doubled + ("라" if before[1] in BRIGHT else "러")
    if final:
        return stem + _a_or_eo(vowel)
    return head + join(initial, _contracted(head, vowel))


def past(stem: str, irregular: str = "") -> str:
    """Return the casual past of a verb: the present, ㅆ below it, and 어.

    Examples
    --------
    >>> [past("먹"), past("보"), past("마시"), past("쓰"), past("돕", "ㅂ")]
    ['먹었어', '봤어', '마셨어', '썼어', '도왔어']
    """
    form = present(stem, irregular)
    initial, vowel, _ = split(form[-1])
    return form[:-1] + join(initial, vowel, "ㅆ") + "어"


def attributive(stem: str, irregular: str = "") -> str:
    """Return the form of an adjective that stands before a noun.

    Parameters
    ----------
    stem : the adjective without 다.
    irregular : "ㅂ" or "ㅎ", the class that the adjective belongs to, or "".

    Examples
    --------
    >>> [attributive("크"), attributive("작"), attributive("하얗", "ㅎ")]
    ['큰', '작은', '하얀']
    >>> [attributive("차갑", "ㅂ"), attributive("맛있")]
    ['차가운', '맛있는']
    """
    head, (initial, vowel, final) = stem[:-1], split(stem[-1])
    if stem.endswith("있"):
        return stem + "는"
    if irregular == "ㅂ":
        return head + join(initial, vowel) + "운"
    if irregular == "ㅎ" or not final:
        return head + join(initial, vowel, "ㄴ")
    return stem + "은"


def _a_or_eo(vowel: str) -> str:
    return "아" if vowel in BRIGHT else "어"


def _contracted(head: str, vowel: str) -> str:
    """The vowel that a stem's last vowel and 아 or 어 melt into."""
    if vowel == "ㅡ":
        return "ㅏ" if head and split(head[-1])[1] in BRIGHT else "ㅓ"
    return {"ㅗ": "ㅘ", "ㅜ": "ㅝ", "ㅣ": "ㅕ"}.get(vowel, vowel)
