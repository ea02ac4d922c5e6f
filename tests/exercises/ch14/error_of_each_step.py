"""Other right answers to "Something older: one number for all batches"."""

import torch


def error_by_sums(forecasts, futures):
    total, count = 0, 0
    for forecast, future in zip(forecasts, futures, strict=True):
        total = total + ((forecast - future) ** 2).sum(0)
        count += len(forecast)
    return total / count


def error_of_all(forecasts, futures):
    return (torch.cat(forecasts) - torch.cat(futures)).pow(2).mean(dim=0)


ALTERNATIVES = (error_by_sums, error_of_all)
