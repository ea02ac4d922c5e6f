"""Other right answers to "How far does it see?"."""


def receptive_field_from_the_end(layers):
    sees = 1
    for kernel, stride, dilation in layers.flip(0).tolist():
        sees = (sees - 1) * stride + dilation * (kernel - 1) + 1
    return sees


def receptive_field_in_one_sum(layers):
    kernel, stride, dilation = layers.T
    before = stride.cumprod(0) // stride
    return int(1 + (dilation * (kernel - 1) * before).sum())


def receptive_field_by_sets(layers):
    """The pixels that the first place of the last layer sees, one by one."""
    seen = {0}
    for kernel, stride, dilation in layers.flip(0).tolist():
        seen = {place * stride + dilation * n for place in seen for n in range(kernel)}
    return max(seen) - min(seen) + 1


ALTERNATIVES = (
    receptive_field_from_the_end,
    receptive_field_in_one_sum,
    receptive_field_by_sets,
)
