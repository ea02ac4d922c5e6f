"""Byte pair encoding of a reader's own text, merge by merge."""

import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any
from unicodedata import category, normalize

import traitlets

from qkv._checks import one_of, whole
from qkv.subwords import BytePairs, learn, trace
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import visible
from qkv.widgets.shared.html import page

__all__ = ["MergePad"]

MOST_TEXT, MOST_WORD = 2000, 100
"""The most characters of the text, and of the new word."""

TEXT, MERGES, WORD = "able×5 unable×4 afford×6 unfold×2", 7, "unaffordable"
"""What it opens with: the example of the chapter, to be done by hand."""

EXAMPLES = [
    {
        "name": "English",
        "text": TEXT,
        "word": WORD,
        "merges": MERGES,
    },
    {
        "name": "Korean",
        "text": "고양이는×5 고양이를×4 강아지는×3 강아지가×3 나무를×2",
        "word": "강아지를",
        "merges": 4,
    },
    {
        "name": "both",
        "text": "email×5 email을×4 card×4 카드를×3 카드는×3",
        "word": "card를",
        "merges": 7,
    },
]

_UNITS = {"character": "characters", "jamo": "jamo", "byte": "bytes"}
_LISTED = 30  # merges in the fallback


class MergePad(Widget):
    r"""Merge the pairs of a text one by one, and watch how a new word is cut.

    .. math:: (a, b)^* = \arg\max_{a, b} n(a, b)

    Beside the pairs with their counts stand the words of the text as tokens, and a word
    that the text has not: cut by the merges in their order and by longest match, now
    and under every other number of merges. The reader changes the text, the word, what
    is merged first and the number of merges; all is computed in the page.

    Parameters
    ----------
    text : the words to learn from, 2,000 characters at most. A word may carry how often
        it is to be counted: able×5, or able*5.
    by : what is merged first: "character", "jamo" or "byte".
    merges : how many merges are done at first, or as many as there are.
    word : the word that is cut, 100 characters at most.

    Raises
    ------
    ValueError
        If the text or the word is too long, ``merges`` is negative, or ``by`` is another
        word.

    Notes
    -----
    The merges, the ids and both ways to encode are those of :mod:`qkv.subwords`. In
    JupyterLab the traits follow the reader: ``pad.text``, ``pad.word``, ``pad.merges``.

    Examples
    --------
    >>> MergePad()
    Byte pair encoding of 4 words by characters after 7 merges, the last u + n → un: unaffordable is un | af | fo | rd | able, 5 tokens.
    """  # noqa: E501

    _esm = module("merge_pad")
    text = traitlets.Unicode().tag(sync=True)
    by = traitlets.Unicode("character").tag(sync=True)
    merges = traitlets.Int(0).tag(sync=True)
    word = traitlets.Unicode().tag(sync=True)
    examples = traitlets.List().tag(sync=True)

    def __init__(
        self,
        text: str = TEXT,
        by: str = "character",
        merges: int = MERGES,
        word: str = WORD,
    ):
        super().__init__(text=text, by=by, merges=merges, word=word, examples=EXAMPLES)
        self._say()

    @traitlets.validate("text", "word")
    def _short_enough(self, proposal: Any) -> str:
        name, text = proposal["trait"].name, proposal["value"]
        most = {"text": MOST_TEXT, "word": MOST_WORD}[name]
        if len(text) > most:
            raise ValueError(
                f"{name} has {len(text):,} characters, but the pad takes {most:,}; "
                "give a part of it, or learn with qkv.subwords.learn"
            )
        return text

    @traitlets.validate("by")
    def _known(self, proposal: Any) -> str:
        one_of("by", proposal["value"], _UNITS, who="a MergePad has")
        return proposal["value"]

    @traitlets.validate("merges")
    def _not_negative(self, proposal: Any) -> int:
        return whole(0, merges=proposal["value"])["merges"]

    @traitlets.observe("text", "by", "merges", "word")
    def _say(self, change: Any = None) -> None:
        """Say what the word is cut into now."""
        counts, bpe = self._learnt()
        what = "1 word" if len(counts) == 1 else f"{len(counts)} words"
        self.alt = (
            f"Byte pair encoding of {what} by {_UNITS[self.by]} "
            f"{self._done(bpe)}: {self._cut(bpe)}."
        )

    def _learnt(self) -> tuple[Counter[str], BytePairs]:
        counts = counted(self.text)
        return counts, learn(counts, self.merges, by=self.by)

    def _done(self, bpe: BytePairs) -> str:
        if not bpe.merges:
            return "before any merge"
        done = "1 merge" if len(bpe.merges) == 1 else f"{len(bpe.merges)} merges"
        left, right = bpe.merges[-1]
        return f"after {done}, the last {self._joined(left, right)}"

    def _joined(self, left: Any, right: Any) -> str:
        a, b, ab = (drawn(token, self.by) for token in (left, right, left + right))
        return f"{a} + {b} → {ab}"

    def _cut(self, bpe: BytePairs) -> str:
        tokens = self._tokens(bpe)
        if not tokens:
            return "no word is given"
        many = "1 token" if len(tokens) == 1 else f"{len(tokens)} tokens"
        return f"{drawn(self.word.strip(), '')} is {' | '.join(tokens)}, {many}"

    def _tokens(self, bpe: BytePairs) -> list[str]:
        return [drawn(token, self.by) for token in bpe.split(self.word.strip())]

    def fallback(self) -> str:
        """Return the merges as a table: how often each pair stood, what it made."""
        counts, bpe = self._learnt()
        cut = [
            " | ".join(self._tokens(bpe.first(k))) for k in range(len(bpe.merges) + 1)
        ]
        rows = [("", "", cut[0])]
        steps = trace(counts, min(self.merges, _LISTED), by=self.by)
        for step, tokens in zip(steps, cut[1:], strict=False):
            often = str(step.counts[step.pair])
            rows.append((self._joined(*step.pair), often, tokens))
        heads = ("merge", "pair", "times", drawn(self.word.strip(), "") + " is cut")
        return page(self.alt, f"<p>{escape(self.text)}</p>", _table(heads, rows))


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of texts, its rows numbered from 0."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{k}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for k, row in enumerate(rows)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


