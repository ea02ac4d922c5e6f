"""Tasks that no text is needed for: questions about tokens, and their true answers.

Symbols are numbers from 1 up; 0 stands for nothing.
"""
