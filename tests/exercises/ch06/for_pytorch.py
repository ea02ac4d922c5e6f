"""Other right answers to "One mask, two senses"."""

import torch


def pytorch_functions(may_attend):
    batch, key = may_attend.shape
    return torch.logical_not(may_attend), may_attend.view(batch, 1, 1, key)


def pytorch_compared(may_attend):
    kept = may_attend.unsqueeze(1).unsqueeze(2)
    return may_attend == torch.tensor(False), kept


ALTERNATIVES = (pytorch_functions, pytorch_compared)
