"""A trained Transformer that translates in the browser, one token after another."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import torch
import traitlets

from qkv.decoding import BeamTree, beam_tree, greedy
from qkv.widgets.shared.base import module
from qkv.widgets.shared.encode import listed, number, visible
from qkv.widgets.shared.html import page, table
from qkv.widgets.shared.served import Served, mean_of_heads, reckoned_there

__all__ = ["Translator"]

_CANDIDATES = 6
_FATES = ("dropped", "kept", "ended")
_BOS, _END = 1, "<eos>"


class Translator(Served):
    r"""A Transformer translates: candidates, attention, cache, and a beam as a tree.

    What is recorded of ``inputs`` can be stepped through anywhere. A reader can also
    type a sentence: the model then runs in the browser, on weights that are loaded when
    asked for, from the kernel, or on the site from the file
    ``_static/checkpoints/NAME.js``. They are not stored in the notebook. What the model
    can't read is told, and a row of words that is no sentence is translated with a word
    of warning, if it is known what sentences are.

    Parameters
    ----------
    checkpoint : a ``qkv.transformer.Checkpoint``, as ``load`` returns it: its weights
        are then those that the browser is given, to the last bit.
    inputs : sentences to record, their words with blanks between them.
    name : what the checkpoint is called on the site.
    width, length_penalty : of the beam search, as for :func:`qkv.decoding.beam`.
    max_length : the most tokens to write, ``<eos>`` among them.
    learnt : examples of the language, with the fields of their words: what no sentence
        of theirs begins, goes on or ends with is said to be none.

    Raises
    ------
    ValueError
        If there is no input, a word is unknown, also of what it learnt, the beam
        search refuses its settings, or the model has shared keys or a window.

    Notes
    -----
    A score is :math:`\log p(y \mid x) / lp(y)`, Wu et al. (2016), equation 14. The
    cross-attention is that of the decoder's layer ``layer`` and of its head ``head``,
    both from 0; a head of -1 is the mean of all.

    Examples
    --------
    >>> from qkv.data import Vocabulary
    >>> from qkv.transformer import Checkpoint, Transformer, TransformerConfig
    >>> model = Transformer(TransformerConfig(n_source=5, n_target=4))
    >>> model.output.bias.data[2] = 9.0
    >>> small = Checkpoint(model, Vocabulary(["I", "go"]), Vocabulary(["가"]))
    >>> Translator(small, ["I go"]).recordings[0]["steps"][0]["token"]
    '<eos>'
    """

    _esm = module("translator")
    recordings = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    mode = traitlets.Enum(["greedy", "beam"], "greedy").tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(-1).tag(sync=True)
    words = traitlets.List().tag(sync=True)
    joiner = traitlets.Unicode("").tag(sync=True)
    most = traitlets.Int(40).tag(sync=True)
    learnt = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        checkpoint: Any,
        inputs: Sequence[str],
        *,
        name: str = "english_korean",
        width: int = 4,
        length_penalty: float = 0.6,
        max_length: int = 40,
        learnt: Iterable[Any] = (),
    ):
        if isinstance(inputs, str) or not len(inputs):
            raise ValueError(
                f"inputs is a list of at least one sentence to record, not {inputs!r}"
            )
        reckoned_there(checkpoint.model.config)
        settings = {
            "max_length": max_length,
            "width": width,
            "length_penalty": length_penalty,
        }
        runs = [_record(checkpoint, text, **settings) for text in inputs]
        joiner = "" if " " in checkpoint.target_vocab.tokens else " "
        super().__init__(
            checkpoint,
            name,
            recordings=runs,
            layer=len(runs[0]["steps"][0]["cross"]) - 1,
            words=list(checkpoint.source_vocab.tokens[3:]),
            joiner=joiner,
            most=max_length,
            learnt=_language(learnt, checkpoint.source_vocab.tokens[3:]),
            alt=_sentence(runs, joiner),
        )

    def fallback(self) -> str:
        """Return the sentences as tables: probabilities, and what is looked at."""
        return page(self.alt, *map(_tables, self.recordings))


_START, _STOP = (-1, ""), (-1, "end")


def _language(examples: Iterable[Any], words: Sequence[str]) -> dict[str, Any]:
    """Return which words follow which in a part of a sentence, and where it may end.

    A state is a word in its part: subject, verb, object, time. ``states`` are its
    word's number and which of the sets of ``next`` follow it; the first state is the
    start, and -1 in a set an end.
    """
    numbers = {word: i for i, word in enumerate(words)}
    examples = list(examples)
    if lost := sorted({w for e in examples for w in e.source} - set(numbers)):
        raise ValueError(
            f"learnt has words that the model does not know: {lost[:5]}; give examples "
            "of the language that it was trained on"
        )
    follow: dict[tuple[int, str], set] = defaultdict(set)
    for example in examples:
        parts = _parts(example.source_fields)
        row = [(numbers[w], p) for w, p in zip(example.source, parts, strict=True)]
        for state, after in zip([_START, *row], [*row, _STOP], strict=True):
            follow[state].add(after)
    states = sorted(follow)  # the start comes first
    at = {state: i for i, state in enumerate(states)} | {_STOP: -1}
    sets = [tuple(sorted(at[after] for after in follow[state])) for state in states]
    kept = list(dict.fromkeys(sets))
    rows = zip(states, sets, strict=True)
    return {
        "states": [[word, kept.index(found)] for (word, _), found in rows],
        "next": [list(found) for found in kept],
    }


def _parts(fields: Iterable[str]) -> list[str]:
    """Return of each word whether it is of the subject, the verb, …; "the" as its noun.

    Examples
    --------
    >>> _parts(["", "subject", "verb", "object number", "object"])
    ['subject', 'subject', 'verb', 'object', 'object']
    """
    now, found = "", []
    for field in reversed(list(fields)):
        now = field.partition(" ")[0] or now
        found.append(now)
    return found[::-1]


def _record(
    checkpoint: Any, text: str, *, max_length: int, width: int, length_penalty: float
) -> dict[str, Any]:
    """Translate a sentence, and return it as the front end reads it."""
    model, names = checkpoint.model, checkpoint.target_vocab.tokens
    words = text.split()
    source = torch.tensor([checkpoint.source_vocab.encode(words)])
    asked = source, torch.tensor([len(words)])
    written = greedy(model, *asked, max_length=max_length)
    fed = torch.cat([torch.full((1, 1), _BOS), written[:, :-1]], 1)
    with torch.no_grad():
        trace = model.trace(*asked, fed)
    tree = beam_tree(
        model,
        *asked,
        max_length=max_length,
        width=width,
        length_penalty=length_penalty,
    )
    cross = torch.stack([layer.cross.attention.weights[0] for layer in trace.decoder])
    cross = cross.double().round(decimals=3)  # the front end shows them in per cent
    top = trace.probabilities[0].topk(min(_CANDIDATES, len(names)))
    return {
        "input": " ".join(words),
        "source": words,
        "steps": [
            {
                "token": names[token],
                "top": [
                    [names[i], number(p)]
                    for i, p in zip(
                        top.indices[t].tolist(), top.values[t].tolist(), strict=True
                    )
                ],
                "cross": listed(cross[:, :, t]),
            }
            for t, token in enumerate(written[0].tolist())
        ],
        "tree": _encode(tree, names) | {"width": width, "alpha": length_penalty},
    }


def _encode(tree: BeamTree, names: Sequence[str]) -> dict[str, Any]:
    """Return a tree's nodes as parent, token, log-probability so far and fate."""
    return {
        "nodes": [
            [
                node.parent,
                names[node.token],
                number(node.total, 6),
                _FATES.index(node.fate),
            ]
            for node in tree.nodes
        ],
        "best": tree.best,
    }


