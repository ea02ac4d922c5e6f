"""Right answers to chapter 7's exercises, written in other ways than the reference."""

import heapq
import math

import torch
from torch import nn
from torch.nn import functional as F


def norm_by_hand(x, weight, bias, eps):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return weight * (x - mean) / torch.sqrt(variance + eps) + bias


def norm_var(x, weight, bias, eps):
    variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + eps) * weight + bias


def norm_of_squares(x, weight, bias, eps):
    mean = x.mean(-1)[..., None]
    variance = x.square().mean(-1)[..., None] - mean.square()
    return (x - mean) / (variance + eps) ** 0.5 * weight + bias


def norm_module(x, weight, bias, eps):
    layer = nn.LayerNorm(x.shape[-1], eps=eps)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer(x)


def fed_by_hand(x, W_1, b_1, W_2, b_2):
    hidden = (x @ W_1.T + b_1).clamp(min=0)
    return hidden @ W_2.T + b_2


def fed_token_by_token(x, W_1, b_1, W_2, b_2):
    rows = x.reshape(-1, x.shape[-1])
    out = [W_2 @ torch.maximum(W_1 @ r + b_1, torch.tensor(0.0)) + b_2 for r in rows]
    return torch.stack(out).reshape(x.shape)


def fed_unit_by_unit(x, W_1, b_1, W_2, b_2):
    out = b_2.expand_as(x).clone()
    for key, threshold, value in zip(W_1, b_1, W_2.T, strict=True):
        out += torch.relu(x @ key + threshold)[..., None] * value
    return out


def wired_by_hand(x, W, weight, bias):
    def norm(x):
        return norm_by_hand(x, weight, bias, 1e-5)

    said, said_of_normed = torch.tanh(x @ W.T), torch.tanh(norm(x) @ W.T)
    return norm(said + x), said_of_normed + x


def wired_in_modules(x, W, weight, bias):
    d_model = len(weight)
    sublayer = nn.Sequential(nn.Linear(d_model, d_model, bias=False), nn.Tanh())
    norm = nn.LayerNorm(d_model)
    sublayer[0].weight.data = W
    norm.weight.data, norm.bias.data = weight, bias
    return [norm(x + sublayer(x)), x + sublayer(norm(x))]


def loss_in_two_parts(logits, target, smoothing):
    log_p = logits.log_softmax(dim=-1)
    true = log_p.gather(-1, target[..., None]).squeeze(-1)
    losses = -(1 - smoothing) * true - smoothing * log_p.mean(dim=-1)
    return losses[target != 0].mean()


def loss_of_a_distribution(logits, target, smoothing):
    vocab, real = logits.shape[-1], target.ne(0)
    wanted = F.one_hot(target[real], vocab) * (1 - smoothing) + smoothing / vocab
    return F.cross_entropy(logits[real], wanted).item()


def loss_vocab_second(logits, target, smoothing):
    criterion = nn.CrossEntropyLoss(ignore_index=0, label_smoothing=smoothing)
    return criterion(logits.transpose(1, 2), target)


def loss_place_by_place(logits, target, smoothing):
    total, count = 0.0, 0
    for row, places in zip(target.tolist(), logits, strict=True):
        for token, z in zip(row, places, strict=True):
            if token != 0:
                log_p = z - z.logsumexp(0)
                true, spread = log_p[token].item(), log_p.mean().item()
                total -= (1 - smoothing) * true + smoothing * spread
                count += 1
    return total / count


def rate_in_two_arms(step, d_model, warmup):
    peak = 1 / math.sqrt(d_model * warmup)
    if step < warmup:
        return peak * step / warmup
    return peak * math.sqrt(warmup / step)


def rate_in_tensors(step, d_model, warmup):
    step = torch.tensor(float(step))
    arms = torch.stack([step.rsqrt(), step / warmup**1.5])
    return arms.min() / d_model**0.5


def nucleus_in_place(probabilities, p):
    ranked, order = probabilities.sort(-1, descending=True)
    drop = ranked.cumsum(-1) >= p
    drop[:, 1:], drop[:, 0] = drop[:, :-1].clone(), False
    probabilities[drop.scatter(1, order, drop)] = 0
    return probabilities / probabilities.sum(-1, keepdim=True)


def nucleus_row_by_row(probabilities, p):
    out = torch.zeros_like(probabilities)
    for row, result in zip(probabilities, out, strict=True):
        ranked, order = torch.sort(row, descending=True)
        number = int(torch.searchsorted(ranked.cumsum(0), p)) + 1
        result[order[:number]] = ranked[:number] / ranked[:number].sum()
    return out


def nucleus_unsorted_again(probabilities, p):
    ranked, order = probabilities.double().sort(dim=1, descending=True)
    ranked[ranked.cumsum(1) - ranked >= p] = 0
    kept = ranked.gather(1, order.argsort(1))
    return F.normalize(kept, p=1, dim=1).float()


