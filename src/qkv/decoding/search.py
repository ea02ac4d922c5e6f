"""Beam search: keep several hypotheses, and find a likelier one than greed does."""

from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from qkv._checks import whole
from qkv._models import in_mode
from qkv.data import EOS, PAD
from qkv.decoding.loop import begin, refuse_nan, without_special
from qkv.recurrent import Selectable, Writer


def beam(
    model: Writer,
    *source: Shaped[Tensor, "batch ..."],
    max_length: int,
    width: int = 4,
    length_penalty: float = 0.6,
) -> tuple[Int[Tensor, "batch target"], Float[Tensor, " batch"]]:
    r"""Write with ``width`` hypotheses at a time, and return the best and its score.

    .. math::
        s(y, x) = \frac{\log p(y \mid x)}{lp(y)}, \qquad
        lp(y) = \left(\frac{5 + |y|}{6}\right)^{\alpha}

    Each hypothesis is extended by every token, and the likeliest of all these are kept,
    of any length the same number: ``width``, less those that have ended. What ends in
    ``<eos>`` leaves the beam with its score, and the best score of all wins. So a
    ``width`` of 1 is greedy decoding, and one that is never full finds the best of all
    sequences. The search ends early for a source when none that goes on can win.

    Parameters
    ----------
    model : as for :func:`~qkv.decoding.greedy`; its state can ``select`` rows.
    source : as for :func:`~qkv.decoding.greedy`.
    max_length : the most tokens to write, ``<eos>`` among them. What is cut off there
        is returned only where nothing has ended.
    width : how many hypotheses to keep.
    length_penalty : α. With 0 the score is the log-probability, which every further
        token makes smaller; the larger α, the longer what wins.

    Returns
    -------
    The best hypothesis for each source, as :func:`~qkv.decoding.greedy` returns it, and
    its score, in nats. ``<pad>`` and ``<bos>`` are never written; the probabilities of
    the others are the model's own, not raised for that.

    Raises
    ------
    ValueError
        If ``max_length`` or ``width`` is below 1 or ``length_penalty`` below 0, if the
        model refuses the source, or if it gives no token a chance.
    TypeError
        If the model's state has no ``select``.

    Notes
    -----
    Wu et al. (2016), equation 14, without coverage; ``|y|`` counts ``<eos>``. That what
    ends leaves the beam is Sutskever et al. (2014), section 3.2. Vaswani et al. (2017),
    section 6.1, take a width of 4 and α = 0.6.

    Examples
    --------
    >>> from qkv.recurrent import Seq2Seq
    >>> model = Seq2Seq(11, 13)
    >>> model.output.bias.data[[7, 2]] = torch.tensor([99.0, 98.0])
    >>> source, lengths = torch.tensor([[5, 6, 9]]), torch.tensor([3])
    >>> beam(model, source, lengths, max_length=4, length_penalty=0.0)[0]
    tensor([[2]])
    >>> beam(model, source, lengths, max_length=4, width=1)[0]
    tensor([[7, 7, 7, 7]])
    """
    settings = _Settings(max_length, width, length_penalty)
    rounds = _search(model, source, settings)
    scores, step, place = _best(rounds)
    return _read_back(rounds, step, place), scores


@dataclass(frozen=True)
class BeamNode:
    """A token that the search tried after a hypothesis, and what became of it.

    ``parent`` is the index of the hypothesis in ``BeamTree.nodes``, None at the
    beginning. ``log_probability`` is the token's own, ``total`` that of all up to it,
    ``score`` the total over the length penalty. ``fate`` is "kept" (it was extended,
    or was still there at the end), "ended" (it is ``<eos>``) or "dropped".
    """

    parent: int | None
    token: int
    log_probability: float
    total: float
    score: float
    fate: str


@dataclass(frozen=True)
class BeamTree:
    """All that a beam search tried for one source, and the index of the best node."""

    nodes: tuple[BeamNode, ...]
    best: int

    def path(self, index: int) -> tuple[int, ...]:
        """Return the indices of the nodes from the first token to that of ``index``."""
        parent = self.nodes[index].parent
        return (*(() if parent is None else self.path(parent)), index)

    def tokens(self, index: int) -> tuple[int, ...]:
        """Return the tokens of the hypothesis that ``index`` is the last of."""
        return tuple(self.nodes[place].token for place in self.path(index))

    def __repr__(self) -> str:
        """Say how many there are of each kind."""
        fates = [node.fate for node in self.nodes]
        counts = (f"{fates.count(f)} {f}" for f in ("kept", "ended", "dropped"))
        return f"BeamTree({', '.join(counts)})"


