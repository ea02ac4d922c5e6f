r"""Recurrent networks: cells, an encoder, and two ways for a decoder to read it.

:class:`Seq2Seq` hands the decoder one vector, the encoder's last state.
:class:`AttentionSeq2Seq` lets it look back at all states, anew at each step. Both are
an :class:`EncoderDecoder`: ``forward`` is the fast path that training takes, ``start``
and ``step`` write one token at a time, and ``trace`` does what ``forward`` does in
explicit steps and returns them all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import (
    axes_at_least,
    like_the_weights,
    one_token_each,
    same_batch,
    whole,
)
from qkv.attention import AdditiveScore, AttentionTrace, DotProductScore, attend
from qkv.layers import embed
from qkv.masks import real_tokens
from qkv.trace import step


class _Cell(nn.Module):
    """Weights named and laid out as in torch.nn's cells, so that either loads both."""

    gates: int

    def __init__(self, d_in: int, d_hidden: int):
        super().__init__()
        whole(1, d_in=d_in, d_hidden=d_hidden)
        self.d_in, self.d_hidden = d_in, d_hidden
        rows = self.gates * d_hidden
        self.weight_ih = nn.Parameter(torch.empty(rows, d_in))
        self.weight_hh = nn.Parameter(torch.empty(rows, d_hidden))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        self.bias_hh = nn.Parameter(torch.empty(rows))
        for weight in self.parameters():
            nn.init.uniform_(weight, -(d_hidden**-0.5), d_hidden**-0.5)

    def _weights(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        # not parameters(), which walks the module, and costs a cell as much again
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _check(self, x: Tensor, hidden: Tensor) -> None:
        like_the_weights("x", x, self.weight_ih)
        like_the_weights("the state", hidden, self.weight_hh)
        axes_at_least("x", x, "*batch d_in")
        axes_at_least("the state", hidden, "*batch d_hidden")
        given = x.shape[-1], hidden.shape[-1]
        if given != (self.d_in, self.d_hidden):
            raise ValueError(
                f"the cell has d_in = {self.d_in} and d_hidden = {self.d_hidden},"
                f" but x has d_in = {given[0]} and the state d_hidden = {given[1]}; "
                "give it such an x and state, or build it with "
                f"{type(self).__name__}(d_in={given[0]}, d_hidden={given[1]})"
            )

    def _check_step(self, x: Tensor, *state: Tensor) -> None:
        for part in state:
            self._check(x, part)
            if x.shape[:-1] != part.shape[:-1]:
                raise ValueError(
                    f"x has *batch = {tuple(x.shape[:-1])}, but the state has *batch = "
                    f"{tuple(part.shape[:-1])}; give one state for each x"
                )


@dataclass(frozen=True, eq=False)
class GRUTrace:
    """The steps of a gated recurrent unit."""

    reset: Float[Tensor, "*batch d_hidden"] = step(
        "How much of the past the candidate may see",
        formula=r"r = \sigma(W_r x + U_r h + b_r)",
        reads=("x", "h"),
    )
    update: Float[Tensor, "*batch d_hidden"] = step(
        "How much of the past to keep",
        formula=r"z = \sigma(W_z x + U_z h + b_z)",
        reads=("x", "h"),
    )
    candidate: Float[Tensor, "*batch d_hidden"] = step(
        "What the new state could be",
        formula=r"n = \tanh(W_n x + b_n + r \odot (U_n h + b'_n))",
        reads=("x", "h", "reset"),
    )
    hidden: Float[Tensor, "*batch d_hidden"] = step(
        "Mix the past and the candidate",
        formula=r"h' = z \odot h + (1 - z) \odot n",
        reads=("h", "update", "candidate"),
    )


class GRUCell(_Cell):
    r"""A gated recurrent unit: decide how much of the past to keep.

    .. math::
        r &= \sigma(W_r x + U_r h + b_r) \\
        z &= \sigma(W_z x + U_z h + b_z) \\
        n &= \tanh(W_n x + b_n + r \odot (U_n h + b'_n)) \\
        h' &= z \odot h + (1 - z) \odot n

    The W are the three blocks of ``weight_ih``, "d_hidden d_in" each, the U those
    of ``weight_hh``, in the order r, z, n of ``torch.nn.GRUCell``.

    Raises
    ------
    ValueError
        If x or the state has another size than the cell was built for, or they differ
        in their batch.
    TypeError
        If x or the state holds another kind of numbers than the weights.

    Notes
    -----
    Cho et al. (2014), equations 5 to 8. There r is applied before U_n, here (as in
    PyTorch and cuDNN) after it.

    Examples
    --------
    >>> cell = GRUCell(d_in=2, d_hidden=3)
    >>> _ = cell.load_state_dict(nn.GRUCell(2, 3).state_dict())
    >>> x, hidden = torch.ones(5, 2), torch.zeros(5, 3)
    >>> torch.allclose(cell(x, hidden), cell.trace(x, hidden).hidden)
    True
    """

    gates = 3

    def forward(
        self,
        x: Float[Tensor, "batch d_in"],
        hidden: Float[Tensor, "batch d_hidden"],
    ) -> Float[Tensor, "batch d_hidden"]:
        """Return the next state, by PyTorch's own kernel."""
        self._check_step(x, hidden)
        return self.unchecked(x, hidden)

    def unchecked(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Do what a call does with sizes that are known to fit: at each token."""
        return torch.gru_cell(x, hidden, *self._weights())

    def trace(
        self,
        x: Float[Tensor, "*batch d_in"],
        hidden: Float[Tensor, "*batch d_hidden"],
    ) -> GRUTrace:
        """Return every step to the next state, which is the last."""
        self._check_step(x, hidden)
        from_x = F.linear(x, self.weight_ih, self.bias_ih).chunk(3, -1)
        from_hidden = F.linear(hidden, self.weight_hh, self.bias_hh).chunk(3, -1)
        reset = torch.sigmoid(from_x[0] + from_hidden[0])
        update = torch.sigmoid(from_x[1] + from_hidden[1])
        candidate = torch.tanh(from_x[2] + reset * from_hidden[2])
        after = update * hidden + (1 - update) * candidate
        return GRUTrace(reset, update, candidate, after)

    def advance(
        self,
        from_x: Float[Tensor, "*batch gates"],
        hidden: Float[Tensor, "*batch d_hidden"],
    ) -> Float[Tensor, "*batch d_hidden"]:
        """Return the next state when W x + b is already known, all three blocks."""
        from_hidden = F.linear(hidden, self.weight_hh, self.bias_hh)
        sizes = [2 * self.d_hidden, self.d_hidden]
        x_gates, x_candidate = from_x.split(sizes, -1)
        hidden_gates, hidden_candidate = from_hidden.split(sizes, -1)
        reset, update = torch.sigmoid(x_gates + hidden_gates).chunk(2, -1)
        candidate = torch.tanh(torch.addcmul(x_candidate, reset, hidden_candidate))
        return torch.lerp(candidate, hidden, update)

    def unroll(
        self,
        inputs: Float[Tensor, "batch token d_in"],
        hidden: Float[Tensor, "batch d_hidden"],
    ) -> Float[Tensor, "batch token d_hidden"]:
        """Return the state after each token: the cell in a loop, in one fused call."""
        self._check(inputs, hidden)
        if len(inputs) != len(hidden):
            raise ValueError(
                f"inputs have batch = {len(inputs)}, but the state has batch = "
                f"{len(hidden)}; give one state for each row of inputs"
            )
        states, _ = torch.gru(
            inputs,
            hidden.unsqueeze(0),
            self._weights(),
            has_biases=True,
            num_layers=1,
            dropout=0.0,
            train=self.training,
            bidirectional=False,
            batch_first=True,
        )
        return states


@dataclass(frozen=True, eq=False)
class LSTMTrace:
    """The steps of a long short-term memory."""

    input_gate: Float[Tensor, "*batch d_hidden"] = step(
        "How much to write",
        formula=r"i = \sigma(W_i x + U_i h + b_i)",
        reads=("x", "h"),
    )
    forget_gate: Float[Tensor, "*batch d_hidden"] = step(
        "How much to keep",
        formula=r"f = \sigma(W_f x + U_f h + b_f)",
        reads=("x", "h"),
    )
    candidate: Float[Tensor, "*batch d_hidden"] = step(
        "What could be written",
        formula=r"g = \tanh(W_g x + U_g h + b_g)",
        reads=("x", "h"),
    )
    output_gate: Float[Tensor, "*batch d_hidden"] = step(
        "How much to show",
        formula=r"o = \sigma(W_o x + U_o h + b_o)",
        reads=("x", "h"),
    )
    cell: Float[Tensor, "*batch d_hidden"] = step(
        "Keep and write",
        formula=r"c' = f \odot c + i \odot g",
        reads=("c", "input_gate", "forget_gate", "candidate"),
    )
    hidden: Float[Tensor, "*batch d_hidden"] = step(
        "Show some of it",
        formula=r"h' = o \odot \tanh(c')",
        reads=("output_gate", "cell"),
    )


class LSTMCell(_Cell):
    r"""A long short-term memory: a cell that is written to, kept, and shown.

    .. math::
        i, f, o &= \sigma(W x + U h + b) \\
        g &= \tanh(W_g x + U_g h + b_g) \\
        c' &= f \odot c + i \odot g \\
        h' &= o \odot \tanh(c')

    The gates are the four blocks of the weights in the order i, f, g, o of
    ``torch.nn.LSTMCell``; each b is the sum of two biases.

    Raises
    ------
    ValueError
        If x or the state has another size than the cell was built for, or they differ
        in their batch.
    TypeError
        If x or the state holds another kind of numbers than the weights.

    Notes
    -----
    Hochreiter and Schmidhuber (1997); the forget gate is Gers et al. (2000).

    Examples
    --------
    >>> lstm = LSTMCell(d_in=2, d_hidden=3)
    >>> hidden, cell = lstm(torch.ones(5, 2), (torch.zeros(5, 3), torch.zeros(5, 3)))
    >>> hidden.shape, cell.shape
    (torch.Size([5, 3]), torch.Size([5, 3]))
    """

    gates = 4

    def forward(
        self,
        x: Float[Tensor, "batch d_in"],
        state: tuple[Float[Tensor, "batch d_hidden"], Float[Tensor, "batch d_hidden"]],
    ) -> tuple[Float[Tensor, "batch d_hidden"], Float[Tensor, "batch d_hidden"]]:
        """Return the next hidden state and cell, by PyTorch's own kernel."""
        self._check_step(x, *state)
        return torch.lstm_cell(x, state, *self._weights())

    def trace(
        self,
        x: Float[Tensor, "*batch d_in"],
        state: tuple[
            Float[Tensor, "*batch d_hidden"], Float[Tensor, "*batch d_hidden"]
        ],
    ) -> LSTMTrace:
        """Return every step to the next hidden state, which is the last."""
        hidden, cell = state
        self._check_step(x, hidden, cell)
        gates = F.linear(x, self.weight_ih, self.bias_ih)
        gates = gates + F.linear(hidden, self.weight_hh, self.bias_hh)
        i, f, g, o = gates.chunk(4, -1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        after = f * cell + i * g
        return LSTMTrace(i, f, g, o, after, o * after.tanh())


@dataclass(frozen=True, eq=False)
class Memory:
    """What a decoder with attention looks at: made once for a source, then only read.

    ``values`` are the encoder's states, ``keys`` their projection for the score, and
    ``bias``, to be added to the scores, is 0 at tokens and -∞ at padding; None where
    nothing is padding.
    """

    values: Float[Tensor, "batch source d_hidden"]
    keys: Float[Tensor, "batch source d_key"]
    bias: Float[Tensor, "batch 1 source"] | None

    def select(self, rows: Int[Tensor, " chosen"]) -> "Memory":
        """Return the memory of these sources, in this order."""
        bias = None if self.bias is None else self.bias[rows]
        return Memory(self.values[rows], self.keys[rows], bias)


@runtime_checkable
class Selectable(Protocol):
    """A state of which rows can be chosen, as beam search does at every step."""

    def select(self, rows: Int[Tensor, " chosen"]) -> "Selectable":
        """Return a state whose row i is row ``rows[i]`` of this one.

        Rows may come again, each a copy of its own, and may be left out. The state
        itself is not used any more.
        """


@dataclass(frozen=True, eq=False)
class State:
    """What a decoder carries from token to token, a :class:`Selectable`.

    ``memory`` is all that it knows of the source: the one context.

    Examples
    --------
    >>> state = State(torch.tensor([[0.5], [0.7]]), torch.tensor([[2.0], [3.0]]))
    >>> state.select(torch.tensor([1, 1, 0])).memory
    tensor([[3.],
            [3.],
            [2.]])
    """

    hidden: Float[Tensor, "batch d_hidden"]
    memory: Float[Tensor, "batch d_hidden"]

    def select(self, rows: Int[Tensor, " chosen"]) -> "State":
        """Return the state of these rows, in this order."""
        return State(self.hidden[rows], self.memory[rows])


@dataclass(frozen=True, eq=False)
class AttentionState:
    """The :class:`State` of a decoder with attention, whose memory is looked at."""

    hidden: Float[Tensor, "batch d_hidden"]
    memory: Memory

    def select(self, rows: Int[Tensor, " chosen"]) -> "AttentionState":
        """Return the state of these rows, in this order."""
        return AttentionState(self.hidden[rows], self.memory.select(rows))


@runtime_checkable
class Writer(Protocol):
    """What decoding asks of a model: a module that reads a source and writes tokens.

    What a source is, the model decides: token ids and their lengths, images, a series.
    """

    def modules(self) -> Iterator[nn.Module]:
        """Yield the model and all modules in it, as every ``nn.Module`` can."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield what is learned, as every ``nn.Module`` can."""

    def start(self, *source: Any, **named: Any) -> Any:
        """Read the source; return the state to begin writing in."""

    def step(
        self, token: Int[Tensor, " batch"], state: Any
    ) -> tuple[Float[Tensor, "batch vocab"], Any]:
        """Take in one token; return the logits of the next and the new state."""


@runtime_checkable
class EncoderDecoder(Writer, Protocol):
    """What training, decoding and the chapters ask of a model.

    ``forward`` and ``trace`` are fed the whole target, shifted by one (*teacher
    forcing*); ``start`` and ``step`` are fed what the model itself wrote. Fed the same
    tokens, all three give the same result. A module of your own is one as soon as it
    has these methods.
    """

    def __call__(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
        target_in: Int[Tensor, "batch target"],
    ) -> Float[Tensor, "batch target vocab"]:
        """Return the logits of each next token."""

    def trace(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
        target_in: Int[Tensor, "batch target"],
    ) -> Any:
        """Do what a call does in explicit steps and return them."""


class Encoder(nn.Module):
    r"""Read a source from left to right.

    .. math:: h_j = \mathrm{GRU}(E x_j, h_{j-1}), \qquad h_0 = 0

    Returns the states h, "batch source d_hidden", zero at padding, and the state after
    the last true token of each source, "batch d_hidden".

    Raises
    ------
    ValueError
        If a source is empty, a length is more than the source has tokens, or a token
        is not in the vocabulary.

    Examples
    --------
    >>> encoder = Encoder(n_source=11, d_embedding=2, d_hidden=3)
    >>> states, last = encoder(torch.tensor([[4, 5, 0]]), torch.tensor([2]))
    >>> torch.equal(states[:, 1], last), states[0, 2].tolist()
    (True, [0.0, 0.0, 0.0])
    """

    def __init__(self, n_source: int, *, d_embedding: int = 32, d_hidden: int = 64):
        """Make the table of embeddings and the cell."""
        super().__init__()
        whole(1, n_source=n_source, d_embedding=d_embedding)
        self.embedding = nn.Embedding(n_source, d_embedding)
        self.cell = GRUCell(d_embedding, d_hidden)

    def forward(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
    ) -> tuple[Float[Tensor, "batch source d_hidden"], Float[Tensor, "batch d_hidden"]]:
        """Return all states and the last, by one fused call."""
        real = real_tokens(source, source_lengths)
        embedded = embed(self.embedding, source, "source")
        nothing = embedded.new_zeros(len(source), self.cell.d_hidden)
        states = self.cell.unroll(embedded, nothing)
        # A left-to-right state knows nothing of the padding after it, so that running
        # on over it and picking is right, and cheaper than sorting and packing.
        rows = torch.arange(len(source), device=source.device)
        last = states[rows, source_lengths - 1]
        return states.masked_fill(~real.unsqueeze(-1), 0.0), last

    def trace(
        self,
        embedded: Float[Tensor, "batch source d_embedding"],
        source_lengths: Int[Tensor, " batch"],
    ) -> tuple[Float[Tensor, "batch source d_hidden"], Float[Tensor, "batch d_hidden"]]:
        """Do what a call does; a source that has ended keeps its last state."""
        hidden = embedded.new_zeros(len(embedded), self.cell.d_hidden)
        states = []
        for j, x in enumerate(embedded.unbind(1)):
            real = (j < source_lengths).unsqueeze(-1)
            hidden = torch.where(real, self.cell.trace(x, hidden).hidden, hidden)
            states.append(hidden.masked_fill(~real, 0.0))
        return torch.stack(states, 1), hidden


@dataclass(frozen=True, eq=False)
class Seq2SeqTrace:
    """An encoder and a decoder with one vector between them."""

    source_embedded: Float[Tensor, "batch source d_embedding"] = step(
        "Embed the source", formula=r"E x_j", reads=("source",)
    )
    encoder_states: Float[Tensor, "batch source d_hidden"] = step(
        "Read the source",
        formula=r"h_j = \mathrm{GRU}(E x_j, h_{j-1})",
        reads=("source_embedded",),
    )
    context: Float[Tensor, "batch d_hidden"] = step(
        "Keep the last state: the context",
        formula=r"c = h_T",
        reads=("encoder_states",),
    )
    decoder_states: Float[Tensor, "batch target d_hidden"] = step(
        "Write the target",
        formula=r"s_i = \mathrm{GRU}([E' y_{i-1}; c], s_{i-1}), \quad s_0 = c",
        reads=("target", "context"),
    )
    probabilities: Float[Tensor, "batch target vocab"] = step(
        "Say how likely each next token is",
        formula=r"p(y_i \mid y_{<i}, x) = \mathrm{softmax}(W_o [s_i; c] + b_o)",
        reads=("decoder_states", "context"),
    )


class Seq2Seq(nn.Module):
    r"""An encoder and a decoder with one vector between them, an EncoderDecoder.

    .. math::
        c &= h_T, \qquad s_0 = c, \qquad
        s_i = \mathrm{GRU}([E' y_{i-1}; c], s_{i-1}) \\
        p(y_i \mid y_{<i}, x) &= \mathrm{softmax}(W_o [s_i; c] + b_o)

    All that the decoder ever learns of the source is the one vector c. It is handed it
    anew at each step, so that it need not carry along what it will want later.

    Notes
    -----
    Cho et al. (2014), section 2.2, without its maxout layer. In Sutskever et al. (2014)
    the context is the decoder's first state and nothing else.

    Examples
    --------
    >>> model = Seq2Seq(n_source=11, n_target=13)
    >>> source, lengths = torch.tensor([[5, 6, 7], [8, 9, 0]]), torch.tensor([3, 2])
    >>> model(source, lengths, torch.tensor([[1, 5], [1, 8]])).shape
    torch.Size([2, 2, 13])
    """

    def __init__(
        self, n_source: int, n_target: int, *, d_embedding: int = 32, d_hidden: int = 64
    ):
        """Make the encoder, then the decoder's embedding, cell and output."""
        super().__init__()
        whole(1, n_target=n_target)
        self.encoder = Encoder(n_source, d_embedding=d_embedding, d_hidden=d_hidden)
        self.embedding = nn.Embedding(n_target, d_embedding)
        self.cell = GRUCell(d_embedding + d_hidden, d_hidden)
        self.output = nn.Linear(d_hidden + d_hidden, n_target)

    def forward(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
        target_in: Int[Tensor, "batch target"],
    ) -> Float[Tensor, "batch target vocab"]:
        """Return the logits of each next token."""
        _, context = self.encoder(source, source_lengths)
        same_batch(source, target_in)
        embedded = embed(self.embedding, target_in, "target")
        at_each_step = context.unsqueeze(1).expand(-1, target_in.shape[1], -1)
        inputs = torch.cat([embedded, at_each_step], -1)
        states = self.cell.unroll(inputs, context)
        return self.output(torch.cat([states, at_each_step], -1))

    def start(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
    ) -> State:
        """Read the source; the context is the state to begin writing in."""
        _, context = self.encoder(source, source_lengths)
        return State(context, context)

    def step(
        self, token: Int[Tensor, " batch"], state: State
    ) -> tuple[Float[Tensor, "batch vocab"], State]:
        """Take in one token; return the logits of the next and the new state."""
        one_token_each(token, len(state.hidden))
        embedded, context = embed(self.embedding, token, "target"), state.memory
        x = torch.cat([embedded, context], -1)
        hidden = self.cell.unchecked(x, state.hidden)
        return self.output(torch.cat([hidden, context], -1)), State(hidden, context)

    def trace(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
        target_in: Int[Tensor, "batch target"],
    ) -> Seq2SeqTrace:
        """Do what a call does, token by token, and return every step."""
        real_tokens(source, source_lengths)
        same_batch(source, target_in)
        embedded = embed(self.encoder.embedding, source, "source")
        encoder_states, context = self.encoder.trace(embedded, source_lengths)
        hidden, states = context, []
        for y in embed(self.embedding, target_in, "target").unbind(1):
            x = torch.cat([y, context], -1)
            hidden = self.cell.trace(x, hidden).hidden
            states.append(hidden)
        states = torch.stack(states, 1)
        read = torch.cat([states, context.unsqueeze(1).expand_as(states)], -1)
        probabilities = self.output(read).softmax(-1)
        return Seq2SeqTrace(embedded, encoder_states, context, states, probabilities)


@dataclass(frozen=True, eq=False)
class AttentionSeq2SeqTrace:
    """An encoder and a decoder that looks back at every state of it."""

    source_embedded: Float[Tensor, "batch source d_embedding"] = step(
        "Embed the source", formula=r"E x_j", reads=("source",)
    )
    encoder_states: Float[Tensor, "batch source d_hidden"] = step(
        "Read the source",
        formula=r"h_j = \mathrm{GRU}(E x_j, h_{j-1})",
        reads=("source_embedded",),
    )
    queries: Float[Tensor, "batch target d_hidden"] = step(
        "Ask with the decoder's state so far",
        formula=r"q_i = s_{i-1}, \quad s_0 = h_T",
        reads=("encoder_states", "target"),
    )
    attention: AttentionTrace = step("Look back at the source")
    decoder_states: Float[Tensor, "batch target d_hidden"] = step(
        "Write the target",
        formula=r"s_i = \mathrm{GRU}([E' y_{i-1}; c_i], s_{i-1})",
        reads=("target", "attention.context", "queries"),
    )
    probabilities: Float[Tensor, "batch target vocab"] = step(
        "Say how likely each next token is",
        formula=r"p(y_i \mid y_{<i}, x) = \mathrm{softmax}(W_o [s_i; c_i] + b_o)",
        reads=("decoder_states", "attention.context"),
    )


_Reader = TypeVar("_Reader", bound=nn.Module)


class AttentionDecoder(nn.Module, Generic[_Reader]):
    r"""Write while looking back at all that an encoder has read: a :class:`Writer`.

    .. math::
        e_{ij} &= a(s_{i-1}, h_j), \qquad
        \alpha_{ij} = \mathrm{softmax}_j(e_{ij}), \qquad
        c_i = \sum_j \alpha_{ij} h_j \\
        s_i &= \mathrm{GRU}([E' y_{i-1}; c_i], s_{i-1}) \\
        p(y_i \mid y_{<i}, x) &= \mathrm{softmax}(W_o [s_i; c_i] + b_o)

    Parameters
    ----------
    encoder : any module that returns what there is to look at, h, "batch source
        d_hidden", and the state to begin with, s_0, "batch d_hidden". Its arguments are
        the sources: token ids, images, whatever it reads.
    n_target : how many tokens it knows.
    score : a, "additive" (:class:`~qkv.attention.AdditiveScore`), or the "dot" or
        "general" one of :class:`~qkv.attention.DotProductScore`.

    Raises
    ------
    ValueError
        If the score is none of these, or the encoder's states are not of d_hidden.

    Examples
    --------
    Four places of an image, to be described:

    >>> class Grid(nn.Module):
    ...     def forward(self, image):
    ...         places = image.unfold(1, 2, 2).unfold(2, 2, 2).flatten(1, 2).flatten(2)
    ...         return places, places.mean(1)
    >>> model = AttentionDecoder(Grid(), n_target=13, d_hidden=4)
    >>> model(torch.ones(5, 4, 4), torch.ones(5, 3, dtype=torch.long)).shape
    torch.Size([5, 3, 13])
    """

    score: AdditiveScore | DotProductScore

    def __init__(
        self,
        encoder: _Reader,
        n_target: int,
        *,
        d_embedding: int = 32,
        d_hidden: int = 64,
        score: str = "additive",
    ):
        """Keep the encoder; make the embedding, score, cell and output."""
        super().__init__()
        whole(1, n_target=n_target, d_embedding=d_embedding)
        self.encoder = encoder
        self.embedding = nn.Embedding(n_target, d_embedding)
        self.score = _make_score(score, d_hidden)
        self.cell = GRUCell(d_embedding + d_hidden, d_hidden)
        self.output = nn.Linear(d_hidden + d_hidden, n_target)

    def forward(
        self, *inputs: Shaped[Tensor, "batch ..."]
    ) -> Float[Tensor, "batch target vocab"]:
        """Return the logits of each next token, given the source and ``target_in``."""
        *source, target_in = inputs
        state = self.start(*source)
        same_batch(source[0], target_in)
        hidden, read = state.hidden, []
        embedded = embed(self.embedding, target_in, "target")
        token_weight, context_weight = self._input_weights()
        # What can be done for all steps at once is: the token's share of the gates
        # before the loop, the output after it.
        for gates in F.linear(embedded, token_weight, self.cell.bias_ih).unbind(1):
            context = self._look(hidden, state.memory)
            gates = torch.addmm(gates, context, context_weight.T)
            hidden = self.cell.advance(gates, hidden)
            read.append(torch.cat([hidden, context], -1))
        return self.output(torch.stack(read, 1))

    def start(self, *source: Shaped[Tensor, "batch ..."]) -> AttentionState:
        """Read the source, and project its states once for all steps to come."""
        values, first = self.encoder(*source)
        self._check_states(values, first)
        bias = self._bias(*source)
        memory = Memory(values, self.score.project(values), bias)
        return AttentionState(first, memory)

    def step(
        self, token: Int[Tensor, " batch"], state: AttentionState
    ) -> tuple[Float[Tensor, "batch vocab"], AttentionState]:
        """Take in one token; return the logits of the next and the new state."""
        one_token_each(token, len(state.hidden))
        embedded = embed(self.embedding, token, "target")
        context = self._look(state.hidden, state.memory)
        x = torch.cat([embedded, context], -1)
        hidden = self.cell.unchecked(x, state.hidden)
        output, read = self.output, torch.cat([hidden, context], -1)
        logits = F.linear(read, output.weight, output.bias)
        return logits, AttentionState(hidden, state.memory)

    def _bias(self, *source: Tensor) -> Tensor | None:
        """Return -∞ where there is nothing to look at: here, nowhere."""

    def _look(self, hidden: Tensor, memory: Memory) -> Tensor:
        """Return the context that a state asks for: attend, and keep no trace."""
        # a score of one's own needs no form without checks
        score = getattr(self.score, "unchecked", self.score)
        scores = score(hidden.unsqueeze(1), memory.keys)
        if memory.bias is not None:
            scores = scores + memory.bias
        return torch.bmm(scores.softmax(-1), memory.values).squeeze(1)

    def _input_weights(self) -> tuple[Tensor, Tensor]:
        """Split the cell's input weights into the token's and the context's."""
        d_embedding = self.embedding.embedding_dim
        weight = self.cell.weight_ih
        return weight[:, :d_embedding], weight[:, d_embedding:]

    def _check_states(self, values: Tensor, first: Tensor) -> None:
        wanted = self.cell.d_hidden
        if values.ndim != 3 or values.shape[-1] != wanted or first.ndim != 2:
            raise ValueError(
                f"the encoder returned states of shape {tuple(values.shape)} and "
                f"{tuple(first.shape)}, but the decoder looks at (batch, source, "
                f"{wanted}) and begins with (batch, {wanted}); let it end in a layer "
                f"of {wanted}, or build the decoder with another d_hidden"
            )


class AttentionSeq2Seq(AttentionDecoder[Encoder]):
    r"""An encoder and a decoder that looks back at every state, an EncoderDecoder.

    .. math::
        h_j = \mathrm{GRU}(E x_j, h_{j-1}), \qquad s_0 = h_T

    and then as :class:`AttentionDecoder` writes. Padding is never attended.

    Raises
    ------
    ValueError
        If the score is none that the decoder knows.

    Notes
    -----
    Bahdanau et al. (2015), section 3.1 and appendix A, with an encoder that reads in
    one direction and an output without its maxout layer. The dot-product scores are
    Luong et al. (2015)'s, here asked with s of the step before.

    Examples
    --------
    >>> model = AttentionSeq2Seq(n_source=11, n_target=13, score="dot")
    >>> source, lengths = torch.tensor([[5, 6, 7], [8, 9, 0]]), torch.tensor([3, 2])
    >>> trace = model.trace(source, lengths, torch.tensor([[1, 5], [1, 8]]))
    >>> trace.attention.weights[1].sum(-1).allclose(torch.ones(2))
    True
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        d_embedding: int = 32,
        d_hidden: int = 64,
        score: str = "additive",
    ):
        """Make the encoder, then the decoder."""
        sizes = {"d_embedding": d_embedding, "d_hidden": d_hidden}
        super().__init__(Encoder(n_source, **sizes), n_target, score=score, **sizes)

    def _bias(self, *source: Tensor) -> Tensor | None:
        tokens, lengths = source
        padded = torch.arange(tokens.shape[1], device=tokens.device)
        padded = padded >= lengths.unsqueeze(1)
        if not padded.any():
            return None
        bias = torch.zeros_like(padded, dtype=self.cell.weight_ih.dtype)
        return bias.masked_fill_(padded, -torch.inf).unsqueeze(1)

    def trace(
        self,
        source: Int[Tensor, "batch source"],
        source_lengths: Int[Tensor, " batch"],
        target_in: Int[Tensor, "batch target"],
    ) -> AttentionSeq2SeqTrace:
        """Do what a call does, token by token, and return every step."""
        real = real_tokens(source, source_lengths)
        same_batch(source, target_in)
        embedded = embed(self.encoder.embedding, source, "source")
        encoder_states, hidden = self.encoder.trace(embedded, source_lengths)
        keys = self.score.project(encoder_states)
        looks, states = [], [hidden]
        for y in embed(self.embedding, target_in, "target").unbind(1):
            scores = self.score(states[-1].unsqueeze(1), keys)
            look = attend(scores, encoder_states, real.unsqueeze(1))
            x = torch.cat([y, look.context.squeeze(1)], -1)
            states.append(self.cell.trace(x, states[-1]).hidden)
            looks.append(look)
        attention, decoder_states = _join(looks), torch.stack(states[1:], 1)
        read = torch.cat([decoder_states, attention.context], -1)
        return AttentionSeq2SeqTrace(
            source_embedded=embedded,
            encoder_states=encoder_states,
            queries=torch.stack(states[:-1], 1),
            attention=attention,
            decoder_states=decoder_states,
            probabilities=self.output(read).softmax(-1),
        )


def _make_score(name: str, d_hidden: int) -> AdditiveScore | DotProductScore:
    if name == "additive":
        return AdditiveScore(d_hidden, d_hidden, d_hidden)
    if name in ("dot", "general"):
        return DotProductScore(d_hidden, d_hidden, general=name == "general")
    raise ValueError(
        f"score is {name!r}, but the decoder knows 'additive', 'dot' and 'general'"
    )


def _join(looks: list[AttentionTrace]) -> AttentionTrace:
    """Join traces of one query each into one trace of all queries."""
    return AttentionTrace(
        scores=torch.cat([look.scores for look in looks], -2),
        weights=torch.cat([look.weights for look in looks], -2),
        context=torch.cat([look.context for look in looks], -2),
    )
