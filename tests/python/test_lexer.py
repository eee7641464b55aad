"""The lexer for Pygments: what each piece of a text is drawn as."""

from __future__ import annotations

import pathlib
import re

import pytest
from pygments.token import Comment, Error, Keyword, Literal, Name, Number, Operator, String, Token

from conftest import ROOT
from tidebook.lexer import TideLexer


def tokens(text: str) -> list[tuple[object, str]]:
    return [(kind, piece) for kind, piece in TideLexer().get_tokens(text) if piece.strip()]


@pytest.mark.parametrize(
    ("text", "piece", "kind"),
    [
        ("a # why | not", "# why | not", Comment.Single),
        ('t | where a == "x # y"', "x # y", String.Double),
        ("t | where a == 'it'", "it", String.Single),
        (r't | where a == "a\"b"', r"\"", String.Escape),
        ('t | derive b: """one\n# two "three" """', 'one\n# two ', String.Double),
        ('t | derive b: f"hello {name}!"', "name", Name),
        ('t | derive b: f"hello {name}!"', "{", String.Interpol),
        ('t | derive b: f"{{no}} {upper({a: 1}.a)}"', "{{", String.Escape),
        ('t | derive b: f"{{no}} {upper({a: 1}.a)}"', "upper", Name.Function),
        ('t | derive b: f"""{a}\n{b}"""', "b", Name),
        ("t | where d > 250ms", "250ms", Number.Duration),
        ("t | where d > 1.5h", "1.5h", Number.Duration),
        ("t | where n > 1_000", "1_000", Number.Integer),
        ("t | where x > 1.5e3", "1.5e3", Number.Float),
        ("t | where at > @2026-11-22", "@2026-11-22", Literal.Date),
        ("t | where at > @2026-11-22T10:00:00.5+01:00", "@2026-11-22T10:00:00.5+01:00", Literal.Date),
        ("t | select `odd ``name`", "`odd ``name`", Name.Quoted),
        ("t | where a is not null and b like c", "null", Keyword.Constant),
        ("t | where a is not null and b like c", "like", Operator.Word),
        ("t\n  # between\n  | where a", "where", Keyword),
        ("t | left asof join u on t.k == u.k", "asof", Keyword),
        ("t | left asof join u on t.k == u.k", "join", Keyword),
        ("t | summarize n: count() by k", "summarize", Keyword),
        ("t | summarize n: count() by k", "count", Name.Function),
        ("t | summarize n: count() by k", "n", Name.Attribute),
        ("orders = read csv(\"a.csv\")", "orders", Name.Variable),
        ("orders = read csv(\"a.csv\")", "read", Keyword),
        ("ticks = read demo.ticks(rate: 5)", "demo.ticks", Name.Builtin),
        ("t | write jsonl(\"a.jsonl\")", "jsonl", Name.Builtin),
        ("param since: date = @2026-01-01", "param", Keyword.Declaration),
        ("param since: date = @2026-01-01", "date", Keyword.Type),
        ("fn tax(x: float) -> float = x * 0.2", "tax", Name.Function),
        ("expect t is not empty", "empty", Keyword),
        ("%explain analyze t", "%", Operator),
        ("%explain analyze t", "explain", Keyword),
        ("%echo it's \"open", "it's \"open".strip(), Token.Text),
        ("%%rust\nfn f() -> i64 { 1 }", "rust", Keyword),
        ("%%rust\nfn f() -> i64 { 1 }", "i64", Keyword.Type),
    ],
)
def test_a_piece(text: str, piece: str, kind: object) -> None:
    found = [(kind, part.strip() if kind in Token.Text else part) for kind, part in tokens(text)]
    assert (kind, piece) in found, found


@pytest.mark.parametrize(
    "text",
    ["param = t", "t | select read, rows, param", "first = t | select last: key", "t | where a % 2 == 0", "set.errors"],
)
def test_words_that_are_names_here(text: str) -> None:
    drawn = [piece for kind, piece in tokens(text) if kind in Keyword and piece not in ("select", "where", "by")]
    assert drawn == []


def test_nothing_of_a_text_is_lost_and_nothing_of_the_corpus_is_wrong() -> None:
    scripts = sorted((ROOT / "tests" / "corpus").glob("*.tide"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    # Some scripts are wrong on purpose, down to their letters.
    wrong = {path.read_text(encoding="utf-8") for path in scripts if path.with_suffix(".diagnostics").exists()}
    texts = [path.read_text(encoding="utf-8") for path in scripts] + re.findall(r"```tide\n(.*?)```", readme, re.DOTALL)
    assert len(texts) > 100
    for text in texts:
        pieces = list(TideLexer(stripnl=False, ensurenl=False).get_tokens(text))
        assert "".join(piece for _, piece in pieces) == text
        if text.isascii() and text not in wrong:
            assert [piece for kind, piece in pieces if kind is Error] == [], text


def test_a_text_that_is_cut_off_ends() -> None:
    text = pathlib.Path(ROOT / "README.md").read_text(encoding="utf-8")
    block = re.findall(r"```tide\n(.*?)```", text, re.DOTALL)[0] + '\nx = rows [ {a: f"""{ {b: "c'
    for end in range(len(block)):
        assert "".join(piece for _, piece in TideLexer(ensurenl=False, stripnl=False).get_tokens(block[:end])) == block[:end]
