"""Words that mean something else in each language."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from qkv._checks import whole
from qkv.data.kinds import Questions
from qkv.data.tasks import Task

__all__ = ["Dictionaries", "InLanguages"]


@dataclass(frozen=True, eq=False)
class InLanguages(Questions):
    """Sentences, the meaning of each word, and the language of each sentence."""

    language: Int[Tensor, " batch"]


class Dictionaries(Task):
    """Say what each word means in the language of its sentence.

    A sentence begins with the tag of its language, which is not asked about; words
    follow, drawn freely. All languages are written with the same words, 1 to ``words``,
    and each has a dictionary of its own: a random order of the same meanings. So a word
    alone says nothing, and neither does a language. Guessing is right once in ``words``
    times.

    Parameters
    ----------
    languages, words : how many there are.
    length : how many words are in a sentence.
    seed : of the dictionaries, which are the task.

    Attributes
    ----------
    meanings : what each word means in each language: ``meanings[language, word - 1]``.

    Raises
    ------
    ValueError
        If a size is below 1.
    TypeError
        If a size is not whole.

    Examples
    --------
    >>> task = Dictionaries(languages=2, words=5, length=3)
    >>> asked = task.sample(1, seed=0)
    >>> asked.source, asked.language, asked.target
    (tensor([[6, 5, 4, 1]]), tensor([0]), tensor([[0, 2, 1, 3]]))
    >>> task.meanings
    tensor([[3, 4, 5, 1, 2],
            [4, 2, 5, 1, 3]])
    """

    meanings: Int[Tensor, "language vocab"]

    def __init__(
        self, languages: int = 16, words: int = 128, length: int = 8, *, seed: int = 0
    ) -> None:
        whole(1, languages=languages, words=words, length=length)
        self.languages, self.words, self.length = languages, words, length
        self.n_source = words + languages + 1
        self.n_target = words + 1
        self.meanings = self._dictionaries(seed)

    def _dictionaries(self, seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.rand(self.languages, self.words, generator=generator)
        return drawn.argsort(dim=1) + 1

    def _draw(self, count: int, generator: torch.Generator) -> InLanguages:
        language = torch.randint(self.languages, (count,), generator=generator)
        size = (count, self.length)
        words = torch.randint(1, self.words + 1, size, generator=generator)
        tag = (self.words + 1 + language)[:, None]
        meaning = self.meanings[language].gather(1, words - 1)
        return InLanguages(
            torch.cat([tag, words], dim=1),
            target=torch.cat([torch.zeros_like(tag), meaning], dim=1),
            language=language,
        )

    def _sizes(self) -> str:
        return (
            f"{self.languages} languages, {self.words} words, sentences of "
            f"{self.length}"
        )
