"""Other right answers to "Guidance"."""

import torch


def guided_by_going_on(told, untold, s):
    return torch.softmax(told + s * (told - untold), dim=-1)


def guided_by_logarithms(told, untold, s):
    told, untold = told.log_softmax(-1), untold.log_softmax(-1)
    return (
        ((1 + s) * told - s * untold)
        .exp()
        .div(((1 + s) * told - s * untold).exp().sum(-1, keepdim=True))
    )


def guided_by_probabilities(told, untold, s):
    p, p_0 = told.double().softmax(-1), untold.double().softmax(-1)
    powers = p * (p / p_0) ** s
    return powers / powers.sum(-1, keepdim=True)


def guided_picture_by_picture(told, untold, s):
    rows = [(1 + s) * a - s * b for a, b in zip(told, untold, strict=True)]
    return torch.stack([row.softmax(0) for row in rows])


ALTERNATIVES = (
    guided_by_going_on,
    guided_by_logarithms,
    guided_by_probabilities,
    guided_picture_by_picture,
)
