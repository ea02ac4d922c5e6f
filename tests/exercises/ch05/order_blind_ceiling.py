"""Other right answers to "How far without knowing where?"."""

from collections import Counter


def ceiling_counter(sequences):
    shares = [max(Counter(row).values()) / len(row) for row in sequences.tolist()]
    return sum(shares) / len(shares)


def ceiling_compare(sequences):
    same = sequences[:, :, None] == sequences[:, None, :]
    return same.float().mean(-1).amax(-1).mean()


def ceiling_mode(sequences):
    commonest = sequences.mode(dim=1, keepdim=True).values
    return (sequences == commonest).float().mean().item()


ALTERNATIVES = (ceiling_counter, ceiling_compare, ceiling_mode)
