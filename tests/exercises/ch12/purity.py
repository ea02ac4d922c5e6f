"""Other right answers to "What does an expert stand for?"."""

from collections import Counter

import torch


def purity_by_bincount(expert, topic):
    right = 0
    for number in expert.unique():
        right += topic[expert == number].bincount().max()
    return right / len(topic)


def purity_with_counters(expert, topic):
    of_expert = {}
    for e, z in zip(expert.tolist(), topic.tolist(), strict=True):
        of_expert.setdefault(e, Counter())[z] += 1
    return sum(max(c.values()) for c in of_expert.values()) / len(topic)


def purity_by_the_mode(expert, topic):
    commonest = torch.zeros_like(topic)
    for number in set(expert.tolist()):
        mine = expert == number
        commonest[mine] = topic[mine].mode().values
    return (commonest == topic).float().mean().item()


ALTERNATIVES = (purity_by_bincount, purity_with_counters, purity_by_the_mode)
