"""The parameters of multi-head attention."""

from qkv.checking.exercise import Exercise, Mistake


def count_parameters(d_model: int, heads: int, bias: bool) -> int:
    return 4 * (d_model * d_model + bias * d_model)


def _one_head_only(d_model, heads, bias):
    d_head = d_model // heads
    return 3 * (d_model * d_head + bias * d_head) + d_head * d_model + bias * d_model


def _heads_apart(d_model, heads, bias):
    d_head = d_model // heads
    return 4 * (heads * d_head * d_head + bias * d_model)


def _each_as_wide(d_model, heads, bias):
    projections = 3 * heads * (d_model + bias) * d_model
    return projections + heads * d_model * d_model + bias * d_model


EXERCISE = Exercise(
    id="4.4",
    title="Count the parameters",
    minutes=4,
    difficulty=1,
    reference=count_parameters,
    cases={
        "three heads with biases": lambda: (15, 3, True),
        "five heads without": lambda: (35, 5, False),
        "one head": lambda: (7, 1, True),
        "heads of one feature": lambda: (11, 11, False),
    },
    mistakes={
        "each as wide": Mistake(
            "this gives every head a width of d_model: the heads share it, so more "
            "heads cost nothing more",
            _each_as_wide,
        ),
        "times the heads": Mistake(
            "this counts four whole projections for every head: the heads share "
            "them, each has its d_head rows of W_q, W_k and W_v",
            lambda d_model, heads, bias: heads * count_parameters(d_model, heads, bias),
        ),
        "no W_o": Mistake(
            "this counts W_q, W_k and W_v; W_o, after the merge, is missing",
            lambda d_model, heads, bias: 3 * (d_model + bias) * d_model,
        ),
        "heads apart": Mistake(
            "this lets each head see only its own d_head features of x; a head's "
            "matrix reads all d_model of them and writes d_head",
            _heads_apart,
        ),
        "one head only": Mistake(
            "these are the parameters that belong to one head; all of them are wanted",
            _one_head_only,
        ),
        "biases forgotten": Mistake(
            "the biases are not counted: with bias, each of the four projections has "
            "one for each of its d_model outputs",
            lambda d_model, heads, bias: 4 * d_model * d_model,
        ),
        "biases always": Mistake(
            "biases are counted even where bias is False",
            lambda d_model, heads, bias: count_parameters(d_model, heads, True),
        ),
        "one number for a bias": Mistake(
            "each bias has been counted as one number; a projection has one for each "
            "of its d_model outputs",
            lambda d_model, heads, bias: 4 * (d_model * d_model + bias),
        ),
        "one bias for three": Mistake(
            "three projections in one matrix have a bias three times as long: one for "
            "each of their outputs",
            lambda d_model, heads, bias: 4 * d_model * d_model + 2 * bias * d_model,
        ),
        "no bias after the merge": Mistake(
            "W_o has a bias, too; this has three of the four",
            lambda d_model, heads, bias: 4 * d_model * d_model + 3 * bias * d_model,
        ),
    },
    hints=(
        "there are four projections: of queries, keys, values, and after the merge.",
        "all heads' matrices, stacked, are one: heads · d_head = d_model outputs, of "
        "d_model inputs each.",
        "a bias has as many numbers as the projection has outputs. Does the number of "
        "heads matter at all?",
    ),
)
