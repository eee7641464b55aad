"""Reads a table back from the HTML that the kernel shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


HIDDEN = ("style", "small")
"""Elements whose text is not of the table: its style, and the types below the columns' names."""


@dataclass
class Table:
    """Column names, and the text of each cell; a null is None."""

    columns: list[str] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    caption: str = ""
    """All text outside the cells: the count of rows, of errors, the state."""

    def column(self, name: str) -> list[str | None]:
        """The cells of one column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def numbers(self, name: str) -> list[float]:
        """The cells of one column as numbers; nulls are left out."""
        return [number(text) for text in self.column(name) if text is not None]

    def by(self, key: str, value: str) -> dict[str | None, str | None]:
        """One column by another."""
        return dict(zip(self.column(key), self.column(value), strict=True))

    def __str__(self) -> str:
        lines = ["\t".join(self.columns)] + ["\t".join(str(cell) for cell in row) for row in self.rows]
        return "\n".join([*lines, self.caption])


def number(text: str) -> float:
    """A number as people write it: signs and separators of thousands may be typographic."""
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", "").replace("\N{NARROW NO-BREAK SPACE}", ""))


def read_table(bundle: dict[str, Any]) -> Table:
    """The table in the `text/html` of a mime bundle."""
    reader = _Reader()
    reader.feed(bundle["text/html"])
    reader.close()
    reader.table.caption = " ".join(reader.outside)
    return reader.table


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.table = Table()
        self.outside: list[str] = []
        self.cell: list[str] | None = None
        self.is_null = False
        self.in_head = False
        self.hidden = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        classes = (dict(attributes).get("class") or "").split()
        if tag in HIDDEN:
            self.hidden += 1
        elif tag == "thead":
            self.in_head = True
        elif tag == "tr" and not self.in_head:
            self.table.rows.append([])
        elif tag in ("td", "th"):
            self.cell = []
            self.is_null = False
        if self.cell is not None and any("null" in name for name in classes):
            self.is_null = True

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN:
            self.hidden -= 1
        elif tag == "thead":
            self.in_head = False
        elif tag in ("td", "th") and self.cell is not None:
            text = "".join(self.cell)
            if self.in_head:
                self.table.columns.append(text.strip())
            else:
                self.table.rows[-1].append(None if self.is_null else text)
            self.cell = None

    def handle_data(self, data: str) -> None:
        if self.hidden:
            return
        if self.cell is not None:
            self.cell.append(data)
        elif data.strip():
            self.outside.append(data.strip())
