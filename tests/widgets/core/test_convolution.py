"""The convolution and the pooling of the browser are torch's."""

import json

import pytest
import torch
from torch.nn import functional as F

from tests.widgets.test_front_end import CORE, run

SIZES = [(3, 12, 3, (28, 28)), (1, 1, 1, (1, 1)), (2, 5, 5, (7, 4)), (4, 3, 1, (3, 6))]


def asked(expression, cases):
    """Return what a JavaScript expression of the module gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as m from "{CORE}/convolution.js";
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {{
            const made = {expression};
            return Array.isArray(made) ? made.map((x) => [...x])
                : {{ ...made, data: [...made.data] }};
        }})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(cases)))


def picture(size, channels, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(channels, *size, generator=generator)


def flat(x):
    return {"shape": list(x.shape), "data": x.flatten().tolist()}


def near(got, want):
    assert got["shape"] == list(want.shape)
    found = torch.tensor(got["data"], dtype=torch.float32).view(want.shape)
    torch.testing.assert_close(found, want, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_a_convolution_is_torchs(bias):
    cases, wanted = [], []
    for seed, (channels, out, side, size) in enumerate(SIZES):
        torch.manual_seed(seed)
        layer = torch.nn.Conv2d(channels, out, side, padding=side // 2, bias=bias)
        x = picture(size, channels, seed)
        case = {"image": x.tolist(), "weight": flat(layer.weight.detach())}
        if bias:
            case["bias"] = flat(layer.bias.detach())
        cases.append(case)
        wanted.append(layer(x[None])[0].detach())
    made = asked("m.relu(m.convolve(m.maps(c.image), c))", cases)
    for got, want in zip(made, wanted, strict=True):
        near(got, want.relu())
    assert (wanted[0] < 0).any()


def test_a_pool_is_torchs_and_leaves_out_what_is_over():
    pictures = [picture(size, 3, 0) for size in [(28, 28), (7, 5), (2, 3)]]
    made = asked("m.maxPool(m.maps(c))", [x.tolist() for x in pictures])
    for x, got in zip(pictures, made, strict=True):
        near(got, F.max_pool2d(x[None], 2)[0])
    (thirds,) = asked("m.maxPool(m.maps(c), 3)", [pictures[1].tolist()])
    near(thirds, F.max_pool2d(pictures[1][None], 3)[0])


def test_places_come_as_one_reads_with_all_their_channels():
    x = picture((2, 3), 4, 0)
    (places,) = asked("m.placesOf(m.maps(c))", [x.tolist()])
    torch.testing.assert_close(torch.tensor(places), x.flatten(1).T)
