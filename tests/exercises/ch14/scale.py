"""Other right answers to "Scale by the past"."""

import torch
from sklearn.preprocessing import StandardScaler


def scaled_by_library(train, test):
    scaler = StandardScaler().fit(train.numpy())
    return tuple(
        torch.from_numpy(scaler.transform(x.numpy())).float() for x in (train, test)
    )


def scaled_column_by_column(train, test):
    columns = []
    for old, new in zip(train.T, test.T, strict=True):
        mean = old.sum() / len(old)
        std = ((old - mean) ** 2).mean().sqrt() or torch.tensor(1.0)
        columns.append(((old - mean) / std, (new - mean) / std))
    first, second = zip(*columns, strict=True)
    return torch.stack(first, 1), torch.stack(second, 1)


ALTERNATIVES = (scaled_by_library, scaled_column_by_column)
