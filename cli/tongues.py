"""Texts that stand in both languages at once, "Indonesia (English)": one of the two for a reader who chose."""

from cli.words import LANGUAGES


def in_one(text: str, language: str) -> str:
    """Each paragraph in `language` alone; one that is not in both languages stays as it is."""
    return "\n\n".join(_paragraph(paragraph, language) for paragraph in text.split("\n\n"))


def fault_in(text: str, language: str) -> str:
    """A fault's lines for a reader of English; in Indonesian the English stays beside it, for who is asked for help."""
    return text if language == LANGUAGES[0] else "\n".join(_english(line) or line for line in text.split("\n"))


def _paragraph(text: str, language: str) -> str:
    english = _english(text)
    if not english:
        return text
    if language == LANGUAGES[0]:
        return text.rstrip().removesuffix(".").removesuffix(f"({english})").rstrip().removesuffix(".") + "."
    return english[0].upper() + english[1:].removesuffix(".") + "."


def _english(text: str) -> str:
    """What stands in the brackets that end the text; '' where none do, or no words are in them."""
    text = text.rstrip().removesuffix(".")
    if not text.endswith(")"):
        return ""
    depth = 0
    for at in range(len(text) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth == 0:
            english = text[at + 1 : -1]
            return english if text[at - 1].isspace() and any(map(str.isalpha, english)) else ""
    return ""
