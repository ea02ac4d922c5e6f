"""One token after another: the likeliest, or one drawn by its probability."""

from collections.abc import Callable
from math import inf
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from qkv._checks import a_tensor, whole
from qkv._models import beside, in_mode
from qkv.data import BOS, EOS, PAD
from qkv.recurrent import Writer


def greedy(
    model: Writer,
    *source: Shaped[Tensor, "batch ..."],
    max_length: int,
    allowed: Bool[Tensor, "step vocab"] | None = None,
) -> Int[Tensor, "batch target"]:
    r"""Write the likeliest token, feed it back, and go on until all have ended.

    .. math:: \hat y_i = \arg\max_y \; p(y \mid \hat y_{<i}, x)

    Parameters
    ----------
    model : reads the source once (``start``), then takes a token at a time (``step``),
        first of all ``<bos>``, unless it says otherwise (:class:`Continuing`). It
        writes in evaluation mode and is left in the mode it was in.
    source : what the model reads, as its ``start`` takes it: token ids and their
        lengths, images, a series; for a :class:`~qkv.transformer.LanguageModel` the
        texts to go on with, and their lengths. It is brought to the model's device.
    max_length : the most tokens to write, ``<eos>`` among them.
    allowed : True for the tokens that each step may write. Where no step may write
        ``<eos>``, ``max_length`` tokens are written.

    Returns
    -------
    What was written: each row ends in ``<eos>``, followed by padding, or, cut off, in
    its token ``max_length``. As long as the longest row.

    Raises
    ------
    ValueError
        If ``max_length`` is below 1, the model refuses the source, or ``allowed`` is
        not of ``max_length`` steps that each leave a token; or if a logit is NaN.
    FloatingPointError
        If an attention finds NaN or an infinity in the source that it reads.

    Examples
    --------
    >>> from qkv.recurrent import Seq2Seq
    >>> model = Seq2Seq(11, 13)
    >>> model.output.bias.data[7] = 99.0
    >>> greedy(model, torch.tensor([[5, 6, 9]]), torch.tensor([3]), max_length=4)
    tensor([[7, 7, 7, 7]])
    >>> from qkv.transformer import LanguageModel, TransformerConfig
    >>> model = LanguageModel(TransformerConfig(n_source=13, n_target=13))
    >>> model.output.bias.data[2] = 99.0
    >>> greedy(model, torch.tensor([[1, 6, 9]]), torch.tensor([3]), max_length=4)
    tensor([[2]])
    """

    highest: list[Tensor] = []

    def likeliest(logits: Tensor) -> Tensor:
        value, token = logits.max(-1)
        highest.append(value)
        return token

    written = _write(model, source, max_length, likeliest, allowed)
    refuse_nan(torch.stack(highest, 1))  # once for a sentence, not at every token
    return written


def sample(
    model: Writer,
    *source: Shaped[Tensor, "batch ..."],
    max_length: int,
    generator: torch.Generator | None = None,
    uniform: Float[Tensor, "batch step"] | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    allowed: Bool[Tensor, "step vocab"] | None = None,
) -> Int[Tensor, "batch target"]:
    r"""Draw each token by its probability, feed it back, until all have ended.

    .. math:: \hat y_i \sim p(y \mid \hat y_{<i}, x)

    Parameters
    ----------
    model, source, max_length, allowed : as for :func:`greedy`.
    generator : decides what is drawn: the same seed writes the same tokens. It may be
        on the CPU when the model is not.
    uniform : the numbers that decide it, in place of a generator: from 0 to below 1,
        ``max_length`` for each source. A step writes the first token at which the
        probabilities, added up, exceed its number: so another program draws the same.
    temperature, top_k, top_p : as for :func:`sampling_probabilities`.

    Returns
    -------
    What was written, as :func:`greedy` returns it. ``<pad>`` and ``<bos>`` never are.

    Raises
    ------
    ValueError
        As for :func:`greedy`, or if the logits or the other settings are none that
        :func:`sampling_probabilities` takes, or ``uniform`` has too few numbers, or
        one outside.
    TypeError
        If there is neither a generator nor ``uniform``, or both, or it is no tensor.

    Examples
    --------
    >>> from qkv.recurrent import Seq2Seq
    >>> model = Seq2Seq(11, 13)
    >>> model.output.bias.data[[7, 8]] = 99.0
    >>> source, lengths = torch.tensor([[5, 6, 9]]), torch.tensor([3])
    >>> generator = torch.Generator().manual_seed(0)
    >>> written = sample(model, source, lengths, max_length=40, generator=generator)
    >>> written.unique()
    tensor([7, 8])

    Three tokens, the last of which is an 11 or a 12:

    >>> allowed = torch.ones(3, 13, dtype=torch.bool)
    >>> allowed[:, 2], allowed[2, :11] = False, False
    >>> settings = {"max_length": 3, "generator": generator, "allowed": allowed}
    >>> sample(model, source, lengths, **settings)[0, 2] > 10
    tensor(True)
    """

    drawing = _drawing(generator, uniform, source, max_length)

    def draw(logits: Tensor) -> Tensor:
        chances = sampling_probabilities(
            without_special(logits.to(drawing.device)),
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )
        return drawing(chances).to(logits.device)

    return _write(model, source, max_length, draw, allowed)


