"""The names of the world's countries, languages, currencies and scripts, from CLDR."""

__all__ = ["cldr_names"]

KINDS = ("territories", "languages", "currencies", "scripts")


def cldr_names(*locales: str) -> list[tuple[str, ...]]:
    """Return what is named in each of the languages, with its name in each.

    Parameters
    ----------
    locales : languages by their codes, such as "en", "ko".

    Raises
    ------
    ValueError
        If none is given, or CLDR knows no language by such a code.

    Examples
    --------
    >>> names = cldr_names("en", "ko")
    >>> len(names), names[1]
    (1339, ('Africa', '아프리카'))
    """
    if not locales:
        raise ValueError("no language was given; give codes, such as 'en', 'ko'")
    first, *others = named = [_names(locale) for locale in locales]
    return [
        tuple(each[key] for each in named)
        for key in first
        if all(key in other for other in others)
    ]


def _names(locale: str) -> dict[tuple[str, str], str]:
    from babel import Locale, localedata

    if not localedata.exists(locale):
        raise ValueError(
            f"{locale!r} is no language that CLDR knows by such a code; it knows "
            "'en', 'ko', 'fr' and some hundreds more"
        )
    names = Locale.parse(locale)
    return {
        (kind, str(code)): name
        for kind in KINDS
        for code, name in getattr(names, kind).items()
    }
