"""Race the recurrent models against a hand-tuned minimal implementation.

usage: python -m benchmarks.recurrent [--rounds N]

The peer is what a careful reader could write in sixty lines for one model alone: no
trace, no choice of score, no checks. All candidates share one set of weights, and the
race begins by holding their results equal. Returns 1 where a limit is missed.
"""

import argparse
import sys

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.measure import race, table
from qkv.data import BOS, EOS, PAD
from qkv.decoding import greedy
from qkv.recurrent import AttentionSeq2Seq, Seq2Seq

VOCAB, BATCH, LENGTH = 13, 128, 20


class HandTuned(nn.Module):
    """Bahdanau's model with everything hoisted out of the loop that can be."""

    def __init__(self, model: AttentionSeq2Seq):
        super().__init__()
        d_embedding = model.embedding.embedding_dim
        encoder, cell = model.encoder, model.cell
        self.source, self.target = encoder.embedding, model.embedding
        self.gru = nn.GRU(d_embedding, encoder.cell.d_hidden, batch_first=True)
        for name, weight in encoder.cell.named_parameters():
            setattr(self.gru, f"{name}_l0", weight)
        self.W, self.U = model.score.W.weight, model.score.U.weight
        self.v, self.out = model.score.v.weight, model.output
        self.W_y = nn.Parameter(cell.weight_ih[:, :d_embedding].detach().clone())
        self.W_c = nn.Parameter(cell.weight_ih[:, d_embedding:].detach().clone())
        self.b, self.W_s, self.b_s = cell.bias_ih, cell.weight_hh, cell.bias_hh

    def read(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        states, _ = self.gru(self.source(source))
        s = states[torch.arange(len(source)), lengths - 1]
        visible = torch.arange(source.shape[1]) < lengths[:, None]
        bias = torch.zeros(visible.shape).masked_fill(~visible, -torch.inf)
        return s, states, F.linear(states, self.U), bias

    def look(self, s: Tensor, states: Tensor, keys: Tensor, bias: Tensor) -> Tensor:
        e = torch.tanh(F.linear(s, self.W)[:, None] + keys) @ self.v[0] + bias
        return torch.bmm(e.softmax(-1)[:, None], states)[:, 0]

    def advance(self, from_y: Tensor, c: Tensor, s: Tensor) -> Tensor:
        h = s.shape[1]
        from_x = torch.addmm(from_y, c, self.W_c.T)
        from_s = torch.addmm(self.b_s, s, self.W_s.T)
        r, z = torch.sigmoid(from_x[:, : 2 * h] + from_s[:, : 2 * h]).chunk(2, 1)
        n = torch.tanh(torch.addcmul(from_x[:, 2 * h :], r, from_s[:, 2 * h :]))
        return torch.lerp(n, s, z)

    def forward(self, source: Tensor, lengths: Tensor, target_in: Tensor) -> Tensor:
        s, states, keys, bias = self.read(source, lengths)
        read = []
        for from_y in F.linear(self.target(target_in), self.W_y, self.b).unbind(1):
            c = self.look(s, states, keys, bias)
            s = self.advance(from_y, c, s)
            read.append(torch.cat([s, c], 1))
        return self.out(torch.stack(read, 1))

    @torch.inference_mode()
    def write(self, source: Tensor, lengths: Tensor, max_length: int) -> Tensor:
        s, states, keys, bias = self.read(source, lengths)
        written = torch.full((len(source), max_length), PAD)
        y = torch.full((len(source),), BOS)
        ended = torch.zeros(len(source), dtype=torch.bool)
        from_every_y = F.linear(self.target.weight, self.W_y, self.b)
        for i in range(max_length):
            c = self.look(s, states, keys, bias)
            s = self.advance(from_every_y[y], c, s)
            y = self.out(torch.cat([s, c], 1)).argmax(1)
            written[:, i] = y.masked_fill(ended, PAD)
            ended |= y == EOS
            if ended.all():
                break
        return written[:, : i + 1]


class KeysEachStep(HandTuned):
    """The same, but every step projects the keys again, as many tutorials do."""

    def read(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        s, states, _, bias = super().read(source, lengths)
        return s, states, states, bias

    def look(self, s: Tensor, states: Tensor, keys: Tensor, bias: Tensor) -> Tensor:
        return super().look(s, states, F.linear(keys, self.U), bias)


class TorchModules(nn.Module):
    """The fixed vector on nn.GRU alone."""

    def __init__(self, model: Seq2Seq):
        super().__init__()
        self.source, self.target = model.encoder.embedding, model.embedding
        self.encoder = self._gru(model.encoder.cell)
        self.decoder, self.out = self._gru(model.cell), model.output

    @staticmethod
    def _gru(cell: nn.Module) -> nn.GRU:
        gru = nn.GRU(cell.d_in, cell.d_hidden, batch_first=True)
        for name, weight in cell.named_parameters():
            setattr(gru, f"{name}_l0", weight)
        return gru

    def forward(self, source: Tensor, lengths: Tensor, target_in: Tensor) -> Tensor:
        states, _ = self.encoder(self.source(source))
        c = states[torch.arange(len(source)), lengths - 1]
        every = c[:, None].expand(-1, target_in.shape[1], -1)
        y = torch.cat([self.target(target_in), every], -1)
        states, _ = self.decoder(y, c[None])
        return self.out(torch.cat([states, every], -1))


def batch(size: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(size)
    tokens = torch.randint(3, VOCAB, (size, LENGTH), generator=generator)
    lengths = torch.randint(1, LENGTH + 1, (size,), generator=generator)
    lengths[0] = LENGTH
    source = tokens * (torch.arange(LENGTH) < lengths[:, None])
    return source, lengths, F.pad(tokens, (1, 0), value=BOS)


def training_step(model: nn.Module, inputs: tuple[Tensor, Tensor, Tensor]):
    def step() -> None:
        logits = model(*inputs)
        loss = F.cross_entropy(logits.flatten(0, 1), inputs[2].flatten())
        for parameter in model.parameters():
            parameter.grad = None
        loss.backward()

    return step


def training_of_attention(model: AttentionSeq2Seq, rounds: int) -> bool:
    tuned, wasteful, inputs = HandTuned(model), KeysEachStep(model), batch(BATCH)
    for peer in (tuned, wasteful):
        torch.testing.assert_close(model(*inputs), peer(*inputs))
    candidates = {
        "qkv.recurrent.AttentionSeq2Seq": training_step(model, inputs),
        "keys projected at each step": training_step(wasteful, inputs),
        "hand-tuned": training_step(tuned, inputs),
    }
    title = f"Training step with additive attention, batch {BATCH}, {LENGTH} tokens"
    return table(title, race(candidates, rounds=rounds), limit=1.05)


def training_of_fixed_vector(model: Seq2Seq, rounds: int) -> bool:
    plain, inputs = TorchModules(model), batch(BATCH)
    torch.testing.assert_close(model(*inputs), plain(*inputs))
    candidates = {
        "qkv.recurrent.Seq2Seq": training_step(model, inputs),
        "nn.GRU": training_step(plain, inputs),
    }
    title = f"Training step with a fixed vector, batch {BATCH}, {LENGTH} tokens"
    return table(title, race(candidates, rounds=rounds), limit=1.05)


def decoding(model: AttentionSeq2Seq, size: int, rounds: int) -> bool:
    tuned, wasteful = HandTuned(model), KeysEachStep(model)
    source, lengths, _ = batch(size)
    candidates = {
        "qkv.decoding.greedy": lambda: greedy(
            model, source, lengths, max_length=LENGTH
        ),
        "keys projected at each step": lambda: wasteful.write(source, lengths, LENGTH),
        "hand-tuned": lambda: tuned.write(source, lengths, LENGTH),
    }
    ours, *others = (write() for write in candidates.values())
    assert all(torch.equal(ours, other) for other in others)
    title = f"Greedy decoding with additive attention, batch {size}, {LENGTH} tokens"
    return table(title, race(candidates, rounds=rounds, repeat=5), limit=1.2)


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args(arguments).rounds
    torch.manual_seed(0)
    fixed, looking = Seq2Seq(VOCAB, VOCAB), AttentionSeq2Seq(VOCAB, VOCAB)
    held = [
        training_of_attention(looking, rounds),
        training_of_fixed_vector(fixed, rounds),
    ]
    looking.output.bias.data[EOS] = -99.0  # every candidate writes to the last token
    held += [decoding(looking, size, rounds) for size in (1, 32)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
