"""A translator, and two sentences: words patched from one run into the other."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv._checks import whole
from qkv.patching import patched as with_patches
from qkv.widgets.shared.base import module
from qkv.widgets.shared.encode import number
from qkv.widgets.shared.html import page
from qkv.widgets.shared.served import Served, reckoned_there
from qkv.widgets.shared.texts import texts

__all__ = ["PatchBoard"]

MOST_WORDS = 12
"""The most words of a sentence: as many stand side by side."""

RUNS = ("clean", "corrupted", "patched")
_DOORS = {"both": "keys and values", "keys": "keys", "values": "values"}
_BOS, _EOS = 1, 2
_DIGITS = 6  # of a logit


class PatchBoard(Served):
    r"""Patch words from one sentence's run into another's, and see what is written.

    A translator reads two sentences of as many words, the *clean* and the *corrupted*
    one. A reader checks words: in the corrupted run the decoder then finds the clean
    run's keys, its values or both in their places. Heads of the cross-attention can be
    silenced in that run, too. Beside what it writes stands what is *recovered*,

    .. math:: \frac{\Delta_{\text{patched}} - \Delta_{\text{corrupted}}}
                   {\Delta_{\text{clean}} - \Delta_{\text{corrupted}}}

    where :math:`\Delta` is the logit of the clean translation's token minus that of the
    corrupted one's, at the first place where the two differ. What is recorded is the
    state that it opens with; for any other the model runs in the browser, on weights
    that are loaded when asked for, as those of ``Translator``.

    Parameters
    ----------
    checkpoint : a ``qkv.transformer.Checkpoint``, as ``load`` returns it.
    clean, corrupted : two sentences of as many words, 12 at most.
    patched : numbers of the words that come from the clean run, from 0; if not given,
        the first one in which the sentences differ.
    through : which of the memory's two projections is exchanged, ``"both"``, ``"keys"``
        or ``"values"``, in every layer of the decoder.
    off : the (layer, head) of the heads that are silenced, from 0.
    name : what the checkpoint is called on the site.
    max_length : the most tokens to write, ``<eos>`` among them.

    Raises
    ------
    ValueError
        If a word is unknown, the sentences are not of as many words or of too many, a
        word or a head is none, ``max_length`` is below 1, or the model has shared keys
        or a window.

    Notes
    -----
    What it does is :func:`qkv.patching.patched`; Zhang and Nanda (2024) compare such
    measures. In JupyterLab the traits follow the reader, and can be set: ``view.pair``,
    ``view.patched``, ``view.through``, ``view.off``. Words, layers and heads count from
    1 in the picture, and from 0 in the traits.

    Examples
    --------
    >>> from qkv.transformer import load
    >>> pair = "the dog saw the cat", "the cat saw the dog"
    >>> view = PatchBoard(load("english_korean"), *pair)
    >>> view.text, round(view.recovered, 1)
    ('개는 개를 봤어', 1.0)
    >>> view.through = "keys"
    >>> view.text
    '고양이는 개를 봤어'
    """

    _esm = module("patch_board")
    _checkpoint: Any = None  # none where only its state is known
    pair = traitlets.List().tag(sync=True)
    patched = traitlets.List().tag(sync=True)
    through = traitlets.Enum(list(_DOORS), "both").tag(sync=True)
    off = traitlets.List().tag(sync=True)
    words = traitlets.List().tag(sync=True)
    heads = traitlets.List().tag(sync=True)
    joiner = traitlets.Unicode("").tag(sync=True)
    longest = traitlets.Int(MOST_WORDS).tag(sync=True)
    most = traitlets.Int(40).tag(sync=True)
    recorded = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        checkpoint: Any,
        clean: str,
        corrupted: str,
        *,
        patched: Iterable[int] | None = None,
        through: str = "both",
        off: Iterable[Sequence[int]] = (),
        name: str = "english_korean",
        max_length: int = 40,
    ):
        self._checkpoint = checkpoint
        config, targets = checkpoint.model.config, checkpoint.target_vocab.tokens
        reckoned_there(config)
        super().__init__(
            checkpoint,
            name,
            words=list(checkpoint.source_vocab.tokens[3:]),
            heads=[config.heads] * config.layers[1],
            joiner="" if " " in targets else " ",
            most=whole(1, max_length=max_length)["max_length"],
            pair=[clean, corrupted],
            patched=_first(clean, corrupted) if patched is None else list(patched),
            through=through,
            off=list(off),
        )

    @traitlets.validate("pair")
    def _two_sentences(self, proposal: Any) -> list[str]:
        given = proposal["value"]
        if len(given) != 2 or not all(isinstance(text, str) for text in given):
            raise ValueError(
                f"pair is {given!r}, but is to be two texts, the clean sentence and "
                "the corrupted one"
            )
        pair = [text.split() for text in given]
        for which, words in zip(RUNS, pair, strict=False):
            self._known(which, words)
        clean, corrupted = map(len, pair)
        if clean != corrupted:
            raise ValueError(
                f"the clean sentence has {clean} words and the corrupted one "
                f"{corrupted}; a word is patched by the one in its place, so give two "
                "of as many words"
            )
        return [" ".join(words) for words in pair]

    def _known(self, which: str, words: list[str]) -> None:
        """Refuse what the model can not read."""
        if not 1 <= len(words) <= MOST_WORDS:
            raise ValueError(
                f"the {which} sentence has {len(words)} words, but a PatchBoard shows "
                f"1 to {MOST_WORDS}"
            )
        if self._checkpoint is None:
            return
        try:
            self._checkpoint.source_vocab.encode(words)
        except ValueError as error:
            raise ValueError(f"in the {which} sentence: {error}") from None

    @traitlets.validate("patched")
    def _its_words(self, proposal: Any) -> list[int]:
        count = len(self.pair[0].split()) if self.pair else 0
        for place in proposal["value"]:
            if place not in range(count):
                raise ValueError(
                    f"patched names the word {place!r}, but the sentences have {count} "
                    f"words, from 0 to {count - 1}"
                )
        return sorted(set(proposal["value"]))

    @traitlets.validate("off")
    def _its_heads(self, proposal: Any) -> list[list[int]]:
        known = [(i, head) for i, n in enumerate(self.heads) for head in range(n)]
        given = [
            tuple(one) if isinstance(one, list | tuple) else one
            for one in proposal["value"]
        ]
        for one in given:
            if one not in known:
                raise ValueError(
                    f"off names {one}, but the decoder's heads are "
                    f"{', '.join(map(str, known))}: (layer, head)"
                )
        return [list(one) for one in known if one in given]

    @traitlets.observe("pair", "patched", "through", "off")
    def _record(self, _: Any) -> None:
        """Run the model anew, and say what it does now."""
        there = range(len(self.pair[0].split()))
        if kept := [place for place in self.patched if place not in there]:
            self.patched = [place for place in self.patched if place not in kept]
        names = "pair", "patched", "through", "off"
        asked = {name: getattr(self, name) for name in names}
        if self._checkpoint is None or self.recorded.get("asked") == asked:
            return
        self.recorded = {"asked": asked, **_run(self._checkpoint, asked, self.most)}
        self.alt = self._sentence()

    @property
    def text(self) -> str:
        """What the patched run writes."""
        return self._written("patched")

    @property
    def recovered(self) -> float | None:
        """The share of the way: 0 as the corrupted run, 1 as the clean one."""
        differences = [a - b for a, b in filter(None, self.recorded["logits"].values())]
        if not differences:
            return None
        clean, corrupted, patched = differences
        return (patched - corrupted) / (clean - corrupted)

    def _written(self, run: str) -> str:
        tokens = self.recorded["writes"][run]
        return self.joiner.join(token for token in tokens if token != "<eos>")

    def _sentence(self) -> str:
        corrupted = f"“{self.pair[1]}” (corrupted, “{self._written('corrupted')}”)"
        return (
            f"A translator reads {corrupted}, with {self._changed()}. It writes "
            f"“{self.text}”. {self._way()}"
        )

    def _changed(self) -> str:
        """Say what is patched, and what is silent."""
        clean, changed = self.pair[0], []
        if self.patched:
            places = [f"{i + 1} (“{clean.split()[i]}”)" for i in self.patched]
            changed.append(
                f"the {_DOORS[self.through]} of {_named('word', places)} from "
                f"“{clean}” (clean, “{self._written('clean')}”)"
            )
        if self.off:
            silent = [f"{head + 1} of layer {layer + 1}" for layer, head in self.off]
            changed.append(f"{_named('head', silent)} silent")
        return " and ".join(changed) or "nothing patched"

    def _way(self) -> str:
        if self.recovered is None:
            return "Both sentences have one translation: there is no way to measure."
        at, writes = self.recorded["at"], self.recorded["writes"]
        return (
            f"Token {at + 1} goes {_two(self.recovered)} of the way from "
            f"“{writes['corrupted'][at]}” (0) to “{writes['clean'][at]}” (1)."
        )

    def fallback(self) -> str:
        """Return the three runs as a table."""
        rows = [
            (run, self._written(run), _two(pair[0] - pair[1]) if pair else "")
            for run in RUNS
            for pair in [self.recorded["logits"][run]]
        ]
        heads = "run", "it writes", "difference of the two logits"
        return page(self.alt, texts(heads, rows))


def _first(clean: str, corrupted: str) -> list[int]:
    """Return the place of the first word in which two sentences differ."""
    pairs = zip(clean.split(), corrupted.split(), strict=False)
    return [i for i, (one, other) in enumerate(pairs) if one != other][:1]


def _two(x: float) -> str:
    return f"{x + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _named(what: str, names: Sequence[str]) -> str:
    """Return names in a row, after what they are.

    Examples
    --------
    >>> _named("word", ["1"]), _named("word", ["1", "2", "3"])
    ('word 1', 'words 1, 2 and 3')
    """
    if len(names) == 1:
        return f"{what} {names[0]}"
    return f"{what}s {', '.join(names[:-1])} and {names[-1]}"


def _run(checkpoint: Any, asked: dict[str, Any], most: int) -> dict[str, Any]:
    """Run the clean sentence, the corrupted one, and that one patched."""
    model, names = checkpoint.model, checkpoint.target_vocab.tokens
    clean, corrupted = (_read(checkpoint, text.split()) for text in asked["pair"])
    replace = _replaced(model.trace(*clean, torch.tensor([[_BOS]])), asked)
    runs = {
        "clean": partial(model.trace, *clean),
        "corrupted": partial(model.trace, *corrupted),
        "patched": partial(with_patches, model.trace, *corrupted, replace=replace),
    }
    written = {name: _write(run, most) for name, run in runs.items()}
    at, two = _apart(written["clean"], written["corrupted"])
    common = written["clean"][:at]
    return {
        "writes": {run: [names[i] for i in ids] for run, ids in written.items()},
        "at": at,
        "logits": {
            name: [number(x, _DIGITS) for x in _next(run, common)[two].tolist()]
            for name, run in runs.items()
        },
    }


def _read(checkpoint: Any, words: Sequence[str]) -> tuple[Tensor, Tensor]:
    ids = checkpoint.source_vocab.encode(words)
    return torch.tensor([ids]), torch.tensor([len(ids)])


def _replaced(clean: Any, asked: dict[str, Any]) -> dict[str, Callable]:
    """Return what stands in the corrupted run for what is asked, by its path."""
    replace: dict[str, Callable] = {}
    for i, layer in enumerate(clean.decoder):
        for part in ("keys", "values"):
            if asked["through"] in (part, "both") and asked["patched"]:
                there = getattr(layer.cross, part)
                exchange = partial(_exchanged, there, asked["patched"])
                replace[f"decoder.{i}.cross.{part}"] = exchange
        if heads := [head for at, head in asked["off"] if at == i]:
            silent = partial(_silenced, heads)
            replace[f"decoder.{i}.cross.attention.output"] = silent
    return replace


def _exchanged(clean: Tensor, places: Sequence[int], here: Tensor) -> Tensor:
    """Return the vectors of the clean run at these places, and else those here."""
    new = here.clone()
    new[:, :, places] = clean[:, :, places]
    return new


def _silenced(heads: Sequence[int], here: Tensor) -> Tensor:
    new = here.clone()
    new[:, heads] = 0
    return new


def _next(run: Callable, tokens: Sequence[int]) -> Tensor:
    """Return the logits of what comes after these tokens."""
    with torch.no_grad():
        return run(torch.tensor([[_BOS, *tokens]])).logits[0, -1]


def _write(run: Callable, most: int) -> list[int]:
    """Return the likeliest token at each step, to the end."""
    tokens: list[int] = []
    while len(tokens) < most and _EOS not in tokens:
        tokens.append(int(_next(run, tokens).argmax()))
    return tokens


def _apart(clean: list[int], corrupted: list[int]) -> tuple[int, list[int]]:
    """Return the first place where two differ, or −1, and the two tokens there."""
    for at, both in enumerate(zip(clean, corrupted, strict=False)):
        if len(set(both)) == 2:
            return at, list(both)
    return -1, []
