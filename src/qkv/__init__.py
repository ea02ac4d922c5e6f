"""qkv: query, key, value. The package behind *Attention, Step by Step*.

Import what a chapter needs from the module that has it, for example
``from qkv.attention import AdditiveScore``. Importing ``qkv`` itself loads nothing.
"""

__version__ = "0.1.0"
