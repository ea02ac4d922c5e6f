"""Other right answers to "Straight through"."""

import torch


class Replaced(torch.autograd.Function):
    """Forward e; backward to z as if nothing had happened."""

    @staticmethod
    def forward(context, z, e):
        return e.clone()

    @staticmethod
    def backward(context, slope):
        return slope, None


def straight_by_a_function(z, e):
    return Replaced.apply(z, e)


def straight_plus_zero(z, e):
    return e.detach() + z - z.detach()


def straight_in_double_precision(z, e):
    z = z.double()
    return z + (e.double() - z).detach()


def straight_without_grad(z, e):
    with torch.no_grad():
        difference = e - z
    return z + difference


def straight_vector_by_vector(z, e):
    pairs = zip(z.flatten(0, -2), e.flatten(0, -2), strict=True)
    return torch.stack([a + (b - a).detach() for a, b in pairs]).view(z.shape)


ALTERNATIVES = (
    straight_by_a_function,
    straight_plus_zero,
    straight_in_double_precision,
    straight_without_grad,
    straight_vector_by_vector,
)
