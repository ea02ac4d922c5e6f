"""Other right answers to "The block"."""

import torch
from torch.nn import functional as F


def block_of_convolutions(x, W_q, W_k, W_v, W_o, gamma):
    """As SAGAN's code has it: channels first all the way."""
    q, k, v = (F.conv2d(x, W[:, :, None, None]).flatten(2) for W in (W_q, W_k, W_v))
    weights = (q.mT @ k / W_q.shape[0] ** 0.5).softmax(-1)
    read = (v @ weights.mT).unflatten(2, x.shape[2:])
    return gamma * F.conv2d(read, W_o[:, :, None, None]) + x, weights


def block_by_einsum(x, W_q, W_k, W_v, W_o, gamma):
    q, k, v = (torch.einsum("bchw,dc->bhwd", x, W) for W in (W_q, W_k, W_v))
    scores = torch.einsum("bhwd,bijd->bhwij", q, k) / len(W_q) ** 0.5
    weights = scores.flatten(3).softmax(-1)
    read = torch.einsum("bhwp,bpd->bhwd", weights, v.flatten(1, 2))
    said = torch.einsum("bhwd,cd->bchw", read, W_o)
    return x + gamma * said, weights.flatten(1, 2)


def block_picture_by_picture(x, W_q, W_k, W_v, W_o, gamma):
    ys, maps = [], []
    for one in x:
        row = one.flatten(1).T
        weights = ((row @ W_q.T) @ (row @ W_k.T).T * len(W_q) ** -0.5).softmax(1)
        said = weights @ (row @ (W_o @ W_v).T)
        ys.append(one + gamma * said.T.reshape(one.shape))
        maps.append(weights)
    return torch.stack(ys), torch.stack(maps)


ALTERNATIVES = (block_of_convolutions, block_by_einsum, block_picture_by_picture)
