"""The grammar of :class:`~qkv.data.EnglishKorean`, as chapter 7 imports it."""

from qkv.data.text.grammar import judge as judge
