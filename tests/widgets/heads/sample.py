"""Heads made by hand, without a model: each copies what stands at one offset."""

import torch

OFFSETS = (-3, -1, 1, 3)
ANSWERS = ("3 back", "1 back", "1 ahead", "3 ahead")


def copying(length=16, symbols=10, seed=0):
    """Return the arguments of `Heads`: head h knows the symbol at its offset."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, symbols + 1, (length,), generator=generator)
    scores = torch.rand(len(OFFSETS), length, length, generator=generator)
    parts = torch.zeros(len(OFFSETS), length, len(OFFSETS), symbols + 1)
    truth = torch.zeros(length, len(OFFSETS), dtype=torch.long)
    base = torch.rand(length, len(OFFSETS), symbols + 1, generator=generator)
    for h, offset in enumerate(OFFSETS):
        for t in range(max(0, -offset), min(length, length - offset)):
            scores[h, t, t + offset] += 7.0
            parts[h, t, h, ids[t + offset]] = 6.0
            truth[t, h] = ids[t + offset]
    return {
        "weights": scores.softmax(-1),
        "tokens": ["abcdefghijklmnopqrstuvwxyz"[i - 1] for i in ids.tolist()],
        "parts": parts,
        "base": base,
        "answers": ANSWERS,
        "vocabulary": ["∅", *"abcdefghijklmnopqrstuvwxyz"[:symbols]],
        "truth": truth,
    }
