"""Other right answers to "The nucleus of a distribution"."""

import torch
from torch.nn import functional as F


def nucleus_in_place(probabilities, p):
    ranked, order = probabilities.sort(-1, descending=True)
    drop = ranked.cumsum(-1) >= p
    drop[:, 1:], drop[:, 0] = drop[:, :-1].clone(), False
    probabilities[drop.scatter(1, order, drop)] = 0
    return probabilities / probabilities.sum(-1, keepdim=True)


def nucleus_row_by_row(probabilities, p):
    out = torch.zeros_like(probabilities)
    for row, result in zip(probabilities, out, strict=True):
        ranked, order = torch.sort(row, descending=True)
        number = int(torch.searchsorted(ranked.cumsum(0), p)) + 1
        result[order[:number]] = ranked[:number] / ranked[:number].sum()
    return out


def nucleus_unsorted_again(probabilities, p):
    ranked, order = probabilities.double().sort(dim=1, descending=True)
    ranked[ranked.cumsum(1) - ranked >= p] = 0
    kept = ranked.gather(1, order.argsort(1))
    return F.normalize(kept, p=1, dim=1).float()


def nucleus_token_by_token(probabilities, p):
    rows = []
    for row in probabilities.tolist():
        mass, kept = 0.0, {}
        for token in sorted(range(len(row)), key=row.__getitem__, reverse=True):
            if mass < p:
                kept[token] = row[token]
                mass += row[token]
        rows.append([kept.get(token, 0.0) / mass for token in range(len(row))])
    return torch.tensor(rows)


ALTERNATIVES = (
    nucleus_in_place,
    nucleus_row_by_row,
    nucleus_unsorted_again,
    nucleus_token_by_token,
)
