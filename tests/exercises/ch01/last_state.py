"""Other right answers to "Bug hunt: the last state"."""

import torch


def last_gather(states, lengths):
    places = (lengths - 1)[:, None, None].expand(-1, 1, states.shape[-1])
    return states.gather(1, places).squeeze(1)


def last_loop(states, lengths):
    return torch.stack([s[n - 1] for s, n in zip(states, lengths, strict=True)])


ALTERNATIVES = (last_gather, last_loop)