# The front end's merging.js and drawing.js do the same. Tests hold both equal.

# JavaScript's blanks, which are not quite Python's.
_BLANKS = re.compile("(?:[^\\S\x1c-\x1f\x85]|\ufeff)+")
_TIMES = re.compile(r"(.+)[×*]([1-9][0-9]{0,4})", flags=re.S)
_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_LETTERS = {
    **{0x1100 + i: letter for i, letter in enumerate(_LEADS)},
    **{0x1161 + i: letter for i, letter in enumerate(_VOWELS)},
    **{0x11A8 + i: f"·{letter}" for i, letter in enumerate(_TAILS)},
}


def counted(text: str) -> Counter[str]:
    """Return how often each word of a text stands there; able×5 counts five times.

    Examples
    --------
    >>> counted("able×5 unable able")
    Counter({'able': 6, 'unable': 1})
    """
    counts: Counter[str] = Counter()
    for written in filter(None, _BLANKS.split(text)):
        carried = _TIMES.fullmatch(written)
        word, times = carried.groups() if carried else (written, "1")
        counts[word] += int(times)
    return counts


def drawn(token: str | bytes, by: str) -> str:
    """Return a token as it is drawn: bytes as hex, jamo as single letters.

    Examples
    --------
    >>> drawn("고".encode(), "byte"), drawn("\u1169\u11bc", "jamo")
    ('EA B3 A0', 'ㅗ·ㅇ')
    """
    if isinstance(token, bytes):
        return token.hex(" ").upper()
    if by == "jamo":
        token = normalize("NFC", token).translate(_LETTERS)
    token = "".join(map(_seen, visible(token)))
    return f"◌{token}" if category(token[0]).startswith("M") else token


def _seen(letter: str) -> str:
    """Return a letter, or the number of one that has no form."""
    hidden = category(letter) in ("Cc", "Cf") or "\ufe00" <= letter <= "\ufe0f"
    return f"U+{ord(letter):04X}" if hidden else letter
