"""Other right answers to "Are the cuts in the right places?"."""


def f1_of_marks(true, found):
    def marks(pieces):
        return [
            n == len(piece) - 1 and piece is not pieces[-1]
            for piece in pieces
            for n in range(len(piece))
        ]

    both = one = other = 0
    for t, f in zip(true, found, strict=True):
        for a, b in zip(marks(list(t)), marks(list(f)), strict=True):
            both, one, other = both + (a and b), one + a, other + b
    return 2 * both / (one + other) if one + other else 0.0


def f1_of_precision_and_recall(true, found):
    def cuts(words):
        places = set()
        for n, pieces in enumerate(words):
            place = 0
            for piece in pieces[:-1]:
                place += len(piece)
                places.add((n, place))
        return places

    t, f = cuts(true), cuts(found)
    if not t & f:
        return 0.0
    precision, recall = len(t & f) / len(f), len(t & f) / len(t)
    return 2 * precision * recall / (precision + recall)


ALTERNATIVES = (f1_of_marks, f1_of_precision_and_recall)