def nucleus_token_by_token(probabilities, p):
    rows = []
    for row in probabilities.tolist():
        mass, kept = 0.0, {}
        for token in sorted(range(len(row)), key=row.__getitem__, reverse=True):
            if mass < p:
                kept[token] = row[token]
                mass += row[token]
        rows.append([kept.get(token, 0.0) / mass for token in range(len(row))])
    return torch.tensor(rows)


def beam_divmod(log_p, scores):
    totals = (log_p + scores.unsqueeze(1)).view(-1)
    best, places = torch.topk(totals, len(scores))
    parents = torch.div(places, log_p.size(1), rounding_mode="floor")
    return best, parents, places - parents * log_p.size(1)


def beam_all_pairs(log_p, scores):
    pairs = [
        (score + value, parent, token)
        for parent, score in enumerate(scores.tolist())
        for token, value in enumerate(log_p[parent].tolist())
    ]
    best, parents, tokens = zip(*heapq.nlargest(len(scores), pairs), strict=True)
    return torch.tensor(best), torch.tensor(parents), torch.tensor(tokens)


def beam_two_rounds(log_p, scores):
    """The best few of each hypothesis first, and the best of those."""
    few = min(log_p.shape)
    own, tokens = log_p.topk(few)
    best, places = (own + scores[:, None]).flatten().sort(descending=True)
    best, places = best[: len(scores)], places[: len(scores)]
    return [best, places // few, tokens.flatten()[places]]


def beam_unravelled(log_p, scores):
    totals = scores[:, None] + log_p
    places = totals.flatten().argsort(descending=True)[: len(scores)]
    parents, tokens = torch.unravel_index(places, totals.shape)
    return totals[parents, tokens], parents, tokens


def decoder_functional(x, memory, W_self, W_cross, W_1, W_2, heads):
    def norm(x):
        return F.layer_norm(x, [x.shape[-1]])

    def attend(told, to, W, causal):
        q, k, v = (
            F.linear(t, m).unflatten(-1, (heads, -1)).transpose(1, 2)
            for t, m in zip((told, to, to), W, strict=False)
        )
        heard = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return F.linear(heard.transpose(1, 2).flatten(-2), W[3])

    y = x + attend(norm(x), norm(x), W_self, True)
    y = y + attend(norm(y), memory, W_cross, False)
    return y + F.linear(F.relu(F.linear(norm(y), W_1)), W_2)


def decoder_torch(x, memory, W_self, W_cross, W_1, W_2, heads):
    layer = nn.TransformerDecoderLayer(
        x.shape[-1],
        heads,
        len(W_1),
        dropout=0.0,
        batch_first=True,
        norm_first=True,
        bias=False,
    )
    for part, W in ((layer.self_attn, W_self), (layer.multihead_attn, W_cross)):
        part.in_proj_weight.data = W[:3].flatten(0, 1)
        part.out_proj.weight.data = W[3]
    layer.linear1.weight.data, layer.linear2.weight.data = W_1, W_2
    hidden = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
    return layer(x, memory, tgt_mask=hidden, tgt_is_causal=True)


def decoder_mended(x, memory, W_self, W_cross, W_1, W_2, heads):
    d_head = x.shape[-1] // heads
    length = x.shape[1]
    future = torch.ones(length, length, dtype=torch.bool).triu(1)

    def attend(told, to, W, mask):
        parts = []
        for h in range(heads):
            own = slice(h * d_head, (h + 1) * d_head)
            q, k, v = told @ W[0, own].T, to @ W[1, own].T, to @ W[2, own].T
            scores = (q @ k.mT / math.sqrt(d_head)).masked_fill(mask, -math.inf)
            parts.append(scores.softmax(-1) @ v)
        return torch.cat(parts, dim=-1) @ W[3].T

    def norm(x):
        return norm_by_hand(x, 1.0, 0.0, 1e-5)

    x = x + attend(norm(x), norm(x), W_self, future)
    x = x + attend(norm(x), memory, W_cross, torch.tensor(False))
    return x + (norm(x) @ W_1.T).clamp(min=0) @ W_2.T


ALTERNATIVES = {
    "7.1": (fed_by_hand, fed_token_by_token, fed_unit_by_unit),
    "7.2": (norm_by_hand, norm_var, norm_of_squares, norm_module),
    "7.3": (wired_by_hand, wired_in_modules),
    "7.4": (
        loss_in_two_parts,
        loss_of_a_distribution,
        loss_vocab_second,
        loss_place_by_place,
    ),
    "7.5": (rate_in_two_arms, rate_in_tensors),
    "7.6": (beam_divmod, beam_all_pairs, beam_two_rounds, beam_unravelled),
    "7.7": (
        nucleus_in_place,
        nucleus_row_by_row,
        nucleus_unsorted_again,
        nucleus_token_by_token,
    ),
    "7.8": (decoder_functional, decoder_torch, decoder_mended),
}
