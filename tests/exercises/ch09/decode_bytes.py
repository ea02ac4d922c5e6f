"""Other right answers to "From bytes to text"."""


def decode_added_up(ids, tokens):
    text = b""
    for n in ids:
        text += tokens[n]
    return str(text, "utf-8", errors="replace")


def decode_byte_by_byte(ids, tokens):
    text = bytearray()
    for n in ids:
        text.extend(tokens[n])
    return text.decode(errors="replace")


ALTERNATIVES = (decode_added_up, decode_byte_by_byte)
