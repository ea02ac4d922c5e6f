"""Translator: its model in JavaScript is Python's; its words; and what a reader does."""

import base64
import json

import pytest
import torch

from qkv.decoding import beam_tree, greedy
from qkv.transformer import checkpoint as checkpoints
from qkv.transformer import load
from qkv.widgets import Translator
from tests.browser import watched_page
from tests.widgets.pages import live, page_of, payload, slot, state_of
from tests.widgets.sample_translator import EVIL, SOURCE, TARGET, checkpoint
from tests.widgets.test_front_end import CORE, run

AXE = "node_modules/axe-core/axe.min.js"
COMMITTED = checkpoints._NAMED / "english_korean.safetensors"
SENTENCES = (["I", "love", "cats"], ["you"], ["I", "do", "not", "see", EVIL, "a"])


def asked(file, sentences, *, most=20, width=4, alpha=0.6):
    """Translate in Node; also return the logits along what greed wrote."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ readCheckpoint }} from "{CORE}/safetensors.js";
        import {{ transformer }} from "{CORE}/transformer.js";
        import {{ BOS, beamTree, greedy }} from "{CORE}/search.js";
        const {{ file, sentences, ...settings }} = JSON.parse(readFileSync(0, "utf8"));
        const bytes = readFileSync(file);
        const read = readCheckpoint(
            bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
        const net = transformer(read);
        console.log(JSON.stringify(sentences.map((words) => {{
            const ids = words.map((word) => read.source.indexOf(word));
            const begin = performance.now();
            const steps = greedy(net, ids, settings);
            const tree = beamTree(net, ids, settings);
            const took = performance.now() - begin;
            let state = net.start(ids);
            const logits = [BOS, ...steps.map((s) => s.token)].map((id) => {{
                const made = net.step(id, state);
                state = made.state;
                return Array.from(made.logits);
            }});
            return {{ steps, tree, logits, took }};
        }})));
    """
    settings = {"most": most, "width": width, "alpha": alpha}
    case = {"file": str(file), "sentences": sentences, **settings}
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(case)))


def compare(file, sentences, **settings):
    """Hold what Node did to what Python does with the same file."""
    found = load(file)
    most, width = settings.get("most", 20), settings.get("width", 4)
    for words, made in zip(sentences, asked(file, sentences, **settings), strict=True):
        source = torch.tensor([found.source_vocab.encode(words)])
        given = source, torch.tensor([len(words)])
        written = greedy(found.model, *given, max_length=most)
        assert [step["token"] for step in made["steps"]] == written[0].tolist()
        fed = torch.cat([torch.ones(1, 1, dtype=torch.long), written], 1)
        with torch.no_grad():
            trace = found.model.trace(*given, fed)
        near = {"atol": 1e-4, "rtol": 0}
        torch.testing.assert_close(
            torch.tensor(made["logits"]), trace.logits[0], **near
        )
        cross = torch.stack([x.cross.attention.weights[0] for x in trace.decoder])
        for t, step in enumerate(made["steps"]):
            torch.testing.assert_close(
                torch.tensor(step["cross"]).float(), cross[:, :, t], **near
            )
            for token, p in step["candidates"]:
                assert abs(trace.probabilities[0, t, token].item() - p) < 1e-4
        alpha = settings.get("alpha", 0.6)
        tree = beam_tree(
            found.model, *given, max_length=most, width=width, length_penalty=alpha
        )
        assert made["tree"]["best"] == tree.best
        assert len(made["tree"]["nodes"]) == len(tree.nodes)
        for node, wanted in zip(made["tree"]["nodes"], tree.nodes, strict=True):
            for name in ("parent", "token", "fate"):
                assert node[name] == getattr(wanted, name)
            got = [node["own"], node["total"], node["score"]]
            want = [wanted.log_probability, wanted.total, wanted.score]
            assert got == pytest.approx(want, abs=1e-4)
        assert made["took"] < 1000


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({}, {}),
        ({"tied": True, "positions": "learned"}, {"width": 1}),
        ({"norm_first": False, "positions": "none"}, {"width": 3, "alpha": 0.0}),
        ({"norm_first": False, "final_norm": True}, {"width": 20, "most": 3}),
        ({"layers": (2, 1), "heads": 1}, {"width": 5, "alpha": 1.5, "most": 9}),
    ],
    ids=["pre-norm", "tied", "post-norm", "a norm at the end", "one head"],
)
def test_the_browsers_model_is_pythons(tmp_path, changes, settings):
    checkpoint(tmp_path, seed=len(changes), **changes)
    compare(tmp_path / "small.safetensors", SENTENCES, **settings)


@pytest.mark.skipif(not COMMITTED.exists(), reason="the checkpoint is not trained yet")
def test_the_committed_checkpoint_translates_in_the_browser_as_in_python():
    sentences = ["I love cats", "the dog saw the cat", "the cat saw the dog"]
    compare(COMMITTED, [text.split() for text in sentences], most=40)
