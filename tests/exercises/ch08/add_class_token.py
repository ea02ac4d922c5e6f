"""Other right answers to "A token that stands for the whole"."""

import torch
from torch.nn import functional as F


def joined_in_place(embedded, class_token, positions):
    batch, patch, d_model = embedded.shape
    tokens = torch.empty(batch, patch + 1, d_model)
    tokens[:, 0], tokens[:, 1:] = class_token, embedded
    tokens += positions
    return tokens


def joined_in_two_parts(embedded, class_token, positions):
    first = (class_token + positions[0]).repeat(len(embedded), 1, 1)
    return torch.cat([first, embedded + positions[1:]], dim=1)


def joined_by_padding(embedded, class_token, positions):
    rest = F.pad(positions[1:], (0, 0, 1, 0))
    rest[0] = class_token + positions[0]
    return F.pad(embedded, (0, 0, 1, 0)) + rest


ALTERNATIVES = (joined_in_place, joined_in_two_parts, joined_by_padding)