class _ByGenerator:
    """Draw by a generator, where it is."""

    def __init__(self, generator: torch.Generator):
        self.generator, self.device = generator, generator.device

    def __call__(self, chances: Float[Tensor, "batch vocab"]) -> Tensor:
        return torch.multinomial(chances, 1, generator=self.generator).squeeze(1)


class _ByNumbers:
    """Draw by given numbers, a column of them at each step."""

    def __init__(self, uniform: Float[Tensor, "batch step"]):
        self.columns, self.device = iter(uniform.double().unbind(1)), uniform.device

    def __call__(self, chances: Float[Tensor, "batch vocab"]) -> Tensor:
        below = chances.cumsum(1)
        whole = below[:, -1:]
        number = next(self.columns).unsqueeze(1) * whole
        # The sum is 1 but for rounding: no number may reach it.
        number = torch.minimum(number, whole.nextafter(torch.zeros_like(whole)))
        return torch.searchsorted(below, number, right=True).squeeze(1)


def _drawing(
    generator: torch.Generator | None,
    uniform: Float[Tensor, "batch step"] | None,
    source: tuple[Tensor, ...],
    max_length: int,
) -> _ByGenerator | _ByNumbers:
    """Return what draws: one of the two that are given."""
    if generator is not None and uniform is None:
        return _ByGenerator(generator)
    if uniform is None or generator is not None:
        given = "neither is" if uniform is None else "both are"
        raise TypeError(
            f"a token is drawn by a generator or by uniform numbers, and {given} "
            "given; give one of them: generator=torch.Generator().manual_seed(0)"
        )
    a_tensor("uniform", uniform, "a number for each source and step")
    wanted = len(source[0]), max_length
    if uniform.shape != wanted:
        raise ValueError(
            f"uniform has batch, step = {tuple(uniform.shape)}, but there are "
            f"{wanted}: give a number for each source and each of max_length steps"
        )
    if not ((uniform >= 0) & (uniform < 1)).all():
        raise ValueError(
            f"uniform runs from {uniform.min():g} to {uniform.max():g}, but is wanted "
            "from 0 to below 1; give torch.rand(batch, max_length)"
        )
    return _ByNumbers(uniform)


def sampling_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    r"""Return the probabilities to draw the next token by, from its logits z.

    .. math:: p_y = \frac{e^{z_y / T}}{\sum_{y'} e^{z_{y'} / T}}

    and then 0 for all but the likeliest tokens, first for all but ``top_k`` of them,
    then for all but the fewest that together reach ``top_p``; what is left is made to
    sum to 1 each time.

    Parameters
    ----------
    logits : -∞ for a token that must not be drawn.
    temperature : T. Below 1 the likely become likelier; with 0 the likeliest is sure.
    top_k : how many tokens to choose among; None for all.
    top_p : the probability that the tokens to choose among reach; None for all.

    Raises
    ------
    ValueError
        If ``temperature`` is negative or infinite, ``top_k`` is below 1, ``top_p`` is
        not above 0 and at most 1, or a row of logits has NaN or +∞, or no token that
        may be drawn.

    Notes
    -----
    In float64, so that the probabilities kept are summed exactly enough. Top-k is Fan
    et al. (2018), section 5.2, top-p ("nucleus") Holtzman et al. (2020), equation 2.

    Examples
    --------
    >>> logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    >>> sampling_probabilities(logits, top_k=2)
    tensor([0.6250, 0.3750, 0.0000, 0.0000], dtype=torch.float64)
    >>> sampling_probabilities(logits, top_p=0.9).count_nonzero().item()
    3
    """
    _check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        temperature, top_k = 1.0, 1
    highest = logits.amax(-1, keepdim=True)
    if not highest.isfinite().all():
        raise ValueError(
            f"the largest logit of a row is {highest[~highest.isfinite()][0].item()}, "
            "so that it has no probabilities; look for a row with nothing to attend "
            "to, and leave at least one token that may be drawn"
        )
    chances = ((logits.double() - highest) / temperature).softmax(-1)
    if top_k is None and top_p is None:
        return chances
    ranked, tokens = chances.sort(dim=-1, descending=True, stable=True)
    if top_k is not None:
        ranked[..., top_k:] = 0.0
        ranked = ranked / ranked.sum(-1, keepdim=True)
    if top_p is not None:
        likelier = ranked.cumsum(-1) - ranked
        ranked = ranked.masked_fill(likelier >= top_p, 0.0)
        ranked = ranked / ranked.sum(-1, keepdim=True)
    return torch.zeros_like(chances).scatter(-1, tokens, ranked)


