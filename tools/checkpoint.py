"""Train the book's models and write them into the package, for who skips the training.

usage: python tools/checkpoint.py [NAME ...] [--folder FOLDER]

Each checkpoint has a function here, of its name, with the settings it is trained with:

english_korean   chapter 7: a Transformer translates, 800 steps, some 40 CPU seconds
digits           chapter 8: a Vision Transformer reads handwritten digits
find_the_digit   chapter 8: another finds a digit in clutter
caption_english  chapter 10: a captioner says what is in a picture, looking
caption_korean   chapter 10: another says it in Korean
look_up          chapter 11: a convolutional network looks up the twins' colours
painter          chapter 13: a language model draws what a sentence says, in either
                 language, in the tokens of a discrete VAE

Without a name all are trained, on one thread. A file is not written where the model,
rounded as it is kept, gets fewer of the held-out examples right than it must.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import pad

from qkv import transformer, vision
from qkv.data import (
    Captions,
    Digits,
    EnglishKorean,
    FindTheDigit,
    FindTheTwin,
    Images,
    Scenes,
    Vocabulary,
)
from qkv.decoding import exact_match, greedy
from qkv.training import FitSettings, History, accuracy, fit

FOLDER = Path(__file__).parents[1] / "src/qkv/checkpoints"


@dataclass(frozen=True)
class Trained:
    """A model, what training it has cost, how it is kept, and what it must reach.

    ``save`` writes a file; ``reached`` reads one, and returns the share of the held-out
    examples that it gets right, at least ``least`` of them.
    """

    model: nn.Module
    history: History
    save: Callable[[Path], None]
    reached: Callable[[Path], float]
    least: float


def english_korean(steps: int = 800, corpus: EnglishKorean | None = None) -> Trained:
    """Chapter 7: a Transformer of the default sizes."""
    corpus = corpus or EnglishKorean()
    vocabularies = corpus.source_vocab, corpus.target_vocab
    torch.manual_seed(0)
    config = transformer.TransformerConfig(
        n_source=len(corpus.source_vocab), n_target=len(corpus.target_vocab)
    )
    model = transformer.Transformer(config)
    history = fit(
        model,
        corpus.batches(batch_size=64, seed=0),
        steps=steps,
        settings=FitSettings(learning_rate=3e-3, decay_over=steps),
    )
    return Trained(
        model,
        history,
        lambda file: transformer.save(model, file, *vocabularies),
        lambda file: exact_match(transformer.load(file).model, corpus, corpus.held_out),
        least=0.98,
    )


def digits(steps: int = 2400) -> Trained:
    """Chapter 8: a Vision Transformer of the default sizes, for 8 × 8 pixels.

    It is shown the digits in three places each, since a reader's own may be anywhere.
    """
    task = Digits()
    torch.manual_seed(0)
    model = vision.VisionTransformer(vision.VisionConfig(dropout=0.1))
    history = fit(
        model,
        _in_three_places(task.batches(batch_size=64, seed=0)),
        steps=steps,
        settings=FitSettings(learning_rate=2e-3, decay_over=steps),
    )
    return _seeing(model, history, task.held_out, least=0.95)


def _in_three_places(batches: Iterator[Images]) -> Iterator[Images]:
    """Move every image by a pixel to the left, or to the right, or not at all."""
    generator = torch.Generator().manual_seed(0)
    for batch in batches:
        wide = pad(batch.pixels, (1, 1)).unfold(-1, batch.pixels.shape[-1], 1)
        by = torch.randint(3, (len(batch),), generator=generator)
        moved = wide[torch.arange(len(batch)), ..., by, :]
        yield Images(moved, batch.labels)


def find_the_digit(steps: int = 2400) -> Trained:
    """Chapter 8: a Vision Transformer for 24 × 24 pixels in patches of 4 × 4."""
    task = FindTheDigit()
    torch.manual_seed(0)
    size = (task.size, task.size)
    config = vision.VisionConfig(image=size, patch=4, dropout=0.1)
    model = vision.VisionTransformer(config)
    history = fit(
        model,
        task.batches(batch_size=64, seed=0),
        steps=steps,
        settings=FitSettings(learning_rate=2e-3, decay_over=steps),
    )
    asked = task.sample(1000, seed=0, held_out=True)
    return _seeing(model, history, asked, least=0.88)


def _seeing(
    model: vision.VisionTransformer, history: History, asked: Images, *, least: float
) -> Trained:
    """Return a Vision Transformer that is judged by what it says of images."""
    return Trained(
        model,
        history,
        lambda file: vision.save(model, file),
        lambda file: accuracy(vision.load(file), asked),
        least=least,
    )


def caption_english(steps: int = 2000) -> Trained:
    """Chapter 10: a captioner of the default sizes, trained on one to five objects."""
    return _captioning(Scenes("english"), steps)


def caption_korean(steps: int = 2000) -> Trained:
    """Chapter 10: the same network, the same pictures, and other words."""
    return _captioning(Scenes("korean"), steps)


def _captioning(world: Scenes, steps: int) -> Trained:
    """Train a captioner longer than the chapter does: a reader's picture may be any.

    It is judged by pictures of six objects, which it was never shown. With the seed 2
    its words look at what they name; with 0 the captions are as good, and half of the
    English words look at a cell beside it, which knows as much.
    """
    torch.manual_seed(2)
    model = vision.Captioner(vision.GridEncoder(), len(world.vocabulary))
    history = fit(
        model,
        world.batches(batch_size=32, seed=2),
        steps=steps,
        settings=FitSettings(learning_rate=1e-2, decay_over=steps),
    )
    asked = Scenes(world.language, fewest=6, most=6).sample(500, seed=1)
    return Trained(
        model,
        history,
        lambda file: vision.save(model, file),
        lambda file: right_captions(vision.load_captioner(file), asked),
        least=0.95,
    )


def right_captions(model: vision.Captioner, asked: Captions) -> float:
    """Return the share of pictures that are said without a single mistake."""
    longest = asked.target.shape[1]
    written = greedy(model, asked.pixels, max_length=longest)
    padded = pad(written, (0, longest - written.shape[1]))
    return (padded == asked.target).all(1).float().mean().item()


def look_up(steps: int = 1200) -> Trained:
    """Chapter 11: a trunk that names digits, then a block that finds their twins."""
    task = FindTheTwin()
    torch.manual_seed(0)
    model = vision.LookUpNetwork()
    width = model.config.widths[-1]
    names = vision.CellHead(width, classes=(1 + len(task.colours)) * task.kinds)
    settings = FitSettings(learning_rate=5e-3, decay_over=steps, warmup=steps // 6)
    named = fit(
        nn.Sequential(model.trunk, names),
        (twins.naming() for twins in task.batches(batch_size=32, seed=0)),
        steps=steps,
        settings=settings,
    )
    model.eval()
    twins = task.sample(8 * steps, seed=1)
    with torch.no_grad():
        grids = twins.on(model.trunk(twins.pixels))
    history = fit(
        nn.Sequential(model.block, model.head),
        grids.batches(batch_size=64, seed=0),
        steps=steps,
        settings=settings,
    )
    history.cpu_seconds += named.cpu_seconds
    asked = task.sample(1000, seed=2, held_out=True)
    return Trained(
        model,
        history,
        lambda file: vision.save(model, file),
        lambda file: accuracy(vision.load_look_up(file), asked),
        least=0.88,
    )


def painter(steps: int = 3000) -> Trained:
    """Chapter 13: one model for both languages, trained longer than the chapter does.

    The picture tokens are learnt in a third of the steps.
    """
    worlds = painted("english"), painted("korean")
    torch.manual_seed(0)
    tokenizer, learnt = _tokenizer(worlds[0], max(1, steps // 3))
    words = [word for world in worlds for word in world.vocabulary.tokens[3:]]
    both = vision.JointVocabulary(Vocabulary(words), text=15)
    config = transformer.TransformerConfig(
        1, len(both), layers=(1, 3), positions="learned", max_length=both.places
    )
    model = transformer.LanguageModel(config)
    sentences = _pictured(worlds, tokenizer, both, count=4 * steps)
    history = fit(
        model,
        sentences.batches(batch_size=32, seed=0),
        steps=steps,
        settings=_falling(3e-3, steps),
    )
    history.cpu_seconds += learnt.cpu_seconds
    made = vision.Painter(model, tokenizer, both)
    return Trained(
        made,
        history,
        lambda file: vision.save(made, file),
        lambda file: min(
            right_pictures(vision.load_painter(file), world) for world in worlds
        ),
        least=0.95,
    )


def _tokenizer(world: Scenes, steps: int) -> tuple[vision.DiscreteVAE, History]:
    """Learn picture tokens."""
    tokenizer = vision.DiscreteVAE()
    batches = vision.annealed(
        world.batches(batch_size=32, seed=0), tokenizer.config, steps=steps, seed=0
    )
    return tokenizer, fit(
        tokenizer, batches, steps=steps, settings=_falling(6e-3, max(2, steps))
    )


def _pictured(
    worlds: Iterable[Scenes],
    tokenizer: vision.DiscreteVAE,
    both: vision.JointVocabulary,
    *,
    count: int,
) -> vision.PictureSentences:
    """Return sentences of each language with the tokens of their pictures."""
    asked = [(world, world.sample(count, seed=1)) for world in worlds]
    prompts = torch.cat([both.begin(said(*known)) for known in asked])
    # the same pictures in both languages
    tokens = tokenizer.tokens(asked[0][1].pixels).repeat(len(asked), 1, 1)
    return vision.PictureSentences(prompts, tokens, both)


def painted(language: str) -> Scenes:
    """Return chapter 13's world."""
    return Scenes(language, slots=2, jitter=0, sizes=(1.0,), most=4, left_out=0.2)


