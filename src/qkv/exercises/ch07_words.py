"""The exercises of chapter 7 on either side of the model: how it learns, and writes."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.exercises import draw
from qkv.exercises.machinery import Exercise, Mistake

# ------------------------------------------------------------------- 7.4 smoothed loss


def smoothed_loss(
    logits: Float[Tensor, "batch target vocab"],
    target: Int[Tensor, "batch target"],
    smoothing: float,
) -> Float[Tensor, ""]:
    return F.cross_entropy(
        logits.flatten(0, 1),
        target.flatten(),
        ignore_index=0,
        label_smoothing=smoothing,
    )


def _wanted(target, vocab, smoothing):
    """The distribution that the model is to reach, "batch target vocab"."""
    return F.one_hot(target, vocab) * (1 - smoothing) + smoothing / vocab


def _spread_over_others(target, vocab, smoothing, *, but=1):
    """The true token keeps 1 − ε; ``but`` 2 leaves out the padding's id as well."""
    true = F.one_hot(target, vocab).bool()
    wanted = torch.full(true.shape, smoothing / (vocab - but))
    if but == 2:
        wanted[..., 0] = 0.0
    return wanted.masked_fill(true, 1 - smoothing)


def _not_shared_out(target, vocab, smoothing):
    return F.one_hot(target, vocab) * (1 - smoothing) + smoothing


def _each(logits, target, smoothing, *, wanted=_wanted, over=-1):
    """The loss of each token, padding included."""
    q = wanted(target, logits.shape[-1], smoothing)
    return -(q * logits.log_softmax(over)).sum(-1)


def _mean(losses, target):
    return losses[target != 0].mean()


def _real_over_all(logits, target, smoothing):
    return (_each(logits, target, smoothing) * (target != 0)).mean()


def _sentence_by_sentence(logits, target, smoothing):
    real = target != 0
    sums = (_each(logits, target, smoothing) * real).sum(1)
    return (sums / real.sum(1)).mean()


def _divergence(logits, target, smoothing):
    q = _wanted(target, logits.shape[-1], smoothing)
    own = torch.special.entr(q).sum(-1)
    return _mean(_each(logits, target, smoothing) - own, target)


def _log_of_softmax(logits, target, smoothing):
    q = _wanted(target, logits.shape[-1], smoothing)
    return _mean(-(q * logits.softmax(-1).log()).sum(-1), target)


def _with_target(wanted):
    return lambda *given: _mean(_each(*given, wanted=wanted), given[1])


def _predictions(
    lengths: tuple[int, ...],
    target: int,
    vocab: int,
    smoothing: float,
    scale: float = 2.0,
) -> tuple:
    batch = len(lengths)
    wanted = 1 + draw.ids(batch, target, high=vocab - 1, seed=1)
    wanted[torch.arange(target) >= torch.tensor(lengths)[:, None]] = 0
    return scale * draw.normal(batch, target, vocab), wanted, smoothing


