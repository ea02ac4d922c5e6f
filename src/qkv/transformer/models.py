"""Whole models: embeddings and positions before the layers, the vocabulary after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from qkv import masks
from qkv._checks import (
    heads_divide,
    kv_heads_divide,
    one_of,
    one_token_each,
    same_batch,
    settle,
    share_dropped,
    two_whole,
    whole,
    whole_batch,
)
from qkv.layers import LayerNorm, embed
from qkv.positions import Learned, Sinusoidal
from qkv.transformer.blocks import (
    Decoder,
    DecoderLayer,
    Encoder,
    EncoderLayer,
    made,
)
from qkv.transformer.cache import Cache, TransformerState, as_bias, empty_cache
from qkv.transformer.traces import LanguageModelTrace, TransformerTrace

POSITIONS = ("sinusoidal", "learned", "none")
MakeLayer = Callable[[], nn.Module]
_Layer = TypeVar("_Layer", EncoderLayer, DecoderLayer)


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes and kinds of a model.

    Parameters
    ----------
    n_source : how many tokens the source's vocabulary has; a
        :class:`LanguageModel` has no source and does not look at it.
    n_target : how many the target's has.
    d_model : the width of a token.
    heads : how many heads share it in every attention.
    d_ff : the width of the feed-forward networks.
    layers : how many encoder and decoder layers.
    norm_first : normalise before each sub-layer (*pre-norm*), or after it.
    tied : score the target's tokens with their own embeddings.
    positions : "sinusoidal", "learned" or "none".
    max_length : the longest sequence that learned positions are made for.
    dropout : how likely a number is set to zero in training: in the embeddings and
        in what each sub-layer says.
    final_norm : a norm after the last layer of encoder and decoder: None for in
        pre-norm only, as in the papers. ``torch.nn.Transformer`` always has one.
    kv_heads : how many heads of keys and values every attention has, for its heads to
        share: as many as ``heads`` if not given. The cache keeps no more.
    window : how many tokens each of the decoder's may attend to in self-attention,
        itself the last; all if not given. The cache still keeps all.
    """

    n_source: int
    n_target: int
    d_model: int = 64
    heads: int = 4
    d_ff: int = 128
    layers: tuple[int, int] = (2, 2)
    norm_first: bool = True
    tied: bool = False
    positions: str = "sinusoidal"
    max_length: int = 64
    dropout: float = 0.0
    final_norm: bool | None = None
    kv_heads: int | None = None
    window: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no model can be made of.

        Raises
        ------
        ValueError
            If a size is below 1, heads do not divide d_model or kv_heads heads, the
            positions are of no known kind, or dropout is not a probability below 1.
        TypeError
            If a size is no whole number, or ``layers`` is one and not two.
        """
        sizes = "n_source", "n_target", "d_model", "heads", "d_ff", "max_length"
        settle(self, **whole(1, **{name: getattr(self, name) for name in sizes}))
        which = "(of the encoder, of the decoder)"
        settle(self, layers=two_whole("layers", self.layers, which))
        heads_divide(self.d_model, self.heads)
        if self.kv_heads is not None:
            settle(self, kv_heads=kv_heads_divide(self.heads, self.kv_heads))
        if self.window is not None:
            settle(self, **whole(1, window=self.window))
        one_of("positions", self.positions, POSITIONS, who="the model knows")
        share_dropped(self.dropout)


class _Model(nn.Module):
    """What both models have: tokens become vectors, and vectors scores of tokens."""

    target_embedding: nn.Embedding
    output: nn.Linear

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        self.positions = _positions(config)

    def _embedded(self, table: nn.Embedding, tokens: Tensor, side: str) -> Tensor:
        return embed(table, tokens, side) * self.config.d_model**0.5

    def _placed(self, embedded: Tensor, start: int | Tensor = 0) -> Tensor:
        return embedded if self.positions is None else self.positions(embedded, start)

    def _read(self, table: nn.Embedding, tokens: Tensor, side: str) -> Tensor:
        """Return embeddings with positions: the input of the first layer."""
        x = self._placed(self._embedded(table, tokens, side))
        drops = self.training and self.config.dropout > 0
        return F.dropout(x, self.config.dropout) if drops else x

    def _make_output(self, embedding: nn.Embedding) -> nn.Linear:
        output = nn.Linear(self.config.d_model, self.config.n_target)
        if self.config.tied:
            output.weight = embedding.weight
        return output

    @torch.no_grad()
    def extend(
        self, tokens: Int[Tensor, "batch token"], state: TransformerState
    ) -> tuple[Float[Tensor, "batch token vocab"], TransformerState]:
        """Take in several tokens at once; as many calls of :meth:`step`, but faster.

        Raises
        ------
        ValueError
            If there is no token or not one row for each of the state's, a token is
            unknown, or learned positions come to their end.
        TypeError
            If the tokens are no tensor of integers.
        """
        whole_batch("tokens", tokens, "batch token")
        batch, count = tokens.shape
        if batch != state.batch:
            raise ValueError(
                f"the state has batch = {state.batch}, but tokens has batch = {batch}; "
                "give one row of tokens for each of its rows"
            )
        decoded, state = self._advanced(tokens, state)
        return self.output(decoded).unflatten(0, (batch, count)), state

    def _advanced(
        self, tokens: Tensor, state: TransformerState
    ) -> tuple[Float[Tensor, "batch_token d_model"], TransformerState]:
        """Read tokens into the state, and compute no logits."""
        count = tokens.shape[1]
        embedded = self._embedded(self.target_embedding, tokens, "target")
        x = self._placed(embedded, state.position)
        state = state.reserved(count)
        return state.advance(x.flatten(0, 1), state, state.mask(count)), state

    def step(
        self, token: Int[Tensor, " batch"], state: TransformerState
    ) -> tuple[Float[Tensor, "batch vocab"], TransformerState]:
        """Take in one token; return the logits of the next and the new state."""
        one_token_each(token, state.batch)
        logits, state = self.extend(token.unsqueeze(1), state)
        return logits.squeeze(1), state

    def _nothing_read(self, batch: int) -> Cache:
        weight, config = self.output.weight, self.config
        (_, layers), d_head = config.layers, config.d_model // config.heads
        return empty_cache(layers, batch, self._kv_heads, d_head, like=weight)

    @property
    def _kv_heads(self) -> int:
        return kv_heads_divide(self.config.heads, self.config.kv_heads)


class Transformer(_Model):
    r"""Attention and nothing else: read a source, write a target, an EncoderDecoder.

    .. math::
        m &= \mathrm{Encoder}(\sqrt{d_{\mathrm{model}}}\, E x_j + PE_{j-1}) \\
        z &= \mathrm{Decoder}(\sqrt{d_{\mathrm{model}}}\, E' y_{i-1} + PE_{i-1},\; m) \\
        p(y_i \mid y_{<i}, x) &= \mathrm{softmax}(W_o z_i + b_o)

    All positions of the target are computed at once in training: only the mask keeps
    a token from seeing the next. Masks are made here, from the lengths: there is none
    to give.

    ``encoder`` and ``decoder`` have the parameters of ``torch.nn.Transformer`` under
    the same names.

    Parameters
    ----------
    config : its sizes and kinds.
    feed_forward : makes what a layer does to each token alone, once for each layer, in
        place of the feed-forward network of width d_ff: see
        :mod:`qkv.transformer.blocks`.

    Raises
    ------
    ValueError
        If a token is unknown, source, lengths and target differ in their batch, a
        source is empty, or learned positions are too few.

    Notes
    -----
    Vaswani et al. (2017), figure 1.

    Examples
    --------
    >>> model = Transformer(TransformerConfig(n_source=11, n_target=13))
    >>> source, lengths = torch.tensor([[5, 6, 7], [8, 9, 0]]), torch.tensor([3, 2])
    >>> target_in = torch.tensor([[1, 5], [1, 8]])
    >>> model(source, lengths, target_in).shape
    torch.Size([2, 2, 13])
    >>> trace = model.trace(source, lengths, target_in)
    >>> trace.decoder[-1].cross.attention.weights.shape
    torch.Size([2, 4, 2, 3])
    """

    def __init__(
        self, config: TransformerConfig, *, feed_forward: MakeLayer | None = None
    ):
        """Make embeddings, encoder, decoder and output, in the order of their use."""
        super().__init__(config)
        self.source_embedding = _table(config.n_source, config)
        layers = _layers(EncoderLayer, 0, config, feed_forward)
        self.encoder = Encoder(layers, _last_norm(config))
        self.target_embedding = _table(config.n_target, config)
        layers = _layers(DecoderLayer, 1, config, feed_forward)
        self.decoder = Decoder(layers, _last_norm(config))
        self.output = self._make_output(self.target_embedding)

    def forward(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
        target_in: Int[Tensor, "batch target"],
    ) -> Float[Tensor, "batch target vocab"]:
        """Return the logits of each next token."""
        memory, mask = self.encode(source, source_lengths)
        same_batch(source, target_in)
        x = self._read(self.target_embedding, target_in, "target")
        return self.output(self.decoder(x, memory, memory_mask=mask))

    def encode(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
    ) -> tuple[
        Float[Tensor, "batch source d_model"], Bool[Tensor, "batch 1 source"] | None
    ]:
        """Return what the decoder looks at, and which of it is not padding.

        The mask is None where nothing is padding; what the encoder makes of padding is
        of no meaning.
        """
        mask = _source_mask(source, source_lengths)
        x = self._read(self.source_embedding, source, "source")
        return self.encoder(x, mask=mask), mask

    @torch.no_grad()
    def start(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
    ) -> TransformerState:
        """Read the source, and project it once for all steps to come."""
        memory, mask = self.encode(source, source_lengths)
        bias = None
        if mask is not None:
            mask = mask.repeat_interleave(self._kv_heads, 0)
            bias = as_bias(mask, memory.dtype)
        return TransformerState(
            advance=self.decoder.advancing(),
            length=0,
            cache=self._nothing_read(len(source)),
            window=self.config.window,
            source=self.decoder.project(memory),
            source_bias=bias,
        )

    def trace(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
        target_in: Int[Tensor, "batch target"],
    ) -> TransformerTrace:
        """Do what a call does, without dropout, and return every step."""
        mask = _source_mask(source, source_lengths)
        same_batch(source, target_in)
        source_embedded = self._embedded(self.source_embedding, source, "source")
        source_placed = self._placed(source_embedded)
        encoder, memory = self.encoder.trace(source_placed, mask=mask)
        target_embedded = self._embedded(self.target_embedding, target_in, "target")
        target_placed = self._placed(target_embedded)
        decoder, decoded = self.decoder.trace(target_placed, memory, memory_mask=mask)
        logits = self.output(decoded)
        return TransformerTrace(
            source_embedded=source_embedded,
            source_placed=source_placed,
            encoder=encoder,
            memory=memory,
            target_embedded=target_embedded,
            target_placed=target_placed,
            decoder=decoder,
            decoded=decoded,
            logits=logits,
            probabilities=logits.softmax(-1),
        )


class LanguageModel(_Model):
    r"""A decoder alone: say of every token what the next may be, and write on.

    .. math:: z = \mathrm{Decoder}(\sqrt{d_{\mathrm{model}}}\, E y_i + PE_i), \qquad
              p(y_{i+1} \mid y_{\le i}) = \mathrm{softmax}(W_o z_i + b_o)

    With no source to look at, a decoder layer is an encoder layer that looks back only;
    there are as many as ``config`` has decoder layers, and ``n_target`` tokens.

    To :mod:`qkv.decoding` it is an encoder-decoder whose source is the beginning of a
    text, the *prompt*, and whose target is how it goes on. Prompts of a batch may
    differ in length, and each goes on as it would alone; one of ``<bos>`` and nothing
    else leaves the model free. ``feed_forward`` is as in :class:`Transformer`.

    Notes
    -----
    Radford et al. (2018), section 3.1.

    Examples
    --------
    >>> from qkv.decoding import greedy
    >>> _ = torch.manual_seed(0)
    >>> model = LanguageModel(TransformerConfig(n_source=13, n_target=13))
    >>> prompts, lengths = torch.tensor([[1, 5, 7], [1, 8, 0]]), torch.tensor([3, 2])
    >>> written = greedy(model, prompts, lengths, max_length=4)
    >>> alone = greedy(model, prompts[1:, :2], lengths[1:], max_length=4)
    >>> torch.equal(written[1:], alone)
    True
    """

    def __init__(
        self, config: TransformerConfig, *, feed_forward: MakeLayer | None = None
    ):
        """Make the embedding, the decoder and the output."""
        super().__init__(config)
        self.target_embedding = _table(config.n_target, config)
        layers = _layers(EncoderLayer, 1, config, feed_forward)
        self.decoder = Encoder(layers, _last_norm(config))
        self.output = self._make_output(self.target_embedding)

    def forward(
        self, tokens: Int[Tensor, "batch token"]
    ) -> Float[Tensor, "batch token vocab"]:
        """Return the logits of each next token."""
        whole_batch("tokens", tokens, "batch token")
        x = self._read(self.target_embedding, tokens, "target")
        return self.output(self.decoder(x, causal=True))

    def empty(self, batch: int = 1) -> TransformerState:
        """Return the state in which nothing is read.

        :meth:`extend` then reads a text in as many pieces as one likes.

        Examples
        --------
        >>> model = LanguageModel(TransformerConfig(n_source=13, n_target=13))
        >>> tokens = torch.tensor([[1, 5, 7, 9]])
        >>> _, state = model.extend(tokens[:, :3], model.empty())
        >>> logits, state = model.step(tokens[:, 3], state)
        >>> torch.allclose(logits, model(tokens)[:, 3], atol=1e-5)
        True
        """
        return TransformerState(
            advance=self.decoder.advancing(),
            length=0,
            cache=self._nothing_read(batch),
            window=self.config.window,
        )

    @torch.no_grad()
    def start(
        self,
        prompt: Int[Tensor, "batch token"],
        prompt_lengths: Int[Tensor, " batch"],
    ) -> TransformerState:
        """Read each prompt but for its last token, which the first step is to take in.

        All are read at once, and what has been kept of the padding behind the shorter
        is hidden from then on. What is written stands where its own prompt ends.

        Raises
        ------
        ValueError
            If there is not one length for each prompt, a length is below 1 or more
            than the prompt has tokens, a token is unknown, or learned positions are
            too few for the longest prompt.

        Examples
        --------
        >>> model = LanguageModel(TransformerConfig(n_source=13, n_target=13))
        >>> prompts = torch.tensor([[1, 5, 7], [1, 8, 0]]), torch.tensor([3, 2])
        >>> state = model.start(*prompts)
        >>> logits, state = model.step(model.first_token(*prompts), state)
        >>> torch.allclose(logits[1], model(prompts[0][1:, :2])[0, -1], atol=1e-5)
        True
        """
        real = masks.real_tokens(prompt, prompt_lengths, "prompt")
        state, count = self.empty(len(prompt)), prompt_lengths.amax().item() - 1
        if count == 0:
            return state
        _, state = self._advanced(prompt[:, :count], state)
        followed = real[:, 1 : count + 1]  # what is not the last of its prompt
        return state if followed.all() else state.hiding(followed)

    def first_token(
        self,
        prompt: Int[Tensor, "batch token"],
        prompt_lengths: Int[Tensor, " batch"],
    ) -> Int[Tensor, " batch"]:
        """Return the last token of each prompt: what follows is to be written."""
        rows = torch.arange(len(prompt), device=prompt.device)
        return prompt[rows, prompt_lengths - 1]

    def trace(self, tokens: Int[Tensor, "batch token"]) -> LanguageModelTrace:
        """Do what a call does, without dropout, and return every step."""
        whole_batch("tokens", tokens, "batch token")
        embedded = self._embedded(self.target_embedding, tokens, "target")
        placed = self._placed(embedded)
        decoder, decoded = self.decoder.trace(placed, causal=True)
        logits = self.output(decoded)
        return LanguageModelTrace(
            embedded=embedded,
            placed=placed,
            decoder=decoder,
            decoded=decoded,
            logits=logits,
            probabilities=logits.softmax(-1),
        )


def _layers(
    kind: type[_Layer],
    which: int,
    config: TransformerConfig,
    feed_forward: MakeLayer | None,
) -> list[_Layer]:
    return [
        kind(
            config.d_model,
            config.heads,
            config.d_ff,
            norm_first=config.norm_first,
            dropout=config.dropout,
            feed_forward=made(feed_forward),
            kv_heads=config.kv_heads,
            window=config.window if which == 1 else None,
        )
        for _ in range(config.layers[which])
    ]


def _last_norm(config: TransformerConfig) -> LayerNorm | None:
    wanted = config.norm_first if config.final_norm is None else config.final_norm
    return LayerNorm(config.d_model) if wanted else None


def _table(tokens: int, config: TransformerConfig) -> nn.Embedding:
    table = nn.Embedding(tokens, config.d_model)
    # Small, so that positions are heard next to them: with a deviation of 1 a model
    # has not learned to reverse 16 digits after three times as many steps.
    nn.init.normal_(table.weight, std=0.02)
    return table


def _positions(config: TransformerConfig) -> nn.Module | None:
    if config.positions == "sinusoidal":
        return Sinusoidal(config.d_model)
    if config.positions == "learned":
        return Learned(config.max_length, config.d_model)
    return None


def _source_mask(source: Tensor, lengths: Tensor) -> Tensor | None:
    real = masks.real_tokens(source, lengths)
    return None if real.all() else real.unsqueeze(1)