def said(world: Scenes, asked: Captions) -> list[tuple[str, ...]]:
    """Return the words of captions."""
    return [world.vocabulary.decode(row) for row in asked.target]


def right_pictures(
    made: vision.Painter, world: Scenes, *, temperature: float = 0.5, count: int = 500
) -> float:
    """Return the share of fresh sentences whose pictures show what they say."""
    sentences = said(world, world.sample(count, seed=2))
    sizes = count, made.vocabulary.cells
    uniform = torch.rand(sizes, generator=torch.Generator().manual_seed(0))
    tokens = made.draw(sentences, uniform=uniform, temperature=temperature)
    seen = world.see(made.pictures(tokens).clamp(0, 1))
    agree = [
        world.agreement(scene, world.write(words)).right
        for scene, words in zip(seen, sentences, strict=True)
    ]
    return sum(agree) / count


def _falling(rate: float, steps: int) -> FitSettings:
    """Return a rate that rises for 50 steps, or as many as there are, and falls."""
    return FitSettings(rate, decay_over=steps, warmup=min(50, steps - 1))


CHECKPOINTS = {
    made.__name__: made
    for made in (
        english_korean,
        digits,
        find_the_digit,
        caption_english,
        caption_korean,
        look_up,
        painter,
    )
}


def keep(trained: Trained, file: Path) -> float:
    """Write the model if it is good enough, and return its share of right answers.

    What is measured is what the file holds, read back. It takes the place of the old
    one only when it is whole and good.
    """
    beside = file.with_name(f".{file.stem}.new{file.suffix}")
    try:
        trained.save(beside)
        reached = trained.reached(beside)
        if reached >= trained.least:
            beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return reached


def make(name: str, folder: Path) -> bool:
    """Train a checkpoint, keep it if it is good enough, and say what it has reached."""
    file = folder / f"{name}.safetensors"
    trained = CHECKPOINTS[name]()
    reached = keep(trained, file)
    said = f"{trained.history.cpu_seconds:.0f} CPU s, held-out right {reached:.3f}"
    if reached < trained.least:
        least = f"below {trained.least}"
        print(f"{name}: {said}, {least}: {file} is left as it was", file=sys.stderr)
        return False
    print(f"{name}: {said}: {file}, {file.stat().st_size / 1000:.0f} kB")
    return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = ", ".join(CHECKPOINTS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {known}")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in CHECKPOINTS]
    if unknown:
        parser.error(f"no checkpoint is called {', '.join(unknown)}; there are {known}")
    torch.set_num_threads(1)
    good = [make(name, asked.folder) for name in asked.names or CHECKPOINTS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