SMOOTHED_LOSS = Exercise(
    id="7.4",
    title="A target that is not quite sure",
    minutes=8,
    takes={"logits": "batch target vocab", "target": "batch target", "smoothing": ""},
    returns={"loss": ""},
    reference=smoothed_loss,
    cases={
        "as many tokens as the vocabulary has": partial(
            _predictions, (2, 5, 4), 5, 5, 0.1
        ),
        "every size different": partial(_predictions, (3, 7), 7, 11, 0.3),
        "a batch of one without padding": partial(_predictions, (3,), 3, 7, 0.2),
        "a smoothing of 0": partial(_predictions, (5, 1, 2), 5, 13, 0.0),
        "logits in the hundreds": partial(_predictions, (3, 2), 3, 5, 0.1, 300.0),
    },
    mistakes=(
        Mistake(
            "padding counted",
            "the padding has been counted like words: the loss of a sentence changes "
            "with the batch that it is in",
            lambda *given: _each(*given).mean(),
        ),
        Mistake(
            "divided by all",
            "the padding's losses are 0, but its tokens are still counted where the "
            "sum is divided: the more padding, the smaller the loss looks",
            _real_over_all,
        ),
        Mistake(
            "sentence by sentence",
            "this is a mean over each sentence and then one over the sentences, in "
            "which a word of a short sentence counts for more. Divide once, by the "
            "number of all real tokens",
            _sentence_by_sentence,
        ),
        Mistake(
            "sum",
            "this is the sum over the real tokens; their mean is wanted",
            lambda *given: _each(*given)[given[1] != 0].sum(),
        ),
        Mistake(
            "by sentences",
            "the sum has been divided by the number of sentences, so that long ones "
            "look harder; divide by the number of real tokens",
            lambda *given: _each(*given)[given[1] != 0].sum() / len(given[1]),
        ),
        Mistake(
            "not smoothed",
            "the smoothing is not used: all is asked of the true token",
            lambda logits, target, smoothing: smoothed_loss(logits, target, 0.0),
        ),
        Mistake(
            "shares exchanged",
            "the true token has got only ε, and the rest is spread over all: the two "
            "shares are exchanged",
            lambda logits, target, smoothing: smoothed_loss(
                logits, target, 1 - smoothing
            ),
        ),
        Mistake(
            "spread over the others",
            "the true token has 1 − ε, and only the others share ε, by vocab − 1 of "
            "them. Many programs do so; the formula here gives every token ε / vocab, "
            "the true one as well",
            _with_target(_spread_over_others),
        ),
        Mistake(
            "spread over the real others",
            "ε is shared by all but the true token and the padding's id, as in the "
            "Annotated Transformer. The formula here gives every token of the "
            "vocabulary ε / vocab",
            _with_target(partial(_spread_over_others, but=2)),
        ),
        Mistake(
            "not shared out",
            "every token has got the whole of ε; ε is to be shared out among them, "
            "ε / vocab for each",
            _with_target(_not_shared_out),
        ),
        Mistake(
            "divergence",
            "this is the Kullback–Leibler divergence (nn.KLDivLoss): the entropy of "
            "the smoothed target has been subtracted. It has the same gradient, but "
            "the cross-entropy is wanted",
            _divergence,
        ),
        Mistake(
            "softmax twice",
            "the logits have gone through two softmaxes: cross_entropy and "
            "log_softmax begin with one, and want the bare logits",
            lambda logits, *given: smoothed_loss(logits.softmax(-1), *given),
        ),
        Mistake(
            "over the places",
            "the softmax runs over the places of a sentence (dim=1); the words of "
            "the vocabulary compete for one place (dim=-1)",
            lambda *given: _mean(_each(*given, over=1), given[1]),
        ),
        Mistake(
            "underflow",
            "right for small logits, but a softmax of scores in the hundreds has "
            "zeros, and log 0 is −∞: log_softmax does both at once, and is safe",
            _log_of_softmax,
        ),
        Mistake(
            "sign",
            "the sign is missing: a logarithm of a probability is negative, the loss "
            "is its opposite",
            lambda *given: -smoothed_loss(*given),
        ),
    ),
    hints=(
        "log p for every token of the vocabulary is logits.log_softmax(dim=-1). The "
        "loss of one place is the sum of two: (1 − ε) times −log p of the true "
        "token, and ε times the mean of −log p over the vocabulary.",
        "log_p.gather(-1, target[..., None]).squeeze(-1) looks up the true tokens.",
        "target != 0 says which places are real: index with it, and take the mean.",
    ),
)


# -------------------------------------------------------------------- 7.5 learning rate


def learning_rate(step: int, d_model: int, warmup: int) -> float:
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


def _peak(d_model, warmup):
    return (d_model * warmup) ** -0.5


