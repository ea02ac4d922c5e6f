"""Other right answers to "Warm up, then slow down"."""

import math

import torch


def rate_in_two_arms(step, d_model, warmup):
    peak = 1 / math.sqrt(d_model * warmup)
    if step < warmup:
        return peak * step / warmup
    return peak * math.sqrt(warmup / step)


def rate_in_tensors(step, d_model, warmup):
    step = torch.tensor(float(step))
    arms = torch.stack([step.rsqrt(), step / warmup**1.5])
    return arms.min() / d_model**0.5


ALTERNATIVES = (rate_in_two_arms, rate_in_tensors)
