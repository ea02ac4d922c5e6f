"""Other right answers to "Only what may be drawn"."""

import torch

from qkv.decoding import sampling_probabilities


def probabilities_by_the_package(logits, offset, T):
    return sampling_probabilities(logits[..., offset:], temperature=T)


def probabilities_with_the_words_hidden(logits, offset, T):
    hidden = logits.clone()
    hidden[..., :offset] = -torch.inf
    return (hidden / T).softmax(-1)[..., offset:]


def probabilities_divided_by_what_is_left(logits, offset, T):
    left = (logits.double() / T).log_softmax(-1)[..., offset:]
    return (left - left.logsumexp(-1, keepdim=True)).exp()


def probabilities_by_powers(logits, offset, T):
    left = logits[..., offset:]
    powers = ((left - left.amax(-1, keepdim=True)) / T).exp()
    return powers / powers.sum(-1, keepdim=True)


ALTERNATIVES = (
    probabilities_by_the_package,
    probabilities_with_the_words_hidden,
    probabilities_divided_by_what_is_left,
    probabilities_by_powers,
)