LEARNING_RATE = Exercise(
    id="7.5",
    title="Warm up, then slow down",
    minutes=5,
    takes={"step": "", "d_model": "", "warmup": ""},
    returns={"rate": ""},
    reference=learning_rate,
    cases={
        "a step of the warm-up": lambda: (3, 5, 11),
        "its last step": lambda: (7, 3, 7),
        "a step after it": lambda: (13, 7, 5),
        "the very first step": lambda: (1, 2, 3),
        "the last step of the paper": lambda: (100_000, 512, 4000),
    },
    tolerance=1e-6,
    mistakes=(
        Mistake(
            "max",
            "the larger of the two is taken: the rate is highest at the first step, "
            "where it does most harm, and rises without end at last. It is min",
            lambda n, d, w: d**-0.5 * max(n**-0.5, n * w**-1.5),
        ),
        Mistake(
            "no warm-up",
            "the rate only falls: there is no warm-up, and the first steps are the "
            "largest",
            lambda n, d, w: d**-0.5 * n**-0.5,
        ),
        Mistake(
            "no decay",
            "the rate rises for ever: after the warm-up it must fall, as step^−0.5",
            lambda n, d, w: d**-0.5 * n * w**-1.5,
        ),
        Mistake(
            "stays",
            "after the warm-up the rate stays at its highest; it must fall, as "
            "step^−0.5",
            lambda n, d, w: _peak(d, w) * min(1.0, n / w),
        ),
        Mistake(
            "straight down",
            "after the warm-up the rate falls as 1 / step; it falls with the root",
            lambda n, d, w: _peak(d, w) * min(n / w, w / n),
        ),
        Mistake(
            "exponent",
            "the warm-up rises as step · warmup^−0.5; it is warmup^−1.5, and with "
            "it the two arms meet at step = warmup",
            lambda n, d, w: d**-0.5 * min(n**-0.5, n * w**-0.5),
        ),
        Mistake(
            "rises to one",
            "the warm-up rises to 1 (step / warmup) instead of to warmup^−0.5: the "
            "peak comes earlier and is higher, so that it hardly warms up",
            lambda n, d, w: d**-0.5 * min(n**-0.5, n / w),
        ),
        Mistake(
            "no d_model",
            "d_model is not used: wider models take smaller steps, by d_model^−0.5",
            lambda n, d, w: min(n**-0.5, n * w**-1.5),
        ),
        Mistake(
            "√d_model",
            "you multiply by √d_model; wider models take smaller steps, by "
            "d_model^−0.5",
            lambda n, d, w: d**0.5 * min(n**-0.5, n * w**-1.5),
        ),
        Mistake(
            "divided by d_model",
            "you divide by d_model; by its root, d_model^−0.5",
            lambda n, d, w: min(n**-0.5, n * w**-1.5) / d,
        ),
        Mistake(
            "steps from 0",
            "one has been added to the step, as if the first were step 0; here it is "
            "step 1",
            lambda n, d, w: learning_rate(n + 1, d, w),
        ),
    ),
    hints=(
        "two arms, and the smaller one counts: step · warmup^−1.5 rises, step^−0.5 "
        "falls. Where are they equal?",
        "min(a, b) of two numbers, and all of it times d_model ** -0.5.",
    ),
)


# ------------------------------------------------------------------------ 7.6 beam step


def beam_step(
    log_p: Float[Tensor, "beam vocab"], scores: Float[Tensor, " beam"]
) -> tuple[Float[Tensor, " beam"], Int[Tensor, " beam"], Int[Tensor, " beam"]]:
    return _best(scores[:, None] + log_p)


def _best(totals, *, largest=True):
    """The best of all, as many as there are hypotheses, and where they stand."""
    beam, vocab = totals.shape
    best, places = totals.flatten().topk(beam, largest=largest)
    return best, places // vocab, places % vocab


def _steps_own(log_p, scores):
    _, parents, tokens = beam_step(log_p, scores)
    return log_p[parents, tokens], parents, tokens


def _divided_by_the_beam(log_p, scores):
    best, places = (scores[:, None] + log_p).flatten().topk(len(scores))
    return best, places // len(scores), places % len(scores)


def _probabilities(log_p, scores):
    best, parents, tokens = beam_step(log_p, scores)
    return best.exp(), parents, tokens


def _each_its_own(log_p, scores):
    best, tokens = (scores[:, None] + log_p).max(-1)
    return best, torch.arange(len(scores)), tokens


def _exchanged(log_p, scores):
    best, parents, tokens = beam_step(log_p, scores)
    return best, tokens, parents


def _hypotheses(beam: int, vocab: int, first: bool = False) -> tuple:
    """Hypotheses of different scores; at the ``first`` step there is only one."""
    log_p = (2 * draw.normal(beam, vocab)).log_softmax(-1)
    scores = -draw.normal(beam, seed=1).abs()
    if first:
        scores = torch.full((beam,), -torch.inf)
        scores[0] = 0.0
    return log_p, scores


