"""Other right answers to "Look up a batch of words"."""

import torch
from torch.nn import functional as F


def embed_one_hot(ids, table):
    return F.one_hot(ids, len(table)).float() @ table


def embed_word_by_word(ids, table):
    return torch.stack([torch.stack([table[i] for i in row]) for row in ids.tolist()])


def embed_functional(ids, table):
    return F.embedding(ids, table)


ALTERNATIVES = (embed_one_hot, embed_word_by_word, embed_functional)