def beam_tree(
    model: Writer,
    *source: Shaped[Tensor, "batch ..."],
    max_length: int,
    width: int = 4,
    length_penalty: float = 0.6,
) -> BeamTree:
    """Search as :func:`beam` does for one source, and return all that was tried.

    Of each hypothesis the tree has the ``width`` likeliest next tokens, likeliest
    first: what is kept is always among them.

    Raises
    ------
    ValueError
        If there is not one source, and where :func:`beam` raises one.
    TypeError
        If the model's state has no ``select``.

    Examples
    --------
    >>> from qkv.recurrent import Seq2Seq
    >>> model = Seq2Seq(11, 13)
    >>> model.output.bias.data[[7, 2]] = torch.tensor([99.0, 98.0])
    >>> source, lengths = torch.tensor([[5, 6, 9]]), torch.tensor([3])
    >>> tree = beam_tree(model, source, lengths, max_length=3, width=2)
    >>> tree, tree.tokens(tree.best)
    (BeamTree(3 kept, 1 ended, 2 dropped), (2,))
    """
    settings = _Settings(max_length, width, length_penalty)
    rounds = _search(model, source, settings)  # a batch of none is the model's to name
    if (batch := len(rounds[0].kept)) != 1:
        raise ValueError(
            f"source has batch = {batch}, but a tree is of one search; give one "
            "source, source[i : i + 1]"
        )
    _, step, place = _best(rounds)
    nodes: list[BeamNode] = []
    grown: list[list[int | None]] = [[None]]
    for length, found in enumerate(rounds, 1):
        grown.append(_grow(nodes, grown[-1], found, settings.penalty(length)))
    best = grown[int(step) + 1][int(place)]
    assert best is not None, "a place that has a score is not empty"
    return BeamTree(tuple(nodes), best)


@dataclass(frozen=True)
class _Settings:
    max_length: int
    width: int
    length_penalty: float

    def __post_init__(self) -> None:
        whole(1, max_length=self.max_length, width=self.width)
        if not self.length_penalty >= 0:
            raise ValueError(
                f"length_penalty is {self.length_penalty}, but must not be negative; "
                "give 0 for none, and more for longer outputs"
            )

    def penalty(self, length: int) -> float:
        return ((5 + length) / 6) ** self.length_penalty


@dataclass(frozen=True, eq=False)
class _Round:
    """What one token more made of the hypotheses, "beam", of each source.

    "choice" is the likeliest next tokens of each; "place" is what was kept of all of
    them, best first, as an index into "beam choice". The total of a place that is empty
    is -∞, and so is the score of a hypothesis that is not complete.
    """

    tokens: Int[Tensor, "batch beam choice"]
    log_probabilities: Float[Tensor, "batch beam choice"]
    reached: Float[Tensor, "batch beam choice"]
    kept: Int[Tensor, "batch place"]
    totals: Float[Tensor, "batch place"]
    scores: Float[Tensor, "batch place"]

    @property
    def parents(self) -> Int[Tensor, "batch place"]:
        return self.kept // self.tokens.shape[-1]

    @property
    def written(self) -> Int[Tensor, "batch place"]:
        return self.tokens.flatten(1).gather(1, self.kept)


def _search(
    model: Writer, source: tuple[Tensor, ...], settings: _Settings
) -> list[_Round]:
    with in_mode(model, training=False), torch.inference_mode():
        token, state = begin(model, *source)
        state = _selectable(state)
        search = _Search(settings, torch.zeros(len(token), 1, device=token.device))
        while True:
            logits, state = model.step(token, state)
            found = search.extend(logits)
            if search.over:
                return search.rounds
            token = found.written.masked_fill(search.totals.isneginf(), PAD).flatten()
            state = _follow(state, found)


