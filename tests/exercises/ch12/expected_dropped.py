"""Other right answers to "Dropped although balanced"."""

from math import comb

import torch


def dropped_by_a_table(tokens, experts, places):
    n = torch.arange(tokens + 1, dtype=torch.float64)
    chances = torch.distributions.Binomial(tokens, torch.tensor(1 / experts).double())
    if experts == 1:  # the logarithm of a chance of 0 would be asked for
        return max(0, tokens - places) / tokens
    each = chances.log_prob(n).exp() * (n - places).clamp(min=0)
    return (experts * each.sum() / tokens).item()


def dropped_as_the_rest_of_the_kept(tokens, experts, places):
    p = 1 / experts
    kept = sum(
        min(n, places) * comb(tokens, n) * p**n * (1 - p) ** (tokens - n)
        for n in range(tokens + 1)
    )
    return 1 - experts * kept / tokens


def dropped_by_adding_tokens(tokens, experts, places):
    chances = [1.0]
    for _ in range(tokens):
        stay = [c * (experts - 1) / experts for c in [*chances, 0.0]]
        come = [c / experts for c in [0.0, *chances]]
        chances = [a + b for a, b in zip(stay, come, strict=True)]
    over = sum(c * max(0, n - places) for n, c in enumerate(chances))
    return over * experts / tokens


ALTERNATIVES = (
    dropped_by_a_table,
    dropped_as_the_rest_of_the_kept,
    dropped_by_adding_tokens,
)
