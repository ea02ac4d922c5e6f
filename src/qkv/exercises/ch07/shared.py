"""What several exercises of chapter 7 are made of."""


def normalised(x, weight, bias, eps, *, over=-1, correction=0):
    mean = x.mean(over, keepdim=True)
    variance = x.var(over, correction=correction, keepdim=True)
    return (x - mean) / (variance + eps).sqrt() * weight + bias
