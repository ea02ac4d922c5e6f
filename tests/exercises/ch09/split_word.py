"""Other right answers to "Bug hunt: valid pieces, but other ones"."""

from itertools import pairwise


def split_rule_by_rule(word, merges):
    tokens = list(word)
    for pair in merges:
        place = 0
        while place < len(tokens) - 1:
            if (tokens[place], tokens[place + 1]) == pair:
                tokens[place : place + 2] = [tokens[place] + tokens[place + 1]]
            place += 1
    return tokens


def split_earliest_everywhere(word, merges):
    tokens = list(word)
    while True:
        found = {*pairwise(tokens)} & {*merges}
        if not found:
            return tokens
        a, b = min(found, key=merges.index)
        done, n = [], 0
        while n < len(tokens):
            if tokens[n : n + 2] == [a, b]:
                done.append(a + b)
                n += 2
            else:
                done.append(tokens[n])
                n += 1
        tokens = done


def split_recursively(word, merges):
    def go_on(tokens):
        ranks = [
            (merges.index(pair), n)
            for n, pair in enumerate(pairwise(tokens))
            if pair in merges
        ]
        if not ranks:
            return tokens
        n = min(ranks)[1]
        return go_on([*tokens[:n], tokens[n] + tokens[n + 1], *tokens[n + 2 :]])

    return go_on([*word])


ALTERNATIVES = (split_rule_by_rule, split_earliest_everywhere, split_recursively)
