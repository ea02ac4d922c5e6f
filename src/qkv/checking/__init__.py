"""How an answer is judged: what an exercise is, the verdict, and what is solved.

:func:`~qkv.checking.judge.judge` runs an attempt on the cases of an exercise and says
the first thing that is wrong; ``messages`` has all that it says.
"""
