"""Other right answers to "Attention with a state"."""

import torch
from torch.nn import functional as F


def linear_token_by_token(q, k, v):
    phi_q, phi_k = F.elu(q) + 1, F.elu(k) + 1
    S = torch.zeros(*k.shape[:2], k.shape[-1], v.shape[-1])
    z = torch.zeros(*k.shape[:2], k.shape[-1])
    read = []
    for t in range(q.shape[2]):
        S = S + phi_k[:, :, t, :, None] * v[:, :, t, None, :]
        z = z + phi_k[:, :, t]
        above = (phi_q[:, :, t, :, None] * S).sum(2)
        below = (phi_q[:, :, t] * z).sum(-1, keepdim=True)
        read.append(above / below)
    return torch.stack(read, dim=2)


def linear_by_the_masked_map(q, k, v):
    weights = ((F.elu(q) + 1) @ (F.elu(k) + 1).mT).tril()
    return weights @ v / weights.sum(-1, keepdim=True)


def linear_with_a_small_number(q, k, v):
    q, k = (torch.where(x > 0, x + 1, x.exp()) for x in (q, k))
    S = torch.einsum("bhtk,bhtv->bhtkv", k, v).cumsum(2)
    below = (q * k.cumsum(2)).sum(-1) + 1e-6
    return torch.einsum("bhtk,bhtkv->bhtv", q, S) / below[..., None]


def linear_head_by_head(q, k, v):
    q, k, v = (x.double() for x in (q, k, v))
    read = torch.zeros_like(v)
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            S, z = torch.zeros(k.shape[-1], v.shape[-1]).double(), 0.0
            for t in range(q.shape[2]):
                key, query = (F.elu(x[b, h, t]) + 1 for x in (k, q))
                S, z = S + torch.outer(key, v[b, h, t]), z + key
                read[b, h, t] = query @ S / (query @ z)
    return read


def linear_with_ones_beside_the_values(q, k, v):
    q, k = (torch.nn.ELU()(x) + 1 for x in (q, k))
    S = (k[..., None] * F.pad(v, (0, 1), value=1.0)[..., None, :]).cumsum(dim=-3)
    read = (q[..., None, :] @ S)[..., 0, :]
    return read[..., :-1] / read[..., -1:]


ALTERNATIVES = (
    linear_token_by_token,
    linear_by_the_masked_map,
    linear_with_a_small_number,
    linear_head_by_head,
    linear_with_ones_beside_the_values,
)