class _Search:
    """The hypotheses that go on, by their log-probabilities; -∞ is an empty place."""

    def __init__(self, settings: _Settings, totals: Float[Tensor, "batch 1"]) -> None:
        self.settings, self.totals = settings, totals
        self.rounds: list[_Round] = []
        self.ended = torch.zeros_like(totals)
        self.best = torch.full_like(totals, -torch.inf)

    @property
    def over(self) -> bool:
        full = len(self.rounds) == self.settings.max_length
        return full or bool(self.totals.isneginf().all())

    def extend(self, logits: Float[Tensor, "rows vocab"]) -> _Round:
        """Try every next token, and keep the best, as many as the beam is wide."""
        empty = self.totals.isneginf().unsqueeze(-1)
        refuse_nan(logits.unflatten(0, self.totals.shape).masked_fill(empty, 0.0))
        chances = without_special(logits.log_softmax(-1)).unflatten(
            0, self.totals.shape
        )
        width, vocab = self.settings.width, logits.shape[-1]
        chances, tokens = chances.topk(min(width, vocab))
        reached = self.totals.unsqueeze(-1) + chances.masked_fill(empty, 0.0)
        candidates = reached.flatten(1)
        totals, kept = candidates.topk(min(width, candidates.shape[1]))
        place = torch.arange(totals.shape[1], device=totals.device)
        totals = totals.masked_fill(place >= width - self.ended, -torch.inf)
        written = tokens.flatten(1).gather(1, kept)
        scores = self._settle(totals, written == EOS)
        self.rounds.append(_Round(tokens, chances, reached, kept, totals, scores))
        return self.rounds[-1]

    def _settle(
        self, totals: Float[Tensor, "batch place"], ended: Bool[Tensor, "batch place"]
    ) -> Float[Tensor, "batch place"]:
        """Take what has ended out of the beam; return the scores of the complete."""
        length, last = len(self.rounds) + 1, self.settings.max_length
        scores = totals / self.settings.penalty(length)
        ended = ended & ~totals.isneginf()
        self.ended = self.ended + ended.sum(1, keepdim=True)
        complete = ended | ((length == last) & (self.ended == 0))
        scores = scores.masked_fill(~complete, -torch.inf)
        self.best = torch.maximum(self.best, scores.amax(1, keepdim=True))
        going_on = totals.masked_fill(ended, -torch.inf)
        # no total rises, and no penalty is larger than that of the greatest length
        within_reach = going_on.amax(1, keepdim=True) / self.settings.penalty(last)
        self.totals = going_on.masked_fill(within_reach <= self.best, -torch.inf)
        return scores


def _selectable(state: object) -> Selectable:
    if not isinstance(state, Selectable):
        raise TypeError(
            f"beam search reorders the rows of the model's state, but "
            f"{type(state).__name__} has no method select; add select(rows), which "
            "returns a state whose row i is row rows[i]"
        )
    return state


def _follow(state: Selectable, found: _Round) -> Selectable:
    """Give each hypothesis that was kept a copy of its parent's state."""
    batch, beam, _ = found.tokens.shape
    first = torch.arange(batch, device=found.kept.device) * beam
    rows = (first.unsqueeze(1) + found.parents).flatten()
    same = torch.equal(rows, torch.arange(batch * beam, device=rows.device))
    return state if same else state.select(rows)


def _best(
    rounds: list[_Round],
) -> tuple[Float[Tensor, " batch"], Int[Tensor, " batch"], Int[Tensor, " batch"]]:
    """Return the best score of each source, and in which round and place it is."""
    in_round, places = zip(*(found.scores.max(1) for found in rounds), strict=True)
    scores, step = torch.stack(in_round, 1).max(1)
    if not (scores > -torch.inf).all():
        row = (scores > -torch.inf).int().argmin().item()
        raise ValueError(
            f"no hypothesis for source {row} has a probability above 0: the model's "
            "logits leave only <pad> and <bos>, or are NaN; look for a row with "
            "nothing to attend to"
        )
    place = torch.stack(places, 1).gather(1, step.unsqueeze(1)).squeeze(1)
    return scores, step, place


def _read_back(
    rounds: list[_Round], step: Int[Tensor, " batch"], place: Int[Tensor, " batch"]
) -> Int[Tensor, "batch target"]:
    """Follow each best hypothesis from its last token to its first."""
    longest = int(step.amax()) + 1
    target = step.new_full((len(step), longest), PAD)
    for index in reversed(range(longest)):
        found, within = rounds[index], index <= step
        at = place.unsqueeze(1)
        token = found.written.gather(1, at).squeeze(1)
        target[:, index] = token.where(within, PAD)
        place = found.parents.gather(1, at).squeeze(1).where(within, place)
    return target


def _grow(
    nodes: list[BeamNode], parents: list[int | None], found: _Round, penalty: float
) -> list[int | None]:
    """Add the nodes of one round, and return those that are in its places."""
    tokens, reached = found.tokens[0].tolist(), found.reached[0].tolist()
    own, choices = found.log_probabilities[0].tolist(), found.tokens.shape[-1]
    filled = (found.totals[0] > -torch.inf).tolist()
    kept = [
        k if f else None for k, f in zip(found.kept[0].tolist(), filled, strict=True)
    ]
    places: dict[int | None, int] = {}
    for b, c in product(range(len(tokens)), range(choices)):
        if reached[b][c] > -torch.inf:
            token, total, index = tokens[b][c], reached[b][c], b * choices + c
            going_on = "ended" if token == EOS else "kept"
            fate = going_on if index in kept else "dropped"
            places[index] = len(nodes)
            score = total / penalty
            nodes.append(BeamNode(parents[b], token, own[b][c], total, score, fate))
    return [places.get(index) for index in kept]
