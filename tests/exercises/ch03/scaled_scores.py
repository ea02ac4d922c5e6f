"""Other right answers to "Compare each query with each key"."""

import math

import torch


def scores_einsum(q, k):
    return torch.einsum("...qd,...kd->...qk", q, k) / math.sqrt(q.shape[-1])


def scores_broadcast(q, k):
    products = q[..., :, None, :] * k[..., None, :, :]
    return products.sum(-1) * q.size(-1) ** -0.5


def scores_scaled_first(q, k):
    root = torch.tensor(float(k.shape[-1])).sqrt()
    return torch.matmul(q / root, k.transpose(-2, -1))


ALTERNATIVES = (scores_einsum, scores_broadcast, scores_scaled_first)