BEAM_STEP = Exercise(
    id="7.6",
    title="One step of beam search",
    minutes=8,
    takes={"log_p": "beam vocab", "scores": "beam"},
    returns={"scores": "beam", "parents": "beam", "tokens": "beam"},
    reference=beam_step,
    cases={
        "as many hypotheses as tokens": partial(_hypotheses, 5, 5),
        "every size different": partial(_hypotheses, 3, 11),
        "a beam of one, which is greedy": partial(_hypotheses, 1, 7),
        "the first step, with one hypothesis": partial(_hypotheses, 3, 7, first=True),
    },
    mistakes=(
        Mistake(
            "scores of tokens",
            "scores + log_p has added to each column the score of the hypothesis "
            "with that column's number: scores needs an axis for the tokens, "
            "[:, None]. It fails in sight only where beam and vocab differ",
            lambda log_p, scores: _best(scores + log_p),
        ),
        Mistake(
            "past forgotten",
            "only the new tokens' own log-probabilities have been compared: a "
            "hypothesis also brings the score that it has so far",
            lambda log_p, scores: _best(log_p),
        ),
        Mistake(
            "step's own score",
            "parents and tokens are right; but the scores are those of the new "
            "tokens alone, without what the hypotheses had before",
            _steps_own,
        ),
        Mistake(
            "multiplied",
            "scores and log_p have been multiplied: probabilities are, their "
            "logarithms are added",
            lambda log_p, scores: _best(scores[:, None] * log_p),
        ),
        Mistake(
            "each its own",
            "each hypothesis has got its own best continuation, so that none ever "
            "dies: this is greedy decoding several times over. All continuations "
            "compete with each other",
            _each_its_own,
        ),
        Mistake(
            "divided by the beam",
            "the place in the flattened table has been divided by the number of "
            "hypotheses; a row of the table is one vocabulary long",
            _divided_by_the_beam,
        ),
        Mistake(
            "exchanged",
            "parents and tokens are exchanged: place // vocab is the row, the "
            "hypothesis; place % vocab the column, the token",
            _exchanged,
        ),
        Mistake(
            "worst first",
            "these are the right ones in the wrong order: best first",
            lambda *given: tuple(part.flip(0) for part in beam_step(*given)),
        ),
        Mistake(
            "the worst",
            "these are the worst continuations: a log-probability nearer to 0 is "
            "better (largest=True)",
            lambda log_p, scores: _best(scores[:, None] + log_p, largest=False),
        ),
        Mistake(
            "probabilities",
            "the scores are probabilities now (exp): they stay logarithms, or after "
            "a few dozen tokens nothing is left of them",
            _probabilities,
        ),
    ),
    hints=(
        "a continuation's score is its hypothesis's score plus the log-probability "
        "of its token: a table of axes (beam, vocab), once scores has a second axis.",
        "flatten the table, and topk finds the best of all at once, sorted, with "
        "their places.",
        "place // vocab is the row, and place % vocab the column.",
    ),
)


# -------------------------------------------------------------------------- 7.7 nucleus


def nucleus(
    probabilities: Float[Tensor, "batch vocab"], p: float
) -> Float[Tensor, "batch vocab"]:
    return _only(probabilities, _likelier(probabilities) < p)


def _only(probabilities, kept):
    left = probabilities * kept
    return left / left.sum(-1, keepdim=True)


def _ranked(probabilities, descending=True):
    """Sorted, the mass before each in that order, and the places they came from."""
    ranked, order = probabilities.sort(dim=-1, descending=descending)
    return ranked, ranked.cumsum(-1) - ranked, order


def _likelier(probabilities, descending=True):
    """How much mass is likelier than each token; the other way round, less likely."""
    _, before, order = _ranked(probabilities, descending)
    return torch.empty_like(before).scatter(-1, order, before)


def _too_few(probabilities, p):
    return _only(probabilities, _likelier(probabilities) + probabilities <= p)


def _all_below_p(probabilities, p):
    return _only(probabilities, _likelier(probabilities) + probabilities < p)


def _too_few_but_the_first(probabilities, p):
    kept = _likelier(probabilities) + probabilities <= p
    return _only(probabilities, kept | (_rank(probabilities) == 0))


def _all_below_p_and_the_first(probabilities, p):
    kept = _likelier(probabilities) + probabilities < p
    return _only(probabilities, kept | (_rank(probabilities) == 0))


def _not_sorted(probabilities, p):
    return _only(probabilities, probabilities.cumsum(-1) - probabilities < p)


def _left_sorted(probabilities, p):
    ranked, before, _ = _ranked(probabilities)
    return _only(ranked, before < p)


def _mask_left_sorted(probabilities, p):
    return _only(probabilities, _ranked(probabilities)[1] < p)


def _first_rows_number(probabilities, p):
    number = (_likelier(probabilities) < p).sum(-1)[0]
    return _only(probabilities, _rank(probabilities) < number)


def _rank(probabilities):
    return probabilities.argsort(dim=-1, descending=True).argsort(dim=-1)


def _softmax_of_the_kept(probabilities, p):
    kept = _likelier(probabilities) < p
    return probabilities.masked_fill(~kept, -torch.inf).softmax(-1)


def _share_of_the_vocabulary(probabilities, p):
    number = max(1, int(p * probabilities.shape[-1]))
    return _only(probabilities, _rank(probabilities) < number)


