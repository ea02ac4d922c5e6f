"""Other right answers to "When is it settled?"."""

import torch
from torch.nn import functional as F


def settled_going_back(states, W, b):
    said = [F.linear(F.layer_norm(x, x.shape[-1:]), W, b).argmax(-1) for x in states]
    found = []
    for token in range(states.shape[1]):
        layer = len(said) - 1
        while layer > 0 and said[layer - 1][token] == said[-1][token]:
            layer -= 1
        found.append(layer)
    return torch.tensor(found)


def settled_after_the_last_other(states, W, b):
    said = (F.layer_norm(states, states.shape[-1:]) @ W.mT + b).argmax(-1)
    number = torch.arange(len(said))[:, None]
    return torch.where(said != said[-1], number + 1, 0).amax(0)


ALTERNATIVES = (settled_going_back, settled_after_the_last_other)
