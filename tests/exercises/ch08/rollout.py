"""Other right answers to "Attention rollout"."""

import torch


def rolled_by_a_loop(weights):
    token = weights.shape[-1]
    result = torch.eye(token)
    for layer in weights:
        result = (layer.mean(0) + torch.eye(token)) / 2 @ result
    return result


def rolled_renormalised(weights):
    mixing = weights.mean(1)
    mixing = mixing + torch.eye(mixing.shape[-1])
    mixing = mixing / mixing.sum(-1, keepdim=True)
    return torch.linalg.multi_dot([*mixing.flip(0), torch.eye(mixing.shape[-1])])


def rolled_down(weights):
    """From the top to the bottom, with the product on the other side."""
    result = torch.eye(weights.shape[-1])
    for layer in weights.flip(0):
        result = 0.5 * result + 0.5 * result @ layer.mean(0)
    return result


def rolled_transposed(weights):
    result = torch.eye(weights.shape[-1])
    for layer in weights.mean(1).mT:
        result = result @ (layer + torch.eye(len(layer))) / 2
    return result.T


ALTERNATIVES = (rolled_by_a_loop, rolled_renormalised, rolled_down, rolled_transposed)
