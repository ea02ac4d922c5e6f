"""Other right answers to "The longest piece first"."""


def match_from_the_end(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start:
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in vocabulary:
                break
            end -= 1
        else:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces


def match_recursively(word, vocabulary):
    def rest(left, mark):
        if not left:
            return []
        for end in range(len(left), 0, -1):
            if mark + left[:end] in vocabulary:
                following = rest(left[end:], "##")
                return None if following is None else [mark + left[:end], *following]
        return None

    return rest(word, "") or ["[UNK]"]


def match_of_the_longest(word, vocabulary):
    pieces, left = [], word
    while left:
        mark = "##" if pieces else ""
        fitting = [p for p in vocabulary if (mark + left).startswith(p) and len(p) > 0]
        fitting = [p for p in fitting if p != "##" and p.startswith("##") == bool(mark)]
        if not fitting:
            return ["[UNK]"]
        pieces.append(max(fitting, key=len))
        left = left[len(pieces[-1]) - len(mark) :]
    return pieces


ALTERNATIVES = (match_from_the_end, match_recursively, match_of_the_longest)
