"""Other right answers to "Work on each token alone"."""

import torch


def fed_by_hand(x, W_1, b_1, W_2, b_2):
    hidden = (x @ W_1.T + b_1).clamp(min=0)
    return hidden @ W_2.T + b_2


def fed_token_by_token(x, W_1, b_1, W_2, b_2):
    rows = x.reshape(-1, x.shape[-1])
    out = [W_2 @ torch.maximum(W_1 @ r + b_1, torch.tensor(0.0)) + b_2 for r in rows]
    return torch.stack(out).reshape(x.shape)


def fed_unit_by_unit(x, W_1, b_1, W_2, b_2):
    out = b_2.expand_as(x).clone()
    for key, threshold, value in zip(W_1, b_1, W_2.T, strict=True):
        out += torch.relu(x @ key + threshold)[..., None] * value
    return out


ALTERNATIVES = (fed_by_hand, fed_token_by_token, fed_unit_by_unit)
