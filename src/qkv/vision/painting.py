r"""One sentence of two languages: words, then the tokens of a picture, in one sequence.

A :class:`~qkv.transformer.LanguageModel` reads and writes it as any other. What is
here: the numbers of both languages (:class:`JointVocabulary`), what is trained on
(:class:`PictureSentences`), and drawing (:class:`Painter`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import indices, share_dropped, two_whole, whole
from qkv._models import in_mode
from qkv.data import BOS, EOS, PAD, Vocabulary
from qkv.data.streams import Drawing
from qkv.decoding import sample
from qkv.transformer import LanguageModel
from qkv.transformer.cache import TransformerState
from qkv.transformer.checkpoint import serialised
from qkv.vision.tokens import DiscreteVAE

PAINTER = "qkv.vision.Painter, 1"  # the one name in a checkpoint's metadata
TEXT_SHARE = 1 / 8


class JointVocabulary:
    """The numbers of words and of picture tokens, in one sequence.

    A sequence has ``text`` places for a sentence, ``<bos>`` before it, ``<eos>`` after
    it and ``<pad>`` in front, then a place for each cell of the picture's grid. Numbers
    of codes are shifted by how many words there are: no number means two things.

    Parameters
    ----------
    words : the vocabulary of the sentences, in one language or more.
    codes : how many picture tokens there are to choose from.
    text : how many places a sentence has, ``<bos>`` and ``<eos>`` among them.
    grid : rows and columns of picture tokens.

    Attributes
    ----------
    offset : the number of the first picture token: how many words there are.
    cells : how many tokens a picture has.
    places : how many a whole sequence has.
    allowed : which numbers each cell may have: (cell, vocab).

    Raises
    ------
    ValueError
        If a size is too small.
    TypeError
        If a size is not whole, or ``grid`` is one and not two.

    Notes
    -----
    Ramesh et al. (2021), section 2.2.

    Examples
    --------
    >>> words = Vocabulary(["red", "star"])
    >>> both = JointVocabulary(words, codes=7, text=5, grid=(1, 2))
    >>> len(both), both.offset
    (12, 5)
    >>> prompts = both.begin([("red", "star"), ("star",), ()])
    >>> prompts.tolist()
    [[0, 1, 3, 4, 2], [0, 0, 1, 4, 2], [0, 0, 0, 1, 2]]
    >>> both.join(prompts[:1], torch.tensor([[[6, 0]]])).tolist()
    [[0, 1, 3, 4, 2, 11, 5]]
    """

    def __init__(
        self,
        words: Vocabulary,
        *,
        codes: int = 64,
        text: int = 13,
        grid: tuple[int, int] = (4, 4),
    ) -> None:
        """Keep the sizes."""
        self.words = words
        self.codes = whole(1, codes=codes)["codes"]
        self.text = whole(2, text=text)["text"]
        self.grid = two_whole("grid", grid, "(rows, columns)")
        self.offset, self.cells = len(words), self.grid[0] * self.grid[1]
        self.places = text + self.cells

    def __len__(self) -> int:
        """How many numbers there are, of words and of picture tokens."""
        return self.offset + self.codes

    @property
    def allowed(self) -> Bool[Tensor, "cell vocab"]:
        """True for picture tokens: what may be drawn in each cell."""
        return (torch.arange(len(self)) >= self.offset).expand(self.cells, -1)

    def begin(self, sentences: Iterable[Sequence[str]]) -> Int[Tensor, "batch text"]:
        """Return the numbers of sentences, each given by its words: () for none.

        Raises
        ------
        ValueError
            If there is no sentence, a word is unknown, or there are too many words.
        TypeError
            If a sentence is a text and not its words.
        """
        rows = [self._row(words) for words in sentences]
        if not rows:
            raise ValueError("no sentence is given; give one, () if it says nothing")
        return torch.tensor(rows)

    def join(
        self,
        prompts: Int[Tensor, "batch text"],
        tokens: Int[Tensor, "batch row column"],
    ) -> Int[Tensor, "batch token"]:
        """Return sentences, each followed by its picture.

        Raises
        ------
        ValueError
            If they are of other sizes, or a word or a picture token is unknown.
        TypeError
            If one is no tensor of whole numbers.
        """
        for name, x, sizes in (
            ("prompts", prompts, (self.text,)),
            ("tokens", tokens, self.grid),
        ):
            indices(name, x)
            if len(x) != len(prompts) or x.shape[1:] != sizes:
                raise ValueError(
                    f"{name} have the shape {tuple(x.shape)}, but {len(prompts)} "
                    f"sequences have {(len(prompts), *sizes)}; prompts are made by "
                    "begin(sentences), and tokens by a tokenizer"
                )
        _known("prompts", prompts, 0, self.offset)
        _known("picture tokens", tokens, 0, self.codes)
        picture = tokens.flatten(1).to(prompts.device) + self.offset
        return torch.cat([prompts, picture], 1)

    def tokens(
        self, ids: Int[Tensor, "batch token"]
    ) -> Int[Tensor, "batch row column"]:
        """Return the picture at the end of sequences, as numbers of codes.

        Raises
        ------
        ValueError
            If there are too few numbers, or one is that of a word.
        TypeError
            If they are no tensor of whole numbers.
        """
        indices("ids", ids)
        if ids.ndim != 2 or ids.shape[1] < self.cells:
            raise ValueError(
                f"ids have the shape {tuple(ids.shape)}, but are wanted as (batch, "
                f"token) with {self.cells} or more places, for {self.cells} cells"
            )
        picture = ids[:, -self.cells :]
        _known("ids of a picture", picture, self.offset, len(self))
        return picture.unflatten(1, self.grid) - self.offset

    def _row(self, words: Sequence[str]) -> list[int]:
        if isinstance(words, str):
            raise TypeError(
                f"{words!r} is a text, and a sentence is its words; give "
                "world.parse(text), or text.split()"
            )
        said = [BOS, *(self.words.encode(words) if words else ()), EOS]
        if len(said) > self.text:
            raise ValueError(
                f"{' '.join(words)!r} has {len(words)} words, but there are "
                f"{self.text} places, of which <bos> and <eos> take 2; say less, or "
                f"make the vocabulary with text={len(said)}, and a model for it"
            )
        return [PAD] * (self.text - len(said)) + said


def _check_guidance(guidance: float, name: str = "guidance") -> None:
    if not 0 <= guidance < inf:
        raise ValueError(
            f"{name} is {guidance}, but must not be negative or infinite; give 0 for "
            "none"
        )


def _known(what: str, x: Tensor, first: int, end: int) -> None:
    if x.numel() and not (x.min() >= first and x.max() < end):
        raise ValueError(
            f"{what} run from {x.min()} to {x.max()}, but are {first} to {end - 1}: "
            "those of words come first, and codes are shifted behind them; join(...) "
            "shifts them, and tokens(ids) shifts them back"
        )


@dataclass(frozen=True, eq=False)
class TextAndPicture:
    r"""Sentences, each followed by its picture, to be foretold token by token: a batch.

    With λ as ``text_share``, and ``<eos>`` among the words, the loss of a sequence is

    .. math:: -\frac{\lambda}{|\text{words}|} \sum_{i \in \text{words}} \log p(t_i)
              - \frac{1 - \lambda}{|\text{cells}|} \sum_{i \in \text{cells}} \log p(t_i)

    Every token is foretold from those before it, the first of the picture from the last
    of the text. What is not asked is 0 in ``target``: padding, and ``<bos>``.

    Parameters
    ----------
    ids : the sequences.
    text : how many places the sentence has.
    text_share : of the loss; what is left is the picture's.

    Notes
    -----
    Ramesh et al. (2021), section 2.2, for the shares 1/8 and 7/8.

    Examples
    --------
    >>> batch = TextAndPicture(torch.tensor([[0, 1, 3, 2, 11, 5]]), text=4)
    >>> batch.target.tolist(), (8 * batch.weights).tolist()
    ([[0, 3, 2, 11, 5]], [[0.0, 0.5, 0.5, 3.5, 3.5]])
    """

    ids: Int[Tensor, "batch token"]
    text: int
    text_share: float = TEXT_SHARE

    @property
    def inputs(self) -> tuple[Int[Tensor, "batch token"]]:
        """What the model is called with."""
        return (self.ids[:, :-1],)

    @property
    def target(self) -> Int[Tensor, "batch token"]:
        """What follows each token, and 0 where nothing is asked."""
        following = self.ids[:, 1:]
        return following.masked_fill(following == BOS, PAD)

    @property
    def weights(self) -> Float[Tensor, "batch token"]:
        """How much each target counts: 1 all together, and as much for every sequence.

        A sentence counts ``text_share`` of it, however long, and its picture the rest.
        """
        asked = (self.target != PAD).float()
        text, picture = asked.split([self.text - 1, self.ids.shape[1] - self.text], 1)
        parts = (text, self.text_share), (picture, 1 - self.text_share)
        shares = [share * part / part.sum(1, keepdim=True) for part, share in parts]
        return torch.cat(shares, 1) / len(asked)

    def loss(
        self,
        output: Float[Tensor, "batch token vocab"],
        target: Int[Tensor, "batch token"],
    ) -> Float[Tensor, ""]:
        """Return the weighted cross-entropy of what is asked."""
        flat = output.flatten(0, 1), target.flatten()
        each = F.cross_entropy(*flat, reduction="none").view_as(target)
        return (each * self.weights.to(each)).sum()


class PictureSentences(Drawing[TextAndPicture]):
    """Sentences and the tokens of their pictures, in batches to train on.

    A batch takes some of the pictures at random. Some of the sentences are dropped,
    so that the model learns, too, what pictures look like of which nothing is said.

    Parameters
    ----------
    prompts : the sentences, as the vocabulary's ``begin`` makes them.
    tokens : of their pictures.
    vocabulary : which numbers both languages have.
    dropped : how likely a sentence is dropped.
    text_share : of the loss.

    Raises
    ------
    ValueError
        If there is not one picture for each sentence, or sizes, tokens or shares don't
        fit.
    TypeError
        If prompts or tokens are no tensor of whole numbers.

    Examples
    --------
    >>> words = Vocabulary(["red", "star"])
    >>> both = JointVocabulary(words, codes=7, text=4, grid=(1, 2))
    >>> prompts = both.begin([("red", "star"), ("star",)])
    >>> pictures = torch.tensor([[[6, 0]], [[3, 3]]])
    >>> data = PictureSentences(prompts, pictures, both)
    >>> data.sample(5, seed=0).ids.shape
    torch.Size([5, 6])
    """

    def __init__(
        self,
        prompts: Int[Tensor, "batch text"],
        tokens: Int[Tensor, "batch row column"],
        vocabulary: JointVocabulary,
        *,
        dropped: float = 0.1,
        text_share: float = TEXT_SHARE,
    ) -> None:
        """Join them once."""
        share_dropped(dropped, "dropped")
        share_dropped(text_share, "text_share")
        self.vocabulary, self.dropped = vocabulary, dropped
        self.text_share = text_share
        self.ids = vocabulary.join(prompts, tokens)
        if not len(self.ids):
            raise ValueError("no sentence is given; give at least one, and its picture")

    def _draw(self, count: int, generator: torch.Generator) -> TextAndPicture:
        rows = torch.randint(len(self.ids), (count,), generator=generator)
        ids, text = self.ids[rows], self.vocabulary.text
        silent = torch.rand(count, generator=generator) < self.dropped
        ids[silent, :text] = self.vocabulary.begin([()])
        return TextAndPicture(ids, text, self.text_share)


class Guided(nn.Module):
    r"""A language model that is led away from what it writes to another prompt.

    .. math:: \ell = (1 + s)\, \ell_c - s\, \ell_0

    To :mod:`qkv.decoding` it is what the model itself is. It reads both prompts side by
    side, and takes what it writes into both.

    Parameters
    ----------
    model : the language model.
    unprompted : the prompt that says nothing, as long as the others.
    strength : s; with 0 the model writes as it would alone.

    Raises
    ------
    ValueError
        If ``strength`` is negative or infinite, or prompts are of another length than
        ``unprompted``.

    Notes
    -----
    Ho and Salimans (2022), equation 6, for what a model scores in place of what it
    scores of noise.

    Examples
    --------
    >>> from qkv.transformer import TransformerConfig
    >>> both = JointVocabulary(Vocabulary(["red", "star"]), text=4)
    >>> model = LanguageModel(TransformerConfig(1, len(both)))
    >>> guided = Guided(model, both.begin([()])[0], strength=0.5)
    >>> asked = both.begin([("red", "star"), ("star",)]), torch.tensor([4, 4])
    >>> logits, state = guided.step(guided.first_token(*asked), guided.start(*asked))
    >>> logits.shape
    torch.Size([2, 69])
    """

    def __init__(
        self,
        model: LanguageModel,
        unprompted: Int[Tensor, " text"],
        strength: float,
    ):
        """Keep the model."""
        super().__init__()
        _check_guidance(strength, "strength")
        self.model, self.unprompted, self.strength = model, unprompted, strength

    def start(
        self, prompt: Int[Tensor, "batch text"], prompt_lengths: Int[Tensor, " batch"]
    ) -> TransformerState:
        """Read each prompt, and as often the one that says nothing."""
        if prompt.shape[-1] != len(self.unprompted):
            raise ValueError(
                f"prompt has text = {prompt.shape[-1]}, but unprompted has text = "
                f"{len(self.unprompted)}; make both with one JointVocabulary's "
                "begin(sentences)"
            )
        other = self.unprompted.to(prompt.device).expand_as(prompt)
        both = torch.cat([prompt, other])
        return self.model.start(both, prompt_lengths.repeat(2))

    def first_token(
        self, prompt: Int[Tensor, "batch text"], prompt_lengths: Int[Tensor, " batch"]
    ) -> Int[Tensor, " batch"]:
        """Return the last token of each prompt; all end in the same."""
        return self.model.first_token(prompt, prompt_lengths)

    def step(
        self, token: Int[Tensor, " batch"], state: TransformerState
    ) -> tuple[Float[Tensor, "batch vocab"], TransformerState]:
        """Take in one token; return the logits of the next and the new state."""
        logits, state = self.model.step(token.repeat(2), state)
        prompted, free = logits.chunk(2)
        return (1 + self.strength) * prompted - self.strength * free, state


@runtime_checkable
class Tokenizer(Protocol):
    """What a painter asks of what its tokens are of."""

    @property
    def grid(self) -> tuple[int, int]:
        """How many rows and columns of tokens a picture has."""

    @property
    def n_codes(self) -> int:
        """How many tokens there are to choose from."""


class Painter(nn.Module):
    r"""Draw what sentences say, token by token, and say how likely a picture is.

    .. math:: p(t \mid \text{words}) = \prod_i p(t_i \mid \text{words}, t_{<i})

    A sentence is given by its words, () for none, as :meth:`JointVocabulary.begin`
    takes it.

    Parameters
    ----------
    model : writes a picture's tokens behind a sentence.
    tokenizer : paints from tokens: a :class:`DiscreteVAE`.
    vocabulary : the numbers of both languages.

    Raises
    ------
    ValueError
        If model, tokenizer and vocabulary don't have the same tokens; or, when it is
        used, if a word is unknown, a sentence too long, or numbers don't fit.
    TypeError
        If a sentence is a text and not its words, tokens are no tensor of whole
        numbers, or pictures are wanted of a tokenizer that paints none.

    Examples
    --------
    >>> from qkv.transformer import TransformerConfig
    >>> both = JointVocabulary(Vocabulary(["red", "star"]), text=4)
    >>> config = TransformerConfig(1, len(both))
    >>> painter = Painter(LanguageModel(config), DiscreteVAE(), both)
    >>> sentences = [("red", "star"), ()]
    >>> tokens = painter.draw(sentences, uniform=torch.rand(2, 16), temperature=0.5)
    >>> tokens.shape, painter.pictures(tokens).shape
    (torch.Size([2, 4, 4]), torch.Size([2, 3, 16, 16]))
    >>> painter.log_likelihood(sentences, tokens).shape
    torch.Size([2, 16])
    >>> painter.attention(sentences, tokens).shape
    torch.Size([2, 2, 4, 16, 19])
    """

    def __init__(
        self, model: LanguageModel, tokenizer: Tokenizer, vocabulary: JointVocabulary
    ):
        """Keep the three, if they belong together."""
        super().__init__()
        if model.config.n_target != len(vocabulary):
            raise ValueError(
                f"the model has {model.config.n_target} tokens, but the vocabulary "
                f"{len(vocabulary)}; make TransformerConfig(1, len(vocabulary))"
            )
        if tokenizer.grid != vocabulary.grid or tokenizer.n_codes != vocabulary.codes:
            raise ValueError(
                f"the tokenizer has {tokenizer.n_codes} codes on a grid of "
                f"{tokenizer.grid}, but the vocabulary {vocabulary.codes} on "
                f"{vocabulary.grid}; give JointVocabulary those of the tokenizer"
            )
        self.model, self.tokenizer, self.vocabulary = model, tokenizer, vocabulary

    def draw(
        self,
        sentences: Iterable[Sequence[str]],
        *,
        uniform: Float[Tensor, "batch cell"],
        temperature: float = 1.0,
        guidance: float = 0.0,
        fixed: Mapping[int, int] | None = None,
    ) -> Int[Tensor, "batch row column"]:
        """Draw a picture's tokens for each sentence, only tokens of pictures.

        Parameters
        ----------
        sentences : their words.
        uniform : decide what is drawn, from 0 to below 1: as in
            :func:`qkv.decoding.sample`.
        temperature : 0 for the likeliest tokens, 1 for the model's own probabilities.
        guidance : s, as in :class:`Guided`; 0 for none.
        fixed : codes that are taken whatever the model says, by cell; the cells after
            them follow.
        """
        both, model = self.vocabulary, self.model
        prompts = both.begin(sentences)
        _check_guidance(guidance)
        allowed = both.allowed.clone()
        for cell, code in (fixed or {}).items():
            if cell not in range(both.cells) or code not in range(both.codes):
                raise ValueError(
                    f"fixed has {cell!r}: {code!r}, but cells are 0 to "
                    f"{both.cells - 1}, and codes 0 to {both.codes - 1}"
                )
            allowed[cell] = torch.arange(len(both)) == both.offset + code
        writer = Guided(model, both.begin([()])[0], guidance) if guidance else model
        written = sample(
            writer,
            prompts,
            torch.full((len(prompts),), both.text),
            max_length=both.cells,
            uniform=uniform,
            temperature=temperature,
            allowed=allowed,
        )
        return both.tokens(written)

    def pictures(
        self, tokens: Int[Tensor, "batch row column"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Return what tokens show."""
        return self._paints().pictures(tokens)

    @torch.no_grad()
    def log_likelihood(
        self,
        sentences: Iterable[Sequence[str]],
        tokens: Int[Tensor, "batch row column"],
    ) -> Float[Tensor, "batch cell"]:
        """Return the logarithm of how likely each token of a picture is, in nats.

        Each is that of the token after the sentence and the tokens before it: their sum
        is the picture's.
        """
        ids = self._joined(sentences, tokens)
        foretold = self._foretold(ids)
        picture = ids[:, self.vocabulary.text :, None]
        return foretold.log_softmax(-1).gather(2, picture).squeeze(2)

    @torch.no_grad()
    def logits(
        self,
        sentences: Iterable[Sequence[str]],
        tokens: Int[Tensor, "batch row column"],
        *,
        guidance: float = 0.0,
    ) -> Float[Tensor, "batch cell code"]:
        """Return the score of every code in each cell, after the tokens before it.

        It is what :meth:`draw` draws by, with this guidance.
        """
        both = self.vocabulary
        _check_guidance(guidance)

        def score(said: Iterable[Sequence[str]]) -> Tensor:
            return self._foretold(self._joined(said, tokens))[..., both.offset :]

        prompted = score(sentences)
        if not guidance:
            return prompted
        return (1 + guidance) * prompted - guidance * score([()] * len(tokens))

    @torch.no_grad()
    def attention(
        self,
        sentences: Iterable[Sequence[str]],
        tokens: Int[Tensor, "batch row column"],
    ) -> Float[Tensor, "layer batch head cell token"]:
        """Return where the model looks to foretell each cell, in each layer and head.

        Places are those of the text, then the cells but for the last, which nothing
        follows; a row of weights sums to 1.
        """
        with in_mode(self.model, training=False):
            trace = self.model.trace(self._joined(sentences, tokens)[:, :-1])
        weights = [layer.attention.attention.weights for layer in trace.decoder]
        return torch.stack(weights)[..., self.vocabulary.text - 1 :, :]

    def to_bytes(self) -> bytes:
        """Return what :func:`~qkv.vision.save` writes.

        Raises
        ------
        ValueError
            If a weight is NaN or too large for float16.
        TypeError
            If the tokenizer is no :class:`DiscreteVAE`.
        """
        told = {
            "model": asdict(self.model.config),
            "tokenizer": asdict(self._paints().config),
            "words": self.vocabulary.words.tokens,
            "text": self.vocabulary.text,
        }
        return serialised(self.state_dict(), PAINTER, told)

    def _paints(self) -> DiscreteVAE:
        """Return the tokenizer, if it is one that paints."""
        if not isinstance(self.tokenizer, DiscreteVAE):
            raise TypeError(
                f"the tokenizer is of type {type(self.tokenizer).__name__}, but "
                "pictures and checkpoints are of a DiscreteVAE; of Slots take "
                "scenes(tokens)"
            )
        return self.tokenizer

    def _foretold(self, ids: Tensor) -> Float[Tensor, "batch cell vocab"]:
        """Return the scores of what each cell holds, by the model as it draws."""
        with in_mode(self.model, training=False):
            return self.model(ids[:, :-1])[:, self.vocabulary.text - 1 :]

    def _joined(
        self, sentences: Iterable[Sequence[str]], tokens: Tensor
    ) -> Int[Tensor, "batch token"]:
        ids = self.vocabulary.join(self.vocabulary.begin(sentences), tokens)
        return ids.to(self.model.output.weight.device)
