"""Write book/korean_forms.md: every form of the English-Korean grammar, as tables.

usage: python tools/korean_forms.py

The grammar makes its forms by rule, so a native reader needs to see what came out.
"""

from pathlib import Path
from random import Random

from qkv.data.text.grammar import FormTable, forms
from qkv.data.text.grammar.drawing import draw

PAGE = Path(__file__).resolve().parents[1] / "book" / "korean_forms.md"
SENTENCES = 100
INTRODUCTION = """\
---
orphan: true
---

# All forms of the English–Korean grammar

Every word that {class}`~qkv.data.EnglishKorean` writes, in every form, made by the
package's own rules. It is here for a native reader to check: whoever finds a form that
is wrong, or doubtful, has found a mistake in the book.

- Particles follow the last sound: after a consonant 은, 이, 을; after a vowel 는, 가,
  를. Every sentence is casual, in 아 or 어.
- What is known is a topic, 은 or 는: a pronoun, "the cat", "my cat", and "cats" where
  all of them are meant. What is new is a subject, 이 or 가: "a cat", "two cats".
- 들 marks people in the plural. It marks animals, too, unless all of a kind are meant,
  as in "I love cats". Things do not take it, and nothing does that is counted.
- Grandparents and the teacher are honoured: 께서는, and 시 in the verb. They are never
  objects here, where another verb would be needed. "My" is 우리 with them, else 내.
- "Love" and "like" are both 좋아하다; "love" is not said of people here, which would be
  사랑하다. "Not" is 안 before the verb.
- Left out are "read", whose past is written like its present; "tea" and "horse", as 차
  is also a car and 말 also speech; a time with "love", "every day" with "not", and a
  past of all cats.
"""


def page() -> str:
    """Return the page."""
    tables = [*forms(), sentences()]
    parts = [f"## {table.title}\n\n{table}\n" for table in tables]
    return "\n".join([INTRODUCTION, *parts])


def sentences() -> FormTable:
    """Return sentences drawn at random, the same each time."""
    rng = Random(0)
    drawn = [draw(rng).example() for _ in range(SENTENCES)]
    rows = tuple((" ".join(each.source), "".join(each.target)) for each in drawn)
    return FormTable("Sentences, drawn at random", ("English", "Korean"), rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
