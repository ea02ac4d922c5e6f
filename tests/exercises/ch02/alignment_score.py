"""Other right answers to "Is the alignment true?"."""

from torch.nn import functional as F


def score_by_row(weights, truth):
    rows = [(w, t) for w, t in zip(weights, truth, strict=True) if t.any()]
    return sum(bool(t[w.argmax()]) for w, t in rows) / len(rows)


def score_one_hot(weights, truth):
    peaks = F.one_hot(weights.argmax(-1), weights.shape[-1]).bool()
    return ((peaks & truth).any(1).sum() / truth.any(1).sum()).item()


def score_gather(weights, truth):
    kept = truth.any(1)
    weights, truth = weights[kept], truth[kept]
    return truth.gather(1, weights.argmax(1, keepdim=True)).float().mean()


ALTERNATIVES = (score_by_row, score_one_hot, score_gather)
