"""LearnToLook: what its JavaScript learns is torch's; training in a real Chromium."""

import json

import pytest
import torch
from torch import nn

from qkv.attention import trace_scaled_dot_product
from qkv.data import AssociativeRecall
from qkv.widgets import LearnToLook
from qkv.widgets.learn_to_look import learn_to_look as python
from tests.browser import watched_page
from tests.widgets.pages import (
    barriers,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    slot,
    state_of,
)
from tests.widgets.test_front_end import CORE, ROOT, run

STEPS = "+document.querySelector('.qkv-facts-of .qkv-best td').textContent "
FRAMES = """() => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(done)))"""
TRAINING = (ROOT / "src/qkv/widgets/learn_to_look/training.js").as_uri()


@pytest.fixture(scope="module")
def widget():
    return LearnToLook()


def asked(expression, cases):
    """Return what a JavaScript expression of the modules gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as t from "{TRAINING}";
        import {{ uniform }} from "{CORE}/gauss.js";
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(cases)))


def close(given, wanted, atol=1e-6):
    given = torch.tensor(given, dtype=torch.float64)
    torch.testing.assert_close(given, wanted.detach(), atol=atol, rtol=0)


class TestReference:
    def test_its_attention_is_chapter_3s(self):
        learnt = python.begin(16, seed=5)
        names, drawers, asked = python.draw(7, 0, 11)
        trace, logits = python.answer(
            learnt, names, drawers, asked[:, None], scaled=True
        )
        x = learnt["table"][names] + learnt["table"][33 + drawers]
        of_question = learnt["table"][names.gather(1, asked[:, None])]
        q = (of_question + learnt["table"][32]) @ learnt["query"].T
        k, v = x @ learnt["key"].T, x @ learnt["value"].T
        wanted = trace_scaled_dot_product(q, k, v)
        torch.testing.assert_close(trace.weights, wanted.weights)
        torch.testing.assert_close(logits, wanted.output @ learnt["output"].T)

    def test_its_questions_are_those_of_associative_recall(self):
        names, drawers, asked = python.draw(3, 0, 400)
        assert all(len(set(row.tolist())) == 8 for row in names)
        assert (names.min(), names.max()) == (0, 31)
        assert (drawers.min(), drawers.max()) == (0, 9)
        assert set(asked.tolist()) == set(range(8))
        task = AssociativeRecall(pairs=8, names=32, drawers=10)
        assert task.sample(1, seed=0).source.shape == (1, 8 + 1, 2)
        counts = torch.bincount(names.flatten(), minlength=32) / names.numel()
        torch.testing.assert_close(counts, torch.full((32,), 1 / 32), atol=0.01, rtol=0)

    def test_it_begins_as_torch_does(self):
        learnt = python.begin(64, seed=1)
        torch.manual_seed(0)
        for name, module in {
            "query": nn.Linear(32, 64),
            "output": nn.Linear(32, 10),
        }.items():
            assert learnt[name].shape == module.weight.shape
            assert learnt[name].abs().max() <= 32**-0.5
            assert learnt[name].std().item() == pytest.approx(
                module.weight.std().item(), abs=0.01
            )
        assert learnt["table"].std().item() == pytest.approx(1, abs=0.05)


class TestJavaScriptIsTorch:
    def test_random_numbers_and_questions(self):
        expression = """(() => {
            const [next, q] = [uniform(c), t.draw(uniform(c), 20)];
            return {u: Array.from({length: 50}, next),
                    q: [q.names, q.drawers, q.asked].map((row) => [...row])};
        })()"""
        (made,) = asked(expression, [12])
        close(made["u"], python.uniforms(12, 0, 50), atol=0)
        names, drawers, who = python.draw(12, 0, 20)
        assert made["q"] == [
            names.flatten().tolist(),
            drawers.flatten().tolist(),
            who.tolist(),
        ]

    @pytest.mark.parametrize("scaled", [True, False])
    @pytest.mark.parametrize(
        ("d_k", "count"), [(1, 1), (3, 2), (16, 7), (64, 32), (256, 5)]
    )
    def test_loss_and_gradients(self, d_k, count, scaled):
        (made,) = asked(
            """(() => {
                const run = t.start(c);
                const data = t.draw(uniform(c.data), c.count);
                const {loss, grads} = t.gradients(run.learnt, data, c);
                const {all, ...parts} = grads;
                for (const name in parts) parts[name] = [...parts[name]];
                return {loss, ...parts};
            })()""",
            [
                {
                    "scaled": scaled,
                    "d_k": d_k,
                    "rate": 0.01,
                    "seed": 4,
                    "data": 9,
                    "count": count,
                }
            ],
        )
        learnt = python.begin(d_k, 12)
        loss = python.loss_of(learnt, python.draw(9, 0, count), scaled=scaled)
        loss.backward()
        assert made.pop("loss") == pytest.approx(loss.item(), abs=1e-9)
        assert list(made) == list(learnt)
        for name, grad in made.items():
            wanted = learnt[name].grad.flatten()
            assert wanted.abs().max() > 0
            close(grad, wanted, atol=1e-9)

    @pytest.mark.parametrize("i", [0, 1])
    def test_the_stored_runs_step_by_step(self, widget, i):
        stored = widget.runs[i]
        (made,) = asked(
            """(() => {
                const run = t.start(c);
                for (let i = 0; i < 150; i++) t.step(run);
                const {losses, frames, names, drawers} = run;
                return {losses, frames, names, drawers};
            })()""",
            [stored["settings"]],
        )
        assert (made["names"], made["drawers"]) == (stored["names"], stored["drawers"])
        assert len(made["frames"]) == len(stored["frames"]) == 31
        assert made["losses"] == pytest.approx(stored["losses"], rel=1e-3)
        for ours, theirs in zip(made["frames"], stored["frames"], strict=True):
            assert ours["says"] == theirs["says"]
            weights = torch.tensor(theirs["map"], dtype=torch.float64)
            close(ours["map"], weights, atol=0.006)
            for what in ("step", "right", "hit", "peak", "spread", "slope", "move"):
                assert ours[what] == pytest.approx(theirs[what], rel=1e-3, abs=1e-9)

    def test_adam_is_torchs_to_a_millionth(self):
        settings = {"scaled": True, "d_k": 16, "rate": 0.02, "seed": 2}
        (made,) = asked(
            """(() => {
                const run = t.start(c);
                for (let i = 0; i < 25; i++) t.step(run);
                return {losses: run.losses, map: run.frames.at(-1).map};
            })()""",
            [settings],
        )
        learnt = python.begin(16, 6)
        optimizer = torch.optim.Adam(learnt.values(), lr=0.02)
        losses = []
        for i in range(25):
            optimizer.zero_grad()
            loss = python.loss_of(learnt, python.draw(7, i * 32, 32), scaled=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        close(made["losses"], torch.stack(losses))
        names, drawers, _ = python.draw(8, 0, 1)
        every = torch.arange(8)[None]
        trace, _ = python.answer(learnt, names, drawers, every, scaled=True)
        close(made["map"], trace.weights[0])


class TestWords:
    def test_it_says_what_the_division_does(self, widget):
        divided, plain = (run["frames"] for run in widget.runs)
        said = repr(widget)
        assert f"spread by {divided[0]['spread']:.1f} if they are divided" in said
        assert f"by {plain[0]['spread']:.1f} if not" in said
        assert f"{plain[10]['right']:.2f} if not." in said
        assert divided[10]["step"] == 50

    def test_the_same_words_and_state_each_time(self, widget):
        again = LearnToLook()
        assert state_of(widget) == state_of(again)
        data, _ = widget._repr_mimebundle_()
        assert data["text/plain"] == repr(again)
        assert data["text/html"] == again.fallback()
        json.dumps(state_of(widget), allow_nan=False)

    def test_the_fallback_is_a_table_over_the_steps(self, widget):
        text = widget.fallback().replace("\N{NO-BREAK SPACE}", " ")
        assert text.count('<th scope="row">step') == 7
        assert '<th scope="col">right, not divided</th>' in text

    @pytest.mark.parametrize("seed", [-1, 1000])
    def test_a_seed_out_of_range(self, seed):
        with pytest.raises(ValueError, match=f"seed={seed} must lie in 0 to 999"):
            LearnToLook(seed=seed)

    def test_a_seed_that_is_not_whole(self):
        with pytest.raises(
            TypeError, match=r"seed is 1\.5, but must be a whole number"
        ):
            LearnToLook(seed=1.5)


def say(page):
    return page.locator(".qkv-say").inner_text()


def steps(page):
    """Return how many steps the run of this page has taken, as the table says."""
    return int(page.locator(".qkv-facts-of .qkv-best td").first.inner_text())


class TestTraining:
    def test_it_opens_with_a_run_that_has_learnt(self, show, widget):
        page = show(widget)
        assert "After 150 steps" in say(page)
        assert "The head has learnt where to look" in say(page)
        assert page.locator(".qkv-said").all_inner_texts() == [
            f"{d + 1} ✓" for d in widget.runs[0]["drawers"]
        ]
        assert page.locator("[data-act=go]").inner_text() == "Train in this page"

    def test_looking_back_by_mouse_and_keyboard(self, show, widget):
        page = show(widget)
        page.locator("[data-act=back]").click()
        assert "After 145 steps" in say(page)
        assert page.locator(".qkv-vh[aria-live]").text_content() == say(page)
        page.keyboard.press("Home")
        first = widget.runs[0]["frames"][0]
        assert "Not trained yet. Divided by √dk" in say(page)
        assert f"spread by {first['spread']:.2g}" in say(page)
        assert f"its largest weight {first['peak']:.2f}" in say(page)
        page.keyboard.press("ArrowRight")
        assert "After 5 steps" in say(page)
        page.keyboard.press("End")
        assert "After 150 steps" in say(page)

    def test_steps_in_the_page_are_those_of_torch(self, show, widget):
        page = show(widget)
        for i in range(1, 3):
            page.locator("[data-act=few]").click()
            assert f"After {5 * i} steps" in say(page)
        shown = page.locator(".qkv-facts-of .qkv-best td").all_inner_texts()
        frame = widget.runs[0]["frames"][2]
        assert shown[:3] == ["10", f"{frame['right']:.2f}", f"{frame['hit']:.2f}"]
        assert float(shown[4]) == float(f"{frame['spread']:.2g}")
        # the same run is not drawn twice, and the other one stays to compare
        assert page.locator(".qkv-facts-of tbody tr").count() == 2

    def test_it_trains_while_one_watches_and_stops_and_goes_on(self, show, widget):
        page = show(widget)
        go = page.locator("[data-act=go]")
        go.click()
        page.wait_for_function(STEPS + ">= 20")
        go.click()
        stopped = steps(page)
        assert go.inner_text() == "Go on"
        page.evaluate(FRAMES)
        assert steps(page) == stopped
        assert (
            f"After {stopped} steps" in page.locator(".qkv-vh[aria-live]").inner_text()
        )
        go.click()
        page.wait_for_function(STEPS + "> " + str(stopped))
        go.click()

    def test_it_ends_by_itself(self, show, widget):
        page = show(widget)
        page.locator("[data-pick=d_k]").select_option("16")
        page.locator("[data-act=go]").click()
        page.get_by_text("It ends after 600 steps.").wait_for()
        assert page.locator("[data-act=go]").get_attribute("aria-disabled") == "true"
        assert "After 600 steps" in say(page)

    def test_what_is_read_aloud_does_not_change_at_every_frame(self, show, widget):
        page = show(widget)
        page.evaluate("""() => {
            window.told = 0;
            new MutationObserver(() => window.told++).observe(
                document.querySelector(".qkv-vh[aria-live]"),
                {characterData: true, subtree: true, childList: true});
        }""")
        page.locator("[data-act=go]").click()
        page.wait_for_function(STEPS + ">= 95")
        page.locator("[data-act=go]").click()
        assert page.evaluate("window.told") <= 4
        assert page.locator(".qkv-say[aria-live]").count() == 0

    def test_another_setting_begins_anew_and_keeps_the_run_to_compare(
        self, show, widget
    ):
        page = show(widget)
        page.locator("[data-act=scaled]").uncheck()
        assert "Not trained yet. Not divided by √dk" in say(page)
        plain = widget.runs[1]["frames"][0]
        assert f"gives {plain['peak']:.2f} to one name, before anything" in say(page)
        page.locator("[data-pick=d_k]").select_option("256")
        page.locator("[data-pick=rate]").select_option("0.01")
        page.locator("[data-field=seed]").fill("7")
        page.locator("[data-act=few]").click()
        page.locator("[data-act=scaled]").check()
        heads = page.locator(".qkv-facts-of tbody th").all_inner_texts()
        assert heads[0] == "divided, dk = 256, rate 0.01, seed 7"
        assert heads[1] == "a not divided, dk = 256, rate 0.01, seed 7"
        assert len(heads) == 4
        assert page.locator(".qkv-other").count() == 3 * 2

    def test_begin_again_is_the_same_run(self, show, widget):
        page = show(widget)
        page.locator("[data-act=few]").click()
        first = page.locator(".qkv-looks tbody").inner_text()
        page.locator("[data-act=anew]").click()
        assert "Not trained yet" in say(page)
        page.locator("[data-act=few]").click()
        assert page.locator(".qkv-looks tbody").inner_text() == first

    def test_a_seed_that_is_none_is_marked(self, show, widget):
        page = show(widget)
        page.locator("[data-field=seed]").fill("1.5")
        assert "whole number from 0 to 999" in page.locator(".qkv-note").inner_text()

    def test_by_keyboard_alone(self, show, widget):
        page = show(widget)
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert not page.locator("[data-act=scaled]").is_checked()
        for _ in range(5):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert "After 5 steps" in say(page)

    def test_where_nothing_may_move_a_press_shows_its_result(
        self, browser, tmp_path, widget
    ):
        path = tmp_path / "page.html"
        path.write_text(page_of(widget), "utf-8")
        with watched_page(browser, reduced_motion="reduce") as page:
            page.goto(path.as_uri())
            page.evaluate("qkvHost.ready")
            go = page.locator("[data-act=go]")
            assert go.inner_text() == "Train 50 steps"
            go.click()
            assert "After 50 steps" in say(page)
            go.click()
            assert "After 100 steps" in say(page)
            assert page.seen.errors == []

    def test_with_a_kernel_the_settings_go_both_ways(self, show, widget):
        page = live(show, widget)
        page.locator("#live2 [data-act=scaled]").uncheck()
        assert page.evaluate("model.get('scaled')") is False
        page.evaluate("model.set('d_k', 16)")
        says = page.locator("#live2 .qkv-say").inner_text()
        assert says.startswith("Not trained yet. Not divided")
        run = page.locator("#live2 .qkv-facts-of tbody th").first.inner_text()
        assert run == "not divided, dk = 16"

    def test_it_opens_anew_with_the_settings_that_were_left(self, show, widget):
        page = show(widget, body=slot("left", other(widget, scaled=False, rate=0.01)))
        place = page.locator("[data-qkv-widget=left]")
        assert not place.locator("[data-act=scaled]").is_checked()
        run = place.locator(".qkv-facts-of tbody th").first.inner_text()
        assert run == "not divided, dk = 64, rate 0.01"
        assert "Not trained yet" in place.locator(".qkv-say").inner_text()


def other(widget, **changes):
    """Return what is stored of a widget like this one, and not of itself."""
    return payload(widget, **changes) | {"model_id": "other"}


def test_what_is_no_number_is_marked(show, widget):
    data = other(widget)
    data["state"]["runs"][0]["frames"][-1]["map"][0][0] = "nan"
    page = show(widget, body=slot("odd", data))
    place = page.locator("[data-qkv-widget=odd]")
    assert place.locator("td.qkv-nan").inner_text() == "NaN"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, widget, theme):
    page = show(widget, theme=theme)
    for act in ("back", "few", "anew"):
        assert barriers(page) == []
        page.locator(f"[data-act={act}]").click()
    page.locator("[data-act=scaled]").uncheck()
    assert barriers(page) == []


def test_no_look_moves_the_page(show, widget):
    page = show(widget)
    high = set()
    page.locator("[data-act=back]").focus()
    for _ in range(31):
        high.add(page.evaluate("document.querySelector('.qkv-w').offsetHeight"))
        page.keyboard.press("ArrowLeft")
    assert len(high) == 1
    assert high.pop() <= 700


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path, widget):
    path = tmp_path / "page.html"
    path.write_text(page_of(widget), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for act in ("back", "few", "few"):
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            page.locator(f"[data-act={act}]").click()
        assert page.seen.errors == []
        assert page.seen.foreign == []


def test_on_paper_the_stored_run_stands_step_by_step(show, widget):
    page = show(widget, query="?print")
    assert page.locator("button, input, select").count() == 0
    captions = page.locator(".qkv-print > figure > figcaption").all_inner_texts()
    assert len(captions) == 4
    assert captions[1].startswith("After 20 steps")
    assert captions[0].startswith("Not trained yet. Divided by √dk")
    assert captions[-1].startswith("After 150 steps")


def broken(widget):
    uneven = other(widget)
    uneven["state"]["runs"][0]["frames"][3]["map"].pop()
    pairs = other(widget)
    pairs["state"]["runs"][0]["names"].pop()
    return [
        (other(widget, runs=[]), "it holds no run"),
        (other(widget, frame=31), "its run has 31 looks, and not number 31"),
        (other(widget, names=["Ada"]), "it has 1 names, and not 32"),
        (other(widget, rate=None), "rate is no number"),
        (other(widget, d_k=7), "d_k is 7, and none of 16, 64, 256"),
        (uneven, "a map of weights is not 8 × 8"),
        (pairs, "a run shows 7 pairs, and not 8"),
    ]


def test_a_broken_state_says_what_is_wrong(show, widget):
    says_what_is_wrong(show, [widget], broken(widget))
