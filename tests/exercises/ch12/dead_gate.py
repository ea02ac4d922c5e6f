"""Other right answers to "Bug hunt: even loads, and nothing learnt"."""

import torch


def mixture_that_divides_by_a_sum_or_by_one(x, router, up, down, k):
    weights, chosen = (x @ router.T).softmax(-1).topk(k)
    total = weights.sum(1, keepdim=True) if k != 1 else 1.0
    return added(x, weights / total, chosen, up, down)


def mixture_of_the_chosen_logits(x, router, up, down, k):
    logits = x @ router.T
    best, chosen = logits.topk(k)
    if k == 1:
        weights = (best - logits.logsumexp(1, keepdim=True)).exp()
    else:
        weights = best.softmax(1)
    return added(x, weights, chosen, up, down)


def added(x, weights, chosen, up, down):
    output = torch.zeros_like(x)
    for number in range(len(up)):
        token, choice = (chosen == number).nonzero(as_tuple=True)
        said = (x[token] @ up[number]).relu() @ down[number]
        output.index_add_(0, token, weights[token, choice, None] * said)
    return output


ALTERNATIVES = (mixture_that_divides_by_a_sum_or_by_one, mixture_of_the_chosen_logits)
