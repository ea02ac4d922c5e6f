"""A small grammar: English sentences, their Korean, and a judge of translations.

``lexicon`` lists the words, ``hangul`` gives them their forms, ``sentences`` puts them
together; ``reading`` understands English, ``korean`` takes Korean apart and
``judging`` judges it; ``drawing`` draws sentences, ``forms`` lists all forms.
"""

from qkv.data.text.grammar.drawing import held_out_pairs
from qkv.data.text.grammar.forms import FormTable, forms
from qkv.data.text.grammar.judging import Problem, Verdict, judge

__all__ = [
    "FormTable",
    "Problem",
    "Verdict",
    "forms",
    "held_out_pairs",
    "judge",
]
