"""The corpus: sentences to train on, and sentences that are kept from it."""

from collections.abc import Sequence
from functools import cached_property
from random import Random

from qkv.data.kinds import Example
from qkv.data.text.corpus import PairCorpus, Vocabulary
from qkv.data.text.grammar.drawing import draw, held_out_pairs, minimal_pairs
from qkv.data.text.grammar.judging import Verdict, judge
from qkv.data.text.grammar.lexicon import syllables
from qkv.data.text.grammar.reading import ENGLISH, read, words_of
from qkv.data.text.grammar.sentences import Sentence

__all__ = ["EnglishKorean"]

ROOM = {"train": 12_000, "held_out": 1_000, "longer": 300}
LONGEST, MUCH_LONGER = 9, 12  # English words in train, and in longer


class EnglishKorean(PairCorpus):
    r"""Small English sentences, to be translated into casual Korean.

    A subject, a verb and an object: Korean puts them in another order, marks them with
    particles that fit the sound before them, counts with counters, and honours a
    grandparent and the teacher. Each English sentence has one Korean one:

    - what is known (a pronoun, "the", "my", all of a kind) is a topic, 은 or 는; what
      is new ("a", a numeral) is a subject, 이 or 가;
    - 들 marks people in the plural, and animals unless all of a kind are meant; no
      things, and nothing that is counted;
    - who is honoured takes 께서는, and the verb 시; "my" is then 우리, not 내;
    - every sentence ends in the casual 아 or 어, and 안 denies it.

    What Korean would say in another way is left out, and :meth:`parse` says so. (So is
    "read", whose past is written like its present.)

    English is cut into words, Korean into syllables, with the space as a token of its
    own. The truth of the alignment is the part of the sentence: a noun, an adjective,
    a numeral, "my", the stem of the verb, "not", the time. Particles and endings are
    parts of none.

    15 % of the pairs of verb and object are held out, the same whatever the seed: no
    sentence of ``train`` has one of them, every sentence of ``held_out`` does, and all
    verbs and objects are trained in other pairs. No sentence of :meth:`minimal_pairs`
    is in either. Both stop at 9 English words, and never count or describe both the
    subject and the object; ``longer`` has sentences of 10 to 12 words, of trained
    pairs, that may do both.

    Parameters
    ----------
    seed : decides which sentences are drawn.

    Examples
    --------
    >>> corpus = EnglishKorean()
    >>> example = corpus.parse("The dog did not drink two cups of milk.")
    >>> "".join(example.target)
    '개는 우유 두 잔을 안 마셨어'
    >>> wrong = "개는 우유 두 개를 마셨어"
    >>> print(*corpus.judge(example.source, wrong).problems, sep="\n")
    counter: 우유 is counted in 잔, not in 개
    negation: the Korean lacks 안, the English denies
    """

    def __init__(self, seed: int = 0) -> None:
        self._rng = Random(seed)
        self._seen = {e.source for pair in self.minimal_pairs() for e in pair}
        self._sides = {"train": [], "held_out": [], "longer": []}
        self._fill("train", "held_out")
        self.train, self.held_out = self._sides["train"], self._sides["held_out"]
        self.source_vocab = Vocabulary(ENGLISH)
        self.target_vocab = Vocabulary(syllables())

    @cached_property
    def longer(self) -> list[Example]:
        """300 sentences of 10 to 12 English words, of trained pairs.

        They are rare, and so are drawn only when they are asked for.
        """
        self._fill("longer")
        return self._sides["longer"]

    def _fill(self, *wanted: str) -> None:
        """Draw sentences until the sides that are wanted are full."""
        while any(len(self._sides[side]) < ROOM[side] for side in wanted):
            sentence = draw(self._rng)
            words = sentence.words
            side = _side(sentence, len(words))
            if side and len(self._sides[side]) < ROOM[side] and words not in self._seen:
                self._seen.add(words)
                self._sides[side].append(sentence.example())

    def parse(self, text: str) -> Example:
        """Return the example of a typed sentence, in capitals or not.

        Raises
        ------
        ValueError
            If a word is unknown (the nearest known ones are named), the words are no
            sentence of the grammar, or its Korean would be doubtful.
        """
        return read(words_of(text)).example()

    def source_of(self, text: str) -> tuple[str, ...]:
        """Return the words of a typed text, whether the grammar has it or not."""
        return words_of(text)

    def judge(self, source: str | Sequence[str], korean: str) -> Verdict:
        """Say what is wrong with a translation, without a reference: see ``judge``.

        Raises
        ------
        ValueError
            If the English is not of the grammar.
        """
        return judge(source, korean)

    def minimal_pairs(self) -> list[tuple[Example, Example]]:
        """Return pairs of sentences that differ in who does it, and in nothing else.

        Both have the same words: a model that does not know their order has to
        translate both alike. The first is "the dog saw the cat" and "the cat saw the
        dog". None is trained; their verbs and objects are.
        """
        return [(one.example(), other.example()) for one, other in minimal_pairs()]


def _side(sentence: Sentence, words: int) -> str:
    is_held_out = sentence.pair in held_out_pairs()
    if words <= LONGEST and not sentence.is_crowded:
        return "held_out" if is_held_out else "train"
    return "longer" if LONGEST < words <= MUCH_LONGER and not is_held_out else ""
