"""How many tokens a perfectly balanced router drops."""

from math import comb, exp, lgamma, log

from qkv.checking.exercise import Exercise, Mistake


def expected_dropped(tokens: int, experts: int, places: int) -> float:
    over = _sum(lambda n: n - places, tokens, experts, places)
    return experts * over / tokens


def _chance(n, tokens, experts):
    """That one expert gets n of the tokens."""
    return comb(tokens, n) * (experts - 1) ** (tokens - n) / experts**tokens


def _sum(what, tokens, experts, places):
    above = range(places + 1, tokens + 1)
    return sum(what(n) * _chance(n, tokens, experts) for n in above)


def _of_the_mean(tokens, experts, places):
    return max(0.0, tokens / experts - places) * experts / tokens


def _without_ways(tokens, experts, places):
    p = 1 / experts
    each = (
        (n - places) * p**n * (1 - p) ** (tokens - n)
        for n in range(places + 1, tokens + 1)
    )
    return experts * sum(each) / tokens


def _poisson(tokens, experts, places):
    mean = tokens / experts
    each = (
        (n - places) * exp(n * log(mean) - mean - lgamma(n + 1))
        for n in range(places + 1, tokens + 1)
    )
    return experts * sum(each) / tokens


def _some(tokens, experts, places):
    return _sum(lambda n: 1, tokens, experts, places)


EXERCISE = Exercise(
    id="12.8",
    title="Dropped although balanced",
    minutes=10,
    difficulty=2,
    reference=expected_dropped,
    cases={
        "just enough places": lambda: (32, 4, 8),
        "a quarter more": lambda: (64, 4, 20),
        "too few": lambda: (23, 3, 5),
        "two experts": lambda: (7, 2, 3),
        "one token": lambda: (1, 3, 1),
        "one expert": lambda: (5, 1, 3),
    },
    mistakes={
        "of the mean": Mistake(
            "this is what is dropped at the mean load, and with enough places for "
            "equal loads that is nothing. Loads vary: take the mean of what is "
            "dropped, not what is dropped at the mean",
            _of_the_mean,
        ),
        "of one expert": Mistake(
            "this is what one expert drops; there are as many as N",
            lambda tokens, experts, places: (
                expected_dropped(tokens, experts, places) / experts
            ),
        ),
        "number": Mistake(
            "this is the number of dropped tokens; their share is wanted: divide by "
            "the number of tokens",
            lambda tokens, experts, places: (
                expected_dropped(tokens, experts, places) * tokens
            ),
        ),
        "a chance": Mistake(
            "this is the chance that an expert has too many tokens. How many too many "
            "counts as well: n − places",
            _some,
        ),
        "all of them": Mistake(
            "where an expert has too many tokens, all of its tokens have been counted "
            "as dropped. Those with a place are kept: n − places are dropped",
            lambda tokens, experts, places: (
                experts * _sum(lambda n: n, tokens, experts, places) / tokens
            ),
        ),
        "kept": Mistake(
            "this is the share that is kept: 1 less what is wanted",
            lambda *given: 1 - expected_dropped(*given),
        ),
        "without the ways": Mistake(
            "the number of ways to choose the n tokens is missing: math.comb(T, n)",
            _without_ways,
        ),
        "Poisson": Mistake(
            "this is the Poisson distribution, which the binomial one comes near to "
            "where there are many experts. Here it is not near enough",
            _poisson,
        ),
    },
    hints=(
        "look at one expert. With which chance has it exactly n of the T tokens, if "
        "each token chooses it with 1 / N?",
        "math.comb(T, n) · (1/N)**n · (1 − 1/N)**(T − n). If n is above its places, n "
        "− places tokens are dropped.",
        "sum up over n, multiply by the number of experts, divide by that of tokens.",
    ),
    trained=False,
)
