"""Cutting words by the longest match, and comparing cuts with true ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import accumulate
from typing import Any

from qkv.subwords.vocabulary import Token


def longest_match(
    word: Any,
    vocabulary: Iterable[Token],
    *,
    prefix: Any = "##",
    unknown: str = "[UNK]",
) -> list[Token]:
    """Return the word's tokens by the longest match from its beginning, as WordPiece.

    Parameters
    ----------
    word : a text; or bytes, where the vocabulary has bytes and ``prefix`` is b"".
    vocabulary : the tokens, a set or mapping for speed.
    prefix : what begins each token that goes on with a word; "" if nothing does.
    unknown : stands for the whole word where a part of it matches nothing.

    Notes
    -----
    The vocabulary is that of Wu et al. (2016), section 4.1; the greedy match is BERT's
    code (Devlin et al., 2019), where a word of more than 100 characters is unknown
    besides. The word is matched as it is written: Korean in parts (NFD) is unknown to
    a vocabulary of syllables.

    Examples
    --------
    >>> vocabulary = {"u", "un", "##afford", "##able"}
    >>> longest_match("unaffordable", vocabulary)
    ['un', '##afford', '##able']
    >>> longest_match("affordable", vocabulary)
    ['[UNK]']
    """
    known = vocabulary if isinstance(vocabulary, Set | Mapping) else set(vocabulary)
    found, rest, begin = [], word, prefix[:0]
    while rest:
        ends = range(len(rest), 0, -1)
        end = next((end for end in ends if begin + rest[:end] in known), None)
        if end is None:
            return [unknown]
        found.append(begin + rest[:end])
        rest, begin = rest[end:], prefix
    return found


def boundary_scores(
    true: Iterable[Sequence[Token]], found: Iterable[Sequence[Token]]
) -> tuple[float, float, float]:
    r"""Return precision, recall and F1 of the places where words were cut.

    .. math::
        P = \frac{|T \cap F|}{|F|}, \quad R = \frac{|T \cap F|}{|T|}, \quad
        F_1 = \frac{2 P R}{P + R}

    T are the true cuts of all words together, F the found ones; the two ends of a word
    are no cuts. A quotient with 0 below is 0.

    Raises
    ------
    ValueError
        If the two are not the same words in the same order.
    TypeError
        If a word is given as a text, not as a list of its pieces.

    Examples
    --------
    >>> boundary_scores([["un", "afford", "able"]], [["un", "affor", "dable"]])
    (0.5, 0.5, 0.5)
    >>> boundary_scores([["build", "er"], ["read"]], [["build", "er"], ["re", "ad"]])
    (0.5, 1.0, 0.6666666666666666)
    """
    right = claimed = there = 0
    for pieces, cut in _same_words(list(true), list(found)):
        of_truth, of_found = _cuts(pieces), _cuts(cut)
        right += len(of_truth & of_found)
        claimed += len(of_found)
        there += len(of_truth)
    return (
        right / max(claimed, 1),
        right / max(there, 1),
        2 * right / max(claimed + there, 1),
    )


def _same_words(
    true: list[Sequence[Token]], found: list[Sequence[Token]]
) -> Iterator[tuple[Sequence[Token], Sequence[Token]]]:
    if len(true) != len(found):
        raise ValueError(
            f"true has {len(true)} words, but found has {len(found)}; give one list of "
            "pieces for each word"
        )
    for pieces, cut in zip(true, found, strict=True):
        for given in (pieces, cut):
            if isinstance(given, str | bytes):
                raise TypeError(
                    f"{given!r} is a text, but each word is to be a list of its "
                    f"pieces; for one word give [[{given!r}, …]]"
                )
        of_truth, of_found = _whole(pieces), _whole(cut)
        if of_truth != of_found:
            raise ValueError(
                f"true has the word {of_truth!r}, but found has {of_found!r} at the "
                "same place; give pieces of the same words"
            )
        yield pieces, cut


def _whole(pieces: Sequence[Token]) -> Token:
    return pieces[0][:0].join(pieces) if pieces else ""


def _cuts(pieces: Sequence[Token]) -> set[int]:
    return set(accumulate(map(len, pieces[:-1])))
