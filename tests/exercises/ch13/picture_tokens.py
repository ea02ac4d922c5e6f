"""Other right answers to "Bug hunt: the picture falls apart"."""

import torch


def tokens_mended(model, words, offset, T, u):
    ids, tokens = words, []
    for step in range(u.shape[1]):
        logits = model(ids)[:, -1, offset:]
        chances = (logits / T).softmax(-1)
        token = (chances.cumsum(-1) < u[:, step, None]).sum(-1)
        tokens.append(token)
        ids = torch.cat([ids, token[:, None] + offset], dim=1)
    return torch.stack(tokens, dim=1)


def tokens_cut_out_of_the_ids(model, words, offset, T, u):
    ids = words
    for numbers in u.unbind(1):
        logits = model(ids)[:, -1].clone()
        logits[:, :offset] = -torch.inf
        chances = (logits / T).softmax(-1).cumsum(-1)
        drawn = (chances < numbers[:, None]).sum(-1, keepdim=True)
        ids = torch.cat([ids, drawn], dim=1)
    return ids[:, words.shape[1] :] - offset


def tokens_picture_by_picture(model, words, offset, T, u):
    pictures = []
    for sentence, numbers in zip(words, u, strict=True):
        ids = sentence.tolist()
        for number in numbers:
            logits = model(torch.tensor([ids]))[0, -1, offset:].double()
            sums = torch.softmax(logits / T, 0).cumsum(0)
            ids.append(int(torch.searchsorted(sums, number.double())) + offset)
        pictures.append([id - offset for id in ids[len(sentence) :]])
    return torch.tensor(pictures)


ALTERNATIVES = (
    tokens_mended,
    tokens_cut_out_of_the_ids,
    tokens_picture_by_picture,
)
