"""Pages of coloured shapes, as the front end paints and reads them: core/scenes.js."""

from typing import Any

from qkv.widgets.shared.encode import listed

_FINE = 256  # a template covers so many points of a pixel
_SPECIAL = 3  # tokens before the colours: padding, beginning, end


def scenes(world: Any) -> dict[str, Any]:
    """Return how the pages of a world (:class:`qkv.data.Scenes`) are drawn."""
    split = _SPECIAL + len(world.inks)
    tokens = world.vocabulary.tokens
    colours = tokens[_SPECIAL:split]
    shapes = tokens[split : split + len(world.templates)]
    things = [
        world.scene({(0, 0): f"{c} {s}"}).things[0] for c in colours for s in shapes
    ]
    covers = (world.templates[:, 0] * _FINE).round().int().tolist()
    return {
        "colours": list(dict.fromkeys(thing.colour for thing in things)),
        "shapes": list(dict.fromkeys(thing.shape for thing in things)),
        "inks": listed(world.inks),
        "covers": covers,
        "slots": world.slots,
        "pitch": world.pitch,
        "first": world.jitter,
        "size": world.size,
    }
