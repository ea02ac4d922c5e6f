"""What a convolution and the block cost, in products."""

from qkv.checking.exercise import Exercise, Mistake


def products(rows: int, columns: int, channels: int) -> tuple[int, int]:
    n = rows * columns
    return _convolution(n, channels), 4 * n * channels**2 + 2 * n**2 * channels


def _convolution(n: int, channels: int) -> int:
    return 9 * n * channels**2


def _of_block(block):
    """A wrong count of the block, with a right one of the convolution."""

    def counted(rows, columns, channels):
        n = rows * columns
        return _convolution(n, channels), block(n, channels)

    return counted


def _of_convolution(convolution):
    def counted(rows, columns, channels):
        n = rows * columns
        return convolution(n, channels), products(rows, columns, channels)[1]

    return counted


EXERCISE = Exercise(
    id="11.8",
    title="What it costs",
    minutes=6,
    difficulty=2,
    reference=products,
    results=("the convolution", "the block"),
    cases={
        "a grid of 7 × 7 with 48 channels": lambda: (7, 7, 48),
        "a grid of 32 × 32 with 64 channels": lambda: (32, 32, 64),
        "3 rows and 5 columns with 2 channels": lambda: (3, 5, 2),
        "one place": lambda: (1, 1, 7),
    },
    mistakes={
        "n for n²": Mistake(
            "the scores have been counted once a place: every place has a score for "
            "every place, n · n of them, with as many products each as there are "
            "channels",
            _of_block(lambda n, c: 4 * n * c**2 + 2 * n * c),
        ),
        "projections forgotten": Mistake(
            "only scores and reading are counted: the four 1 × 1 convolutions are "
            "missing, n · channels² each",
            _of_block(lambda n, c: 2 * n**2 * c),
        ),
        "W_o forgotten": Mistake(
            "there are four 1 × 1 convolutions: for queries, keys and values, and W_o "
            "for what was read",
            _of_block(lambda n, c: 3 * n * c**2 + 2 * n**2 * c),
        ),
        "reading forgotten": Mistake(
            "the n² · channels products of the scores are there, those of weights @ v "
            "are not: they are as many again",
            _of_block(lambda n, c: 4 * n * c**2 + n**2 * c),
        ),
        "scores of one product": Mistake(
            "a score has been counted as one product: it is a dot product of two "
            "vectors of as many numbers as there are channels",
            _of_block(lambda n, c: 4 * n * c**2 + n**2 + n**2 * c),
        ),
        "a side for n": Mistake(
            "n has been taken for the number of rows: it is the number of places, "
            "rows · columns",
            lambda rows, columns, channels: products(rows, 1, channels),
        ),
        "3 for 9": Mistake(
            "a 3 × 3 convolution reads 9 places, and not 3, for each number it makes",
            _of_convolution(lambda n, c: 3 * n * c**2),
        ),
        "one channel out": Mistake(
            "the convolution makes as many channels as it reads: channels² products "
            "for each of its 9 places",
            _of_convolution(lambda n, c: 9 * n * c),
        ),
        "parameters": Mistake(
            "these are the weights of the convolution: each is used once at every "
            "place, so multiply by their number",
            _of_convolution(lambda n, c: 9 * c**2),
        ),
        "exchanged": Mistake(
            "the convolution comes first, then the block",
            lambda *given: products(*given)[::-1],
        ),
    },
    hints=(
        "how many numbers does a layer make, and how many products are in each of "
        "them?",
        "a 1 × 1 convolution makes n · channels numbers of channels products each. The "
        "block has four of them.",
        "scores: n² numbers of channels products. Reading: n · channels numbers of n "
        "products.",
    ),
    trained=False,
)
