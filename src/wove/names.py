"""What a misspelt name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest", "suggestion"]


def nearest(name: object, known: Iterable[str], likeness: float = 0.7) -> str | None:
    """The known name that `name` is probably a misspelling of, if there is one.

    Args:
        name: what was written; anything but text is like nothing.
        known: the right names.
        likeness: how alike the two must be, from 0 to 1.
    """
    import difflib  # only for errors: a weave's start does not pay for it

    if not isinstance(name, str):
        return None
    by_lower = {word.lower(): word for word in sorted(known)}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else None


def suggestion(name: object, known: Iterable[str]) -> str:
    """A sentence to append to an error message, with a space before it; else nothing."""
    word = nearest(name, known)
    return f" Did you mean {word!r}?" if word is not None else ""
