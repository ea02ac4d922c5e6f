"""A language whose entropy is known: dates in Korean, all equally likely."""

from datetime import date, timedelta
from math import log

import torch
from torch.nn.utils.rnn import pad_sequence

from qkv.data.kinds import BOS, EOS, PAD, Questions, composed
from qkv.data.tasks import Task
from qkv.data.text.corpus import Vocabulary
from qkv.data.text.dates import FIRST, LAST

__all__ = ["DateLanguage"]


class DateLanguage(Task):
    r"""Write a date in Korean, one character after another.

    Every day from 1950 to 2049 is equally likely, and is written in one way, CLDR's
    long form. ``texts`` has all of them, ``vocab`` their characters. A model is fed
    ``<bos>`` and the text, and is to predict the text and ``<eos>``.

    All days being equally likely, the entropy of the text is the logarithm of their
    number, and no model that sees only what came before can have a smaller loss:

    .. math:: \frac{\ln 36\,525}{\overline n + 1} = 0.811 \text{ nats a character}

    where :math:`\overline n = 11.96` is the mean length. The 1 is ``<eos>``: it is
    predicted like a character, and counted as one. (Were it not counted, the quotient
    would be 0.879.)

    Attributes
    ----------
    texts : every text of the language, from the first day to the last.
    vocab : the characters, and the three special tokens.
    entropy : nats for each predicted character, ``<eos>`` among them.

    Examples
    --------
    >>> language = DateLanguage()
    >>> language.texts[-1], len(language.texts)
    ('2049년 12월 31일', 36525)
    >>> round(language.entropy, 4)
    0.8109
    >>> language.is_valid("2026년 11월 21일"), language.is_valid("2026년 2월 30일")
    (True, False)
    >>> asked = language.sample(2, seed=0)
    >>> ["".join(language.vocab.decode(row)) for row in asked.target]
    ['2036년 10월 10일', '1997년 9월 30일']
    """

    def __init__(self) -> None:
        days = (LAST - FIRST).days + 1
        self.texts = tuple(_write(FIRST + timedelta(days=n)) for n in range(days))
        self.vocab = Vocabulary(sorted(set("".join(self.texts))))
        self.n_source = self.n_target = len(self.vocab)
        predicted = sum(len(text) + 1 for text in self.texts)
        self.entropy = log(days) / (predicted / days)
        self._known = frozenset(self.texts)
        rows = [[BOS, *self.vocab.encode(text), EOS] for text in self.texts]
        self._lengths = torch.tensor([len(row) for row in rows])
        flat = torch.tensor([index for row in rows for index in row])
        self._ids = pad_sequence(
            list(flat.split(self._lengths.tolist())),
            batch_first=True,
            padding_value=PAD,
        )

    def is_valid(self, text: str) -> bool:
        """Whether ``text`` is in the language: a day there is, written as it should be.

        A padded number ("01월"), a space too many, a day that its month does not have
        and a year outside 1950 to 2049 are not.
        """
        return composed(text) in self._known

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        drawn = torch.randint(len(self.texts), (count,), generator=generator)
        ids = self._ids[drawn, : int(self._lengths[drawn].max())]
        source = ids[:, :-1].masked_fill(ids[:, :-1] == EOS, PAD)
        return Questions(source, target=ids[:, 1:].contiguous())

    def _sizes(self) -> str:
        return f"{len(self.texts):,} days, {len(self.vocab)} tokens"


def _write(day: date) -> str:
    return f"{day.year}년 {day.month}월 {day.day}일"
