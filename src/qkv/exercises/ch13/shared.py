"""What several exercises of chapter 13 are made of."""

import torch
from torch import Tensor

from qkv.exercises import draw

PAD, BOS, EOS = 0, 1, 2


def sentences(lengths: tuple[int, ...], text: int, offset: int) -> Tensor:
    """One row for each sentence of so many words, with padding on the left."""
    words = torch.full((len(lengths), text), PAD)
    said = EOS + 1 + draw.ids(len(lengths), text, high=offset - EOS - 1)
    for row, length in enumerate(lengths):
        sentence = torch.tensor([BOS, *said[row, :length].tolist(), EOS])
        words[row, text - len(sentence) :] = sentence
    return words
