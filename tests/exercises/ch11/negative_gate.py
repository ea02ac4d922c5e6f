"""Other right answers to "A negative gate"."""

import math


def turned_with_an_if(gamma, W_o, b_o):
    if gamma >= 0:
        return gamma, W_o, b_o
    return -gamma, -W_o, -b_o


def turned_with_copysign(gamma, W_o, b_o):
    sign = math.copysign(1.0, gamma)
    return sign * gamma, sign * W_o, sign * b_o


ALTERNATIVES = (turned_with_an_if, turned_with_copysign)
