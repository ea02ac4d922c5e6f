"""Other right answers to "Normalise each window, and undo it"."""

import torch


def forecast_one_by_one(past, W, b):
    forecasts = []
    for window in past:
        mean = window.mean()
        std = ((window - mean).square().mean() + 1e-5) ** 0.5
        forecasts.append(std * ((window - mean) / std @ W + b) + mean)
    return torch.stack(forecasts)


def forecast_by_layer_norm(past, W, b):
    normal = torch.nn.functional.layer_norm(past, past.shape[-1:], eps=1e-5)
    variance, mean = torch.var_mean(past, -1, correction=0)
    std = torch.sqrt(variance + 1e-5)[:, None]
    return (normal @ W + b).mul(std).add(mean[:, None])


ALTERNATIVES = (forecast_one_by_one, forecast_by_layer_norm)
