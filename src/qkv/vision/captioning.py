"""Captioners: they see an image as a grid, and say it word by word, looking.

Nothing of attention is written here. :class:`Captioner` is chapter 2's decoder, and
:class:`TransformerCaptioner` chapter 7's, on what :class:`GridEncoder` sees.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from qkv._checks import boolean, one_token_each, same_batch, whole
from qkv.attention import attend
from qkv.layers import LayerNorm, embed
from qkv.positions import Sinusoidal
from qkv.recurrent import AttentionDecoder, AttentionState, Memory
from qkv.transformer import Decoder, DecoderLayer, TransformerState
from qkv.transformer.cache import empty_cache
from qkv.transformer.checkpoint import serialised
from qkv.vision.grids import GridEncoder, ImageEncoder, folded
from qkv.vision.traces import CaptionTrace, TransformerCaptionTrace

CAPTIONER = "qkv.vision.Captioner, 1"  # the one name in a checkpoint's metadata


class Captioner(AttentionDecoder[ImageEncoder]):
    r"""Say what is in an image, word by word, looking at a grid of it.

    .. math::
        e_{t,ij} &= a(s_{t-1}, h_{ij}), \qquad
        \alpha_{t,ij} = \frac{\exp e_{t,ij}}{\sum_{kl} \exp e_{t,kl}}, \qquad
        c_t = \sum_{ij} \alpha_{t,ij} h_{ij} \\
        s_t &= \mathrm{GRU}([E y_{t-1}; c_t], s_{t-1}) \\
        p(y_t \mid y_{<t}, a) &= \mathrm{softmax}(W_o [s_t; c_t] + b_o)

    It is :class:`qkv.recurrent.AttentionDecoder` with j → (i, j), and d_hidden is the
    encoder's. A source is ``images``, or ``images, visible``: False for each place that
    no word may look at, "batch row column". Where all are hidden the context is 0, and
    what is left is what words alone tell of words.

    Parameters
    ----------
    encoder : what there is to look at.
    n_target : how many words it knows.
    d_embedding, score : as in :class:`qkv.recurrent.AttentionDecoder`.

    Raises
    ------
    ValueError
        If images or ``visible`` don't fit the encoder, or a word is unknown.
    TypeError
        If ``visible`` is not boolean.

    Notes
    -----
    Xu et al. (2015), section 4.2, with a GRU in place of their LSTM, no gate β, and the
    scores of Bahdanau et al. (2015).

    Examples
    --------
    >>> from qkv.decoding import greedy
    >>> model = Captioner(GridEncoder(), n_target=15)
    >>> images, target_in = torch.rand(5, 3, 28, 28), torch.ones(5, 2).long()
    >>> model(images, target_in).shape
    torch.Size([5, 2, 15])
    >>> model.trace(images, target_in).weights.shape
    torch.Size([5, 2, 7, 7])
    >>> written = greedy(model, images, max_length=4)
    >>> visible = torch.ones(5, 7, 7, dtype=torch.bool)
    >>> torch.equal(greedy(model, images, visible, max_length=4), written)
    True
    """

    def __init__(
        self,
        encoder: ImageEncoder,
        n_target: int,
        *,
        d_embedding: int = 32,
        score: str = "additive",
    ):
        """Keep the encoder; make a decoder of its width."""
        super().__init__(
            encoder,
            n_target,
            d_embedding=d_embedding,
            d_hidden=encoder.d_hidden,
            score=score,
        )
        self.score_name = score

    def start(self, *source: Shaped[Tensor, "batch ..."]) -> AttentionState:
        """See the image, and project its places once for all words to come.

        Given are the images, and what is visible of them if not all.
        """
        images, visible = _sight(source)
        state = super().start(images)
        for sees in visible:
            state = self.hiding(state, sees)
        return state

    def hiding(
        self, state: AttentionState, visible: Bool[Tensor, "batch row column"]
    ) -> AttentionState:
        """Return a state in which these places alone may be looked at.

        It is a state of its own: to hide places from one word, take it for one step.

        Examples
        --------
        >>> model = Captioner(GridEncoder(), n_target=15)
        >>> state = model.start(torch.rand(1, 3, 28, 28))
        >>> visible = torch.ones(1, 7, 7, dtype=torch.bool)
        >>> visible[:, 3, 4] = False
        >>> _, after = model.step(torch.tensor([1]), model.hiding(state, visible))
        >>> after = replace(after, memory=state.memory)  # all in sight again
        >>> logits, _ = model.step(torch.tensor([5]), after)
        """
        memory = state.memory
        sees = self._fitting(visible, "batch", len(memory.values))
        # A softmax of -∞ alone is NaN: where nothing is in sight, look at zeros.
        blind = ~sees.any(-1, keepdim=True)
        values = memory.values.masked_fill(blind.unsqueeze(-1), 0.0)
        bias = torch.zeros_like(values[..., 0]).masked_fill(~(sees | blind), -torch.inf)
        return replace(state, memory=Memory(values, memory.keys, bias.unsqueeze(1)))

    def trace(
        self,
        images: Float[Tensor, "batch channel height width"],
        *inputs: Bool[Tensor, "batch row column"] | Int[Tensor, "batch target"],
    ) -> CaptionTrace:
        """Do what a call does, and return every step.

        Given are, as to a call, the images, what is visible of them if not all, and
        ``target_in``.
        """
        if not inputs:
            raise ValueError("a trace is of images and target_in; give both")
        *source, target_in = inputs
        _, visible = _sight((images, *source))
        same_batch(images, target_in)
        features = self.encoder.features(images)
        grid = self.encoder.placed(features)
        memory = Memory(grid, self.score.project(grid), None)
        state = AttentionState(self.encoder.begin(grid), memory)
        for sees in visible:
            state = self.hiding(state, sees)
        states = self._states(state, target_in)
        queries, states = states[:, :-1], states[:, 1:]
        masks = [self._fitting(x, "batch", len(grid)).unsqueeze(1) for x in visible]
        attention = attend(self.score(queries, memory.keys), grid, *masks)
        read = torch.cat([states, attention.context], -1)
        return CaptionTrace(
            features=features,
            grid=grid,
            queries=queries,
            attention=attention,
            states=states,
            probabilities=self.output(read).softmax(-1),
        )

    def at_one_word(
        self,
        trace: CaptionTrace,
        target_in: Int[Tensor, "batch target"],
        visible: Bool[Tensor, "batch target row column"],
    ) -> Float[Tensor, "batch target vocab"]:
        """Return how likely each word is, were places hidden from this word alone.

        All words before it are as in the trace, written with all in sight: each is
        said again, from the same state, but looking only where its own row of
        ``visible`` is True.

        Parameters
        ----------
        trace : what the model did with ``target_in``.
        target_in : the words that it was fed.
        visible : False for each place that a word may not look at.

        Examples
        --------
        >>> model = Captioner(GridEncoder(), n_target=15).eval()
        >>> images, target_in = torch.rand(5, 3, 28, 28), torch.ones(5, 2).long()
        >>> trace = model.trace(images, target_in)
        >>> most = trace.weights == trace.weights.amax((-2, -1), keepdim=True)
        >>> model.at_one_word(trace, target_in, ~most).shape
        torch.Size([5, 2, 15])
        """
        sees = self._fitting(visible, "batch target", *target_in.shape)
        look = attend(trace.attention.scores, trace.grid, sees)
        y = embed(self.embedding, target_in, "target")
        states = self.cell.trace(torch.cat([y, look.context], -1), trace.queries).hidden
        return self.output(torch.cat([states, look.context], -1)).softmax(-1)

    def to_bytes(self) -> bytes:
        """Return what :func:`~qkv.vision.save` writes, batch norm folded.

        Raises
        ------
        ValueError
            If a weight is NaN or too large for float16.
        TypeError
            If the encoder is no :class:`GridEncoder`.
        """
        if not isinstance(self.encoder, GridEncoder):
            raise TypeError(
                f"the encoder is of type {type(self.encoder).__name__}, but a "
                "checkpoint is of a captioner with a GridEncoder; keep another's "
                "weights with torch.save(model.state_dict(), path)"
            )
        encoder = folded(self.encoder)
        weights = {
            name: value
            for name, value in self.state_dict().items()
            if not name.startswith("encoder.")
        }
        weights |= {f"encoder.{n}": value for n, value in encoder.state_dict().items()}
        told = {"grid": asdict(encoder.config), "n_target": self.output.out_features}
        told |= {"d_embedding": self.embedding.embedding_dim, "score": self.score_name}
        return serialised(weights, CAPTIONER, told)

    def _states(
        self, state: AttentionState, target_in: Int[Tensor, "batch target"]
    ) -> Float[Tensor, "batch 1+target d_hidden"]:
        """Return the state to begin with, and that after each word."""
        states = [state.hidden]
        for token in target_in.unbind(1):
            _, state = self.step(token, state)
            states.append(state.hidden)
        return torch.stack(states, 1)

    def _fitting(
        self, visible: Tensor, axes: str, *sizes: int
    ) -> Bool[Tensor, "*batch place"]:
        """Return what is visible with the places in a row, or say what does not fit."""
        boolean("visible", visible)
        wanted = (*sizes, *self.encoder.grid)
        if visible.shape != wanted:
            raise ValueError(
                f"visible has {axes} row column = {tuple(visible.shape)}, but the "
                f"captioner looks at {wanted}; say of each place whether it may be seen"
            )
        return visible.flatten(-2)


def _sight(source: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
    """Return the images, and what is visible of them, if it is given."""
    if not 1 <= len(source) <= 2:
        raise ValueError(
            f"the source is {len(source)} tensors, but is images, or images and "
            "visible; give one of both, and target_in after it: combine two of what "
            "is visible with &"
        )
    images, *visible = source
    return images, visible


class TransformerCaptioner(nn.Module):
    r"""Say what is in an image with chapter 7's decoder, which looks at the grid.

    .. math::
        m &= \mathrm{LN}(h), \qquad
        z = \mathrm{Decoder}(\sqrt{d_{\mathrm{model}}}\, E y_{t-1} + PE_{t-1},\; m) \\
        p(y_t \mid y_{<t}, a) &= \mathrm{softmax}(W_o z_t + b_o)

    Queries are the words', keys and values the grid's: cross-attention, in each head of
    each layer. d_model is the encoder's d_hidden; its first state is not used.

    Parameters
    ----------
    encoder : what there is to look at.
    n_target : how many words it knows.
    heads, layers : of the decoder, whose feed-forward networks have twice its width.
    positions : adds to each word where it stands; sinusoidal if not given.

    Raises
    ------
    ValueError
        If images don't fit the encoder, a word is unknown, or positions come to their
        end.

    Examples
    --------
    >>> from qkv.decoding import greedy
    >>> model = TransformerCaptioner(GridEncoder(), n_target=15)
    >>> images, target_in = torch.rand(5, 3, 28, 28), torch.ones(5, 2).long()
    >>> model(images, target_in).shape
    torch.Size([5, 2, 15])
    >>> model.trace(images, target_in).decoder[0].cross.attention.weights.shape
    torch.Size([5, 4, 2, 49])
    >>> greedy(model, images, max_length=4).shape[0]
    5
    """

    def __init__(
        self,
        encoder: ImageEncoder,
        n_target: int,
        *,
        heads: int = 4,
        layers: int = 2,
        positions: nn.Module | None = None,
    ):
        """Keep the encoder; make its norm, the embedding, the decoder, the output."""
        super().__init__()
        whole(1, n_target=n_target, layers=layers)
        self.encoder, self.heads = encoder, heads
        d_model = encoder.d_hidden
        self.norm = LayerNorm(d_model)
        self.embedding = nn.Embedding(n_target, d_model)
        self.positions = positions or Sinusoidal(d_model)
        made = [DecoderLayer(d_model, heads, 2 * d_model) for _ in range(layers)]
        self.decoder = Decoder(made, LayerNorm(d_model))
        self.output = nn.Linear(d_model, n_target)
        nn.init.normal_(self.embedding.weight, std=0.02)  # as in qkv.transformer

    def forward(
        self,
        images: Float[Tensor, "batch channel height width"],
        target_in: Int[Tensor, "batch target"],
    ) -> Float[Tensor, "batch target vocab"]:
        """Return the logits of each next word."""
        memory = self.memory(images)
        same_batch(images, target_in)
        placed = self.positions(self._embedded(target_in))
        return self.output(self.decoder(placed, memory))

    def memory(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch place d_model"]:
        """Return what the decoder looks at: the grid, normalised."""
        return self.norm(self.encoder.placed(self.encoder.features(images)))

    @torch.no_grad()
    def start(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> TransformerState:
        """See the image, and project its places once for all words to come."""
        d_head, layers = self.encoder.d_hidden // self.heads, len(self.decoder.layers)
        sizes = layers, len(images), self.heads, d_head
        return TransformerState(
            advance=self.decoder.advancing(),
            length=0,
            cache=empty_cache(*sizes, like=self.output.weight),
            source=self.decoder.project(self.memory(images)),
        )

    @torch.no_grad()
    def step(
        self, token: Int[Tensor, " batch"], state: TransformerState
    ) -> tuple[Float[Tensor, "batch vocab"], TransformerState]:
        """Take in one word; return the logits of the next and the new state."""
        one_token_each(token, state.batch)
        x = self.positions(self._embedded(token.unsqueeze(1)), state.position)
        state = state.reserved(1)
        decoded = state.advance(x.flatten(0, 1), state, state.mask(1))
        return self.output(decoded), state

    def trace(
        self,
        images: Float[Tensor, "batch channel height width"],
        target_in: Int[Tensor, "batch target"],
    ) -> TransformerCaptionTrace:
        """Do what a call does, and return every step."""
        features = self.encoder.features(images)
        grid = self.encoder.placed(features)
        memory = self.norm(grid)
        same_batch(images, target_in)
        embedded = self._embedded(target_in)
        placed = self.positions(embedded)
        decoder, decoded = self.decoder.trace(placed, memory)
        logits = self.output(decoded)
        return TransformerCaptionTrace(
            features=features,
            grid=grid,
            memory=memory,
            embedded=embedded,
            placed=placed,
            decoder=decoder,
            decoded=decoded,
            logits=logits,
            probabilities=logits.softmax(-1),
        )

    def _embedded(self, tokens: Tensor) -> Tensor:
        return embed(self.embedding, tokens, "target") * self.encoder.d_hidden**0.5
