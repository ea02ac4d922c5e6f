"""Race the captioners against the same models, written by hand with PyTorch's modules.

usage: python -m benchmarks.captioning [--rounds N]

The convolutions are the same for all: what races is the decoder, and how it looks at
the grid. *By hand* is what a tutorial writes: `nn.GRUCell` and `torch.bmm` in a loop
over the words, keys projected once; for the Transformer, `nn.TransformerDecoder`, which
keeps nothing from word to word. All candidates of a race share their weights and give
the same numbers. Returns 1 where a limit is missed.
"""

import argparse
import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.measure import race, table
from qkv.data import BOS, EOS
from qkv.decoding import greedy
from qkv.vision import Captioner, GridEncoder, TransformerCaptioner

VOCAB, BATCH, WORDS = 15, 32, 15  # five objects in English
TRAINING, WRITING, TRANSFORMER = 1.05, 1.4, 1.05
Calls = dict[str, Callable[[], object]]


class ByHand(nn.Module):
    """The least code: a cell of PyTorch's, and the three steps of attention."""

    def __init__(self, model: Captioner):
        super().__init__()
        self.see, self.words, self.score = model.encoder, model.embedding, model.score
        sizes = model.cell.d_in, model.cell.d_hidden
        self.cell, self.out = nn.GRUCell(*sizes), model.output
        for name, weight in model.cell.named_parameters():
            setattr(self.cell, name, weight)

    def say(self, y: Tensor, s: Tensor, h: Tensor, keys: Tensor) -> tuple[Tensor, ...]:
        e = self.score.v(torch.tanh(self.score.W(s)[:, None] + keys))
        c = torch.bmm(e.softmax(1).mT, h)[:, 0]
        s = self.cell(torch.cat([y, c], 1), s)
        return self.out(torch.cat([s, c], 1)), s

    def forward(self, pixels: Tensor, target_in: Tensor) -> Tensor:
        h, s = self.see(pixels)
        keys, logits = self.score.U(h), []
        for y in self.words(target_in).unbind(1):
            said, s = self.say(y, s, h, keys)
            logits.append(said)
        return torch.stack(logits, 1)

    @torch.inference_mode()
    def write(self, pixels: Tensor) -> Tensor:
        h, s = self.see(pixels)
        keys, written = self.score.U(h), []
        y = torch.full((len(pixels),), BOS)
        for _ in range(WORDS):
            said, s = self.say(self.words(y), s, h, keys)
            y = said.argmax(1)
            written.append(y)
        return torch.stack(written, 1)


class TransformerByHand(nn.Module):
    """`nn.TransformerDecoder` on the grid; to write is to read all anew each time."""

    def __init__(self, model: TransformerCaptioner):
        super().__init__()
        d_model, heads = model.encoder.d_hidden, model.heads
        layer = nn.TransformerDecoderLayer(
            d_model, heads, 2 * d_model, dropout=0.0, batch_first=True, norm_first=True
        )
        layers = len(model.decoder.layers)
        self.decoder = nn.TransformerDecoder(layer, layers, nn.LayerNorm(d_model))
        self.decoder.load_state_dict(model.decoder.state_dict())
        self.model = model  # whose other parts are shared

    def forward(self, pixels: Tensor, target_in: Tensor) -> Tensor:
        model = self.model
        x = model.positions(model.embedding(target_in) * model.encoder.d_hidden**0.5)
        causal = nn.Transformer.generate_square_subsequent_mask(target_in.shape[1])
        memory = model.memory(pixels)
        decoded = self.decoder(x, memory, tgt_mask=causal, tgt_is_causal=True)
        return model.output(decoded)


def training_step(model: nn.Module, inputs: tuple[Tensor, Tensor]) -> Callable:
    def step() -> None:
        logits = model(*inputs)
        loss = F.cross_entropy(logits.flatten(0, 1), inputs[1].flatten())
        for parameter in model.parameters():
            parameter.grad = None
        loss.backward()

    return step


def batch(size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(size)
    pixels = torch.rand(size, 3, 28, 28, generator=generator)
    return pixels, torch.randint(3, VOCAB, (size, WORDS), generator=generator)


def training(model: Captioner, rounds: int) -> bool:
    hand, inputs = ByHand(model), batch(BATCH)
    torch.testing.assert_close(model(*inputs), hand(*inputs))
    calls: Calls = {
        "qkv.vision.Captioner": training_step(model, inputs),
        "nn.GRUCell and torch.bmm": training_step(hand, inputs),
    }
    title = f"Training step of a captioner, batch {BATCH}, {WORDS} words"
    return table(title, race(calls, rounds=rounds), limit=TRAINING)


def writing(model: Captioner, size: int, rounds: int) -> bool:
    hand, (pixels, _) = ByHand(model).eval(), batch(size)
    calls: Calls = {
        "qkv.decoding.greedy": lambda: greedy(model, pixels, max_length=WORDS),
        "nn.GRUCell and torch.bmm": lambda: hand.write(pixels),
    }
    ours, theirs = (call() for call in calls.values())
    assert torch.equal(ours, theirs)
    title = f"Greedy decoding, batch {size}, {WORDS} words"
    return table(title, race(calls, rounds=rounds, repeat=3), limit=WRITING)


def training_a_transformer(model: TransformerCaptioner, rounds: int) -> bool:
    hand, inputs = TransformerByHand(model), batch(BATCH)
    torch.testing.assert_close(model(*inputs), hand(*inputs))
    calls: Calls = {
        "qkv.vision.TransformerCaptioner": training_step(model, inputs),
        "nn.TransformerDecoder": training_step(hand, inputs),
    }
    title = f"Training step of a Transformer captioner, batch {BATCH}, {WORDS} words"
    return table(title, race(calls, rounds=rounds), limit=TRANSFORMER)


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args(arguments).rounds
    torch.manual_seed(0)
    model = Captioner(GridEncoder(), VOCAB)
    other = TransformerCaptioner(GridEncoder(), VOCAB)
    held = [training(model, rounds), training_a_transformer(other, rounds)]
    with torch.no_grad():
        model.output.bias[EOS] = -99.0  # every candidate writes to the last word
    model.eval()
    held += [writing(model, size, rounds) for size in (1, 32)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
