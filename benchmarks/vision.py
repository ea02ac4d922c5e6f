"""Race a Vision Transformer's forward and backward against its peers.

usage: python -m benchmarks.vision [--rounds N]

Images of 32 × 32 in three colours, cut into patches of 4 × 4. Ours reads the class
token alone, and its last layer makes no other; the same model with every token made to
the end runs beside it, to show what that is worth. transformers' model computes the
same function, x-transformers' averages all tokens and has no class token. The last
candidate of the table is the best peer. Returns 1 where ours is slower than it, or
needs more memory than the most frugal peer.
"""

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.measure import memory, race, table, verdict
from benchmarks.peers import best_last
from qkv.vision import VisionConfig, VisionTransformer

SIDE, PATCH, CHANNELS, CLASSES, BATCH = 32, 4, 3, 10, 64
D_MODEL, HEADS, D_FF, LAYERS, EPS = 128, 4, 512, 4, 1e-12
LIMIT = 1.0


class EveryToken(VisionTransformer):
    """Ours, but the last layer makes all tokens, and all but the first are dropped."""

    def forward(self, images: Tensor) -> Tensor:
        x = self._placed(self._with_class_token(self.patch_embedding(images)))
        return self.head(self.encoder(x)[..., 0, :])


def ours(kind: type[VisionTransformer]) -> nn.Module:
    return kind(
        VisionConfig(
            image=(SIDE, SIDE),
            patch=PATCH,
            channels=CHANNELS,
            classes=CLASSES,
            d_model=D_MODEL,
            heads=HEADS,
            d_ff=D_FF,
            layers=LAYERS,
            activation="gelu",
            eps=EPS,
        )
    )


class Transformers(nn.Module):
    """transformers' model, whose answer is the logits."""

    def __init__(self):
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from transformers import ViTConfig, ViTForImageClassification

        super().__init__()
        self.model = ViTForImageClassification(
            ViTConfig(
                image_size=SIDE,
                patch_size=PATCH,
                num_channels=CHANNELS,
                num_labels=CLASSES,
                hidden_size=D_MODEL,
                num_attention_heads=HEADS,
                intermediate_size=D_FF,
                num_hidden_layers=LAYERS,
                layer_norm_eps=EPS,
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images).logits


def x_transformers() -> nn.Module:
    from x_transformers import Encoder, ViTransformerWrapper

    return ViTransformerWrapper(
        image_size=SIDE,
        patch_size=PATCH,
        channels=CHANNELS,
        num_classes=CLASSES,
        attn_layers=Encoder(
            dim=D_MODEL,
            depth=LAYERS,
            heads=HEADS,
            attn_dim_head=D_MODEL // HEADS,
            attn_flash=True,
            ff_mult=D_FF / D_MODEL,
        ),
    )


PEERS: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "transformers": ("transformers", Transformers),
    "x-transformers": ("x_transformers", x_transformers),
}


def both_ways(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Forward and backward; gradients are new each time, as a training step has it."""
    model.zero_grad()
    cross_entropy(model(images), labels).backward()


def main(arguments: list[str] | None = None) -> int:
    """Run the race and print it; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=16)
    rounds = parser.parse_args(arguments).rounds
    torch.manual_seed(0)
    own, whole = ours(VisionTransformer), ours(EveryToken)
    whole.load_state_dict(own.state_dict())
    models = {"qkv.vision.VisionTransformer": own, "the same, every token made": whole}
    for name, (package, make) in PEERS.items():
        if importlib.util.find_spec(package):
            models[name] = make()
    images = torch.rand(BATCH, CHANNELS, SIDE, SIDE)
    labels = torch.randint(CLASSES, (BATCH,))
    torch.testing.assert_close(own(images), whole(images), rtol=1e-4, atol=1e-4)
    calls = {
        name: partial(both_ways, model.train(), images, labels)
        for name, model in models.items()
    }
    times = race(calls, rounds=rounds)
    first, second, *_ = times
    beside = times.pop(second)
    ranked = best_last(times)
    shown = {first: ranked.pop(first), second: beside, **ranked}
    held = table(f"Forward and backward, batch {BATCH}", shown, limit=LIMIT)
    needed = {name: memory(call).peak for name, call in calls.items()}
    said = ", ".join(f"{name} {x / 2**20:.1f}" for name, x in needed.items())
    least = min(needed[name] for name in ranked)
    frugal = needed[first] <= least
    print(f"  peak MiB: {said}   {verdict(frugal)} the least of peers")
    return 0 if held and frugal else 1


if __name__ == "__main__":
    sys.exit(main())