def _sentence(runs: list[dict[str, Any]], joiner: str) -> str:
    first = runs[0]
    recorded = (
        "1 sentence is recorded"
        if len(runs) == 1
        else f"{len(runs)} sentences are recorded"
    )
    said = "; ".join(f"“{r['input']}” becomes “{_text(r, joiner)}”" for r in runs[:4])
    looks = ", ".join(
        f"{visible(step['token'])} at {visible(first['source'][at])} ({share:.2f})"
        for step, (at, share) in zip(first["steps"], _looks(first), strict=True)
        if step["token"] != _END
    )
    beam = _best(first)
    same = beam == [step["token"] for step in first["steps"]]
    found = "the same" if same else f"“{_joined(beam, joiner)}”"
    return (
        f"A Transformer translates, token by token; {recorded}. {said}. "
        f"In the first, the last layer looks most: {looks or 'nowhere'}. "
        f"A beam of {first['tree']['width']} finds {found}."
    )


def _looks(run: dict[str, Any]) -> list[tuple[int, float]]:
    """Return where each token looks most in the last layer, and with what weight."""
    found = []
    for step in run["steps"]:
        mean = mean_of_heads(step["cross"][-1])
        found.append((mean.index(max(mean)), max(mean)))
    return found


def _best(run: dict[str, Any]) -> list[str]:
    """Return the tokens of what the beam search found."""
    nodes, at = run["tree"]["nodes"], run["tree"]["best"]
    tokens: list[str] = []
    while at is not None:
        at, token = nodes[at][:2]
        tokens.insert(0, token)
    return tokens


def _text(run: dict[str, Any], joiner: str) -> str:
    return _joined([step["token"] for step in run["steps"]], joiner)


def _joined(tokens: Sequence[str], joiner: str) -> str:
    return joiner.join(token for token in tokens if token != _END)


def _tables(run: dict[str, Any]) -> str:
    """Return one sentence's tokens, with their probabilities and attention."""
    rows = [[s["top"][0][1], *mean_of_heads(s["cross"][-1])] for s in run["steps"]]
    names = [step["token"] for step in run["steps"]]
    return table(rows, names, ["p", *run["source"]])