def _distributions(batch: int, vocab: int, p: float, scale: float = 1.5) -> tuple:
    return (scale * draw.normal(batch, vocab)).softmax(-1), p


def _in_sixteenths(p: float) -> tuple:
    """Numbers that binary fractions hold exactly, so that no rounding decides."""
    return torch.tensor([[3.0, 8.0, 1.0, 4.0]]) / 16, p


NUCLEUS = Exercise(
    id="7.7",
    title="The nucleus of a distribution",
    minutes=8,
    takes={"probabilities": "batch vocab", "p": ""},
    returns={"nucleus": "batch vocab"},
    reference=nucleus,
    cases={
        "as many rows as tokens": partial(_distributions, 5, 5, 0.8),
        "every size different": partial(_distributions, 3, 11, 0.6),
        "a batch of one, and a mass of exactly p": partial(_in_sixteenths, 0.75),
        "tokens that are nearly certain": partial(_distributions, 2, 7, 0.3, 6.0),
        "p = 1": partial(_in_sixteenths, 1.0),
    },
    mistakes=(
        Mistake(
            "one too few",
            "the token that takes the mass over p is missing: what is kept has less "
            "than p, and where the likeliest alone has more, nothing is left, and "
            "0 / 0 is NaN",
            _too_few,
        ),
        Mistake(
            "all below p",
            "only tokens with which the mass stays below p are kept, so it never "
            "reaches it; and where the likeliest alone does, nothing is left, and "
            "0 / 0 is NaN. The token that takes the mass to p belongs in",
            _all_below_p,
        ),
        Mistake(
            "one too few but the first",
            "the likeliest is always kept; but of the others, the one that takes the "
            "mass over p is missing, so that the set has less than p",
            _too_few_but_the_first,
        ),
        Mistake(
            "all below p and the first",
            "the likeliest is always kept; but of the others, the one that takes the "
            "mass to p is missing, so that the set has less than p",
            _all_below_p_and_the_first,
        ),
        Mistake(
            "one too many",
            "where the mass comes to exactly p, one token more than needed is kept: "
            "the set is the smallest with a mass of at least p",
            lambda probabilities, p: _only(
                probabilities, _likelier(probabilities) <= p
            ),
        ),
        Mistake(
            "not renormalised",
            "what is left sums to less than one: divide by its sum",
            lambda probabilities, p: probabilities * (_likelier(probabilities) < p),
        ),
        Mistake(
            "left sorted",
            "the result is still in sorted order, so that it says token 0 where it "
            "means the likeliest: it must go back to where it came from (scatter)",
            _left_sorted,
        ),
        Mistake(
            "mask left sorted",
            "the mask is in sorted order and the probabilities are not: it keeps the "
            "first tokens of the vocabulary instead of the likeliest",
            _mask_left_sorted,
        ),
        Mistake(
            "least likely",
            "the sum begins with the least likely tokens: sort in descending order",
            lambda probabilities, p: _only(
                probabilities, _likelier(probabilities, descending=False) < p
            ),
        ),
        Mistake(
            "not sorted",
            "the probabilities have been added up in the order of the vocabulary; "
            "sort them first, the likeliest in front",
            _not_sorted,
        ),
        Mistake(
            "first row's number",
            "every row keeps as many tokens as the first one; how many are needed is "
            "for each row to say",
            _first_rows_number,
        ),
        Mistake(
            "softmax",
            "what is left has gone through a softmax once more, which makes it "
            "nearly equal: to bring probabilities to a sum of one, divide",
            _softmax_of_the_kept,
        ),
        Mistake(
            "share of the vocabulary",
            "p has been taken as a share of the tokens: this is top-k, with the same "
            "number for each row. It is a share of the probability",
            _share_of_the_vocabulary,
        ),
        Mistake(
            "each against p",
            "each token has been compared with 1 − p by itself; the smallest set is "
            "found by adding up, from the likeliest on",
            lambda probabilities, p: _only(probabilities, probabilities >= 1 - p),
        ),
    ),
    hints=(
        "probabilities.sort(dim=-1, descending=True) gives the sorted ones and where "
        "each came from; cumsum(dim=-1) adds them up.",
        "a token is needed if those before it, without it, do not reach p: "
        "cumulated − own < p. So the first is always kept.",
        "torch.zeros_like(probabilities).scatter(-1, order, kept) puts them back in "
        "their places; then divide by the sum.",
    ),
)
