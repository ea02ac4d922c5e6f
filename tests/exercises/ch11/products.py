"""Other right answers to "What it costs"."""


def products_layer_by_layer(rows, columns, channels):
    n = rows * columns
    convolution = n * channels * (3 * 3 * channels)
    q = k = v = out = n * channels * channels
    scores, reading = n * n * channels, n * channels * n
    return convolution, q + k + v + scores + reading + out


def products_taken_together(rows, columns, channels):
    numbers = rows * columns * channels
    return 9 * channels * numbers, (4 * channels + 2 * rows * columns) * numbers


ALTERNATIVES = (products_layer_by_layer, products_taken_together)
