"""Other right answers to "One step of beam search"."""

import heapq

import torch


def beam_divmod(log_p, scores):
    totals = (log_p + scores.unsqueeze(1)).view(-1)
    best, places = torch.topk(totals, len(scores))
    parents = torch.div(places, log_p.size(1), rounding_mode="floor")
    return best, parents, places - parents * log_p.size(1)


def beam_all_pairs(log_p, scores):
    pairs = [
        (score + value, parent, token)
        for parent, score in enumerate(scores.tolist())
        for token, value in enumerate(log_p[parent].tolist())
    ]
    best, parents, tokens = zip(*heapq.nlargest(len(scores), pairs), strict=True)
    return torch.tensor(best), torch.tensor(parents), torch.tensor(tokens)


def beam_two_rounds(log_p, scores):
    """The best few of each hypothesis first, and the best of those."""
    few = min(log_p.shape)
    own, tokens = log_p.topk(few)
    best, places = (own + scores[:, None]).flatten().sort(descending=True)
    best, places = best[: len(scores)], places[: len(scores)]
    return [best, places // few, tokens.flatten()[places]]


def beam_unravelled(log_p, scores):
    totals = scores[:, None] + log_p
    places = totals.flatten().argsort(descending=True)[: len(scores)]
    parents, tokens = torch.unravel_index(places, totals.shape)
    return totals[parents, tokens], parents, tokens


ALTERNATIVES = (beam_divmod, beam_all_pairs, beam_two_rounds, beam_unravelled)
