"""The Vision Transformer against another library's, with the weights of that.

timm needs torchvision, whose binary from the registry does not load beside torch's
CPU build; transformers has the same model under other names, and timm's names are
those that timm's own model, of these sizes, was seen to have.
"""

import pytest
import torch
from torch import nn

from qkv.vision import VisionConfig, VisionTransformer


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def timms_names(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of transformers' model, as timm calls and stacks them."""
    theirs = {
        "cls_token": weights["vit.embeddings.cls_token"],
        "pos_embed": weights["vit.embeddings.position_embeddings"],
    }
    pairs = {
        "vit.embeddings.patch_embeddings.projection": "patch_embed.proj",
        "vit.layernorm": "norm",
        "classifier": "head",
    }
    layers = {name.split(".")[2] for name in weights if name.startswith("vit.layers")}
    for i in layers:
        here, there = f"vit.layers.{i}", f"blocks.{i}"
        pairs[f"{here}.attention.o_proj"] = f"{there}.attn.proj"
        pairs[f"{here}.layernorm_before"] = f"{there}.norm1"
        pairs[f"{here}.layernorm_after"] = f"{there}.norm2"
        pairs[f"{here}.mlp.fc1"] = f"{there}.mlp.fc1"
        pairs[f"{here}.mlp.fc2"] = f"{there}.mlp.fc2"
        for kind in ("weight", "bias"):
            stacked = [weights[f"{here}.attention.{x}_proj.{kind}"] for x in "qkv"]
            theirs[f"{there}.attn.qkv.{kind}"] = torch.cat(stacked)
    for ours, name in pairs.items():
        for kind in ("weight", "bias"):
            theirs[f"{name}.{kind}"] = weights[f"{ours}.{kind}"]
    assert sum(x.numel() for x in theirs.values()) == sum(
        x.numel() for x in weights.values()
    )
    return theirs


SIZES = {"image": (8, 12), "patch": 4, "channels": 3, "classes": 5}
SIZES |= {"d_model": 14, "heads": 2, "d_ff": 33, "layers": 3}


@pytest.fixture(scope="module")
def oracle():
    """A Vision Transformer of the library transformers, in double precision."""
    import transformers

    config = transformers.ViTConfig(
        image_size=SIZES["image"],
        patch_size=SIZES["patch"],
        num_channels=SIZES["channels"],
        num_labels=SIZES["classes"],
        hidden_size=SIZES["d_model"],
        num_attention_heads=SIZES["heads"],
        intermediate_size=SIZES["d_ff"],
        num_hidden_layers=SIZES["layers"],
        layer_norm_eps=1e-6,
    )
    torch.manual_seed(3)
    model = transformers.ViTForImageClassification(config).double().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, mean=0.1, std=0.3)
    return model


@pytest.mark.parametrize("seed", [0, 1])
def test_timms_weights_give_the_same_logits_and_gradients(oracle, seed):
    config = VisionConfig(**SIZES, activation="gelu", eps=1e-6)
    model = VisionTransformer(config).double()
    model.load_timm(timms_names(oracle.state_dict()))
    images = normal(7, 3, 8, 12, seed=seed)
    logits, expected = model(images), oracle(images).logits
    torch.testing.assert_close(logits, expected)
    pull = normal(*expected.shape, seed=seed)
    theirs = torch.autograd.grad(expected, tuple(oracle.parameters()), pull)
    named = dict(zip(dict(oracle.named_parameters()), theirs, strict=True))
    wanted = VisionTransformer(config).double()
    wanted.load_timm(timms_names(named))  # gradients, under our names
    found = torch.autograd.grad(logits, tuple(model.parameters()), pull)
    torch.testing.assert_close(found, tuple(p.detach() for p in wanted.parameters()))


def test_epsilon_and_activation_are_told_to_every_layer(oracle):
    """As in timm, and not the defaults: either would give other logits."""
    images = normal(7, 3, 8, 12)
    config = VisionConfig(**SIZES, activation="gelu", eps=1.0)
    model = VisionTransformer(config).double()
    model.load_timm(timms_names(oracle.state_dict()))
    norms = [m for m in model.modules() if hasattr(m, "eps")]
    assert len(norms) == 7
    assert {norm.eps for norm in norms} == {1.0}
    assert (model(images) - oracle(images).logits).abs().max() > 1e-3
    assert {layer.activation for layer in model.encoder.layers} == {"gelu"}


def test_a_model_of_another_kind_than_timms_is_refused(oracle):
    weights = timms_names(oracle.state_dict())
    for changes in (
        {"activation": "relu"},
        {"norm_first": False},
        {"positions": "none"},
    ):
        model = VisionTransformer(
            VisionConfig(**SIZES | {"activation": "gelu"} | changes)
        )
        with pytest.raises(ValueError, match=r"timm's models have .* this one has"):
            model.load_timm(weights)
    del weights["head.bias"]
    weights["head_dist.weight"] = torch.zeros(5, 14)
    model = VisionTransformer(VisionConfig(**SIZES, activation="gelu"))
    with pytest.raises(ValueError, match=r"head\.bias.*head_dist\.weight"):
        model.load_timm(weights)
