"""Other right answers to "Join a pair"."""


def merged_from_a_queue(word, pair):
    left, done = list(word), []
    while left:
        token = left.pop(0)
        if left and (token, left[0]) == pair:
            token += left.pop(0)
        done.append(token)
    return done


def merged_into_the_last(word, pair):
    done, joined = [], False
    for token in word:
        if done and not joined and (done[-1], token) == pair:
            done[-1] += token
            joined = True
        else:
            done.append(token)
            joined = False
    return tuple(done)


def merged_recursively(word, pair):
    if len(word) < 2:
        return word
    if word[:2] == pair:
        return ("".join(pair), *merged_recursively(word[2:], pair))
    return (word[0], *merged_recursively(word[1:], pair))


ALTERNATIVES = (merged_from_a_queue, merged_into_the_last, merged_recursively)