def _check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not temperature >= 0:
        raise ValueError(
            f"temperature is {temperature}, but must not be negative; "
            "give 0 for the likeliest token, 1 for the model's own probabilities"
        )
    if temperature == inf:
        raise ValueError(
            "temperature is inf, but what must not be drawn is -∞, and -∞ / ∞ is no "
            "number; give a large one, such as 1e6"
        )
    if top_k is not None:
        whole(1, top_k=top_k)
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(
            f"top_p is {top_p}, but a probability to reach is above 0 and at most 1"
        )


def _write(
    model: Writer,
    source: tuple[Tensor, ...],
    max_length: int,
    choose: Callable[[Tensor], Tensor],
    allowed: Bool[Tensor, "step vocab"] | None,
) -> Int[Tensor, "batch target"]:
    whole(1, max_length=max_length)
    if allowed is not None:
        _check_allowed(allowed, max_length)
    with in_mode(model, training=False), torch.inference_mode():
        token, state = begin(model, *source)
        written, ended = [], torch.zeros_like(token, dtype=torch.bool)
        while len(written) < max_length and not ended.all():
            logits, state = model.step(token, state)
            if allowed is not None:
                logits = _only(allowed[len(written)], logits)
            token = choose(logits)
            written.append(token)
            ended |= token == EOS
    return _end(torch.stack(written, 1))


@runtime_checkable
class Continuing(Protocol):
    """A model that does not begin a target of its own, but goes on with its source."""

    def first_token(self, *source: Tensor) -> Int[Tensor, " batch"]:
        """Return the token to feed first, where others are fed ``<bos>``."""


def begin(
    model: Writer, *source: Shaped[Tensor, "batch ..."]
) -> tuple[Int[Tensor, " batch"], Any]:
    """Let the model read the source; return the token to feed first, and its state."""
    source = beside(model, *source)
    state = model.start(*source)
    if isinstance(model, Continuing):
        return model.first_token(*source).long(), state
    return torch.full((len(source[0]),), BOS, device=source[0].device), state


def _end(written: Tensor) -> Tensor:
    """Put padding after the first <eos>: rows that have ended were written on."""
    ends = (written == EOS).int()
    return written.masked_fill(ends.cumsum(1) - ends > 0, PAD)


def refuse_nan(logits: Float[Tensor, "batch ... vocab"]) -> None:
    """Refuse logits of which none is the largest.

    Raises
    ------
    ValueError
        If one is NaN.
    """
    broken = logits.isnan().flatten(1).any(1)
    if broken.any():
        raise ValueError(
            f"the model's logits for source {broken.int().argmax().item()} are NaN, so "
            "that no token is the likeliest; look for a weight that is NaN, or a row "
            "with nothing to attend to"
        )


def without_special(logits: Float[Tensor, "*batch vocab"]) -> Tensor:
    """Leave no chance to padding and to the start, which are never written."""
    special = torch.arange(logits.shape[-1], device=logits.device) < EOS
    return logits.masked_fill(special, -torch.inf)


def _only(allowed: Bool[Tensor, " vocab"], logits: Float[Tensor, "batch v"]) -> Tensor:
    """Leave no chance to what a step may not write."""
    if len(allowed) != logits.shape[-1]:
        raise ValueError(
            f"allowed has vocab = {len(allowed)}, but the model scores vocab = "
            f"{logits.shape[-1]}; give a column for each of its tokens"
        )
    return logits.masked_fill(~allowed.to(logits.device), -torch.inf)


def _check_allowed(allowed: Bool[Tensor, "step vocab"], max_length: int) -> None:
    if len(allowed) != max_length:
        raise ValueError(
            f"allowed has step = {len(allowed)}, but max_length is {max_length}; give "
            "a row for each step"
        )
    closed = (~allowed[:, EOS:].any(1)).nonzero()
    if len(closed):
        raise ValueError(
            f"allowed leaves step {closed[0].item()} no token but <pad> and <bos>, "
            "which are never written; give each row one or more"
        )
