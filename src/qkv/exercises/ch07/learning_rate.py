"""The learning rate with warm-up."""

from qkv.checking.exercise import Exercise, Mistake


def learning_rate(step: int, d_model: int, warmup: int) -> float:
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


def _peak(d_model, warmup):
    return (d_model * warmup) ** -0.5


EXERCISE = Exercise(
    id="7.5",
    title="Warm up, then slow down",
    minutes=5,
    difficulty=1,
    reference=learning_rate,
    cases={
        "a step of the warm-up": lambda: (3, 5, 11),
        "its last step": lambda: (7, 3, 7),
        "a step after it": lambda: (13, 7, 5),
        "the very first step": lambda: (1, 2, 3),
        "the last step of the paper": lambda: (100_000, 512, 4000),
    },
    tolerance=1e-6,
    mistakes={
        "max": Mistake(
            "the larger of the two is taken: the rate is highest at the first step, "
            "where it does most harm, and rises without end at last. It is min",
            lambda n, d, w: d**-0.5 * max(n**-0.5, n * w**-1.5),
        ),
        "no warm-up": Mistake(
            "the rate only falls: there is no warm-up, and the first steps are the "
            "largest",
            lambda n, d, w: d**-0.5 * n**-0.5,
        ),
        "no decay": Mistake(
            "the rate rises for ever: after the warm-up it must fall, as step^−0.5",
            lambda n, d, w: d**-0.5 * n * w**-1.5,
        ),
        "stays": Mistake(
            "after the warm-up the rate stays at its highest; it must fall, as "
            "step^−0.5",
            lambda n, d, w: _peak(d, w) * min(1.0, n / w),
        ),
        "straight down": Mistake(
            "after the warm-up the rate falls as 1 / step; it falls with the root",
            lambda n, d, w: _peak(d, w) * min(n / w, w / n),
        ),
        "exponent": Mistake(
            "the warm-up rises as step · warmup^−0.5; it is warmup^−1.5, and with "
            "it the two arms meet at step = warmup",
            lambda n, d, w: d**-0.5 * min(n**-0.5, n * w**-0.5),
        ),
        "rises to one": Mistake(
            "the warm-up rises to 1 (step / warmup) instead of to warmup^−0.5: the "
            "peak comes earlier and is higher, so that it hardly warms up",
            lambda n, d, w: d**-0.5 * min(n**-0.5, n / w),
        ),
        "no d_model": Mistake(
            "d_model is not used: wider models take smaller steps, by d_model^−0.5",
            lambda n, d, w: min(n**-0.5, n * w**-1.5),
        ),
        "√d_model": Mistake(
            "you multiply by √d_model; wider models take smaller steps, by "
            "d_model^−0.5",
            lambda n, d, w: d**0.5 * min(n**-0.5, n * w**-1.5),
        ),
        "divided by d_model": Mistake(
            "you divide by d_model; by its root, d_model^−0.5",
            lambda n, d, w: min(n**-0.5, n * w**-1.5) / d,
        ),
        "steps from 0": Mistake(
            "one has been added to the step, as if the first were step 0; here it is "
            "step 1",
            lambda n, d, w: learning_rate(n + 1, d, w),
        ),
    },
    hints=(
        "two arms, and the smaller one counts: step · warmup^−1.5 rises, step^−0.5 "
        "falls. Where are they equal?",
        "min(a, b) of two numbers, and all of it times d_model ** -0.5.",
    ),
)
