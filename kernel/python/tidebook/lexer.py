"""Tide for Pygments, which nbconvert, documentation tools and pagers highlight with.

The grammar of the kernel decides what a text means; this lexer only draws it, also where it is wrong or cut off. Most
words of Tide are keywords in one place and plain names in all others, so the rules look at what stands around them.
"""

from __future__ import annotations

from pygments.lexer import RegexLexer, bygroups, default, include, using, words
from pygments.lexers.rust import RustLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, Punctuation, String, Text, Whitespace

__all__ = ["TideLexer"]

# Words that are never a plain name.
RESERVED = ("case", "else", "by", "on", "as")
RESERVED_OPERATORS = ("and", "or", "not", "in", "is", "like", "between")
RESERVED_VALUES = ("null", "true", "false")

# Words that begin a statement.
STATEMENTS = ("param", "set", "fn", "expect", "reply", "drop")

# Words that begin a step: they stand behind a `|`.
STEPS = (
    "anti", "asof", "changes", "cross", "dedupe", "derive", "distinct", "drop", "except", "flatten", "full", "index",
    "inner", "intersect", "iterate", "join", "key", "left", "limit", "match", "patch", "plot", "rename", "right",
    "search", "select", "semi", "serve", "show", "sort", "summarize", "top", "union", "update", "watermark", "where",
    "write",
)  # fmt: skip

# Words inside of steps and statements: keywords where a value, a name or a bracket follows.
CLAUSES = (
    "all", "asof", "default", "delay", "emit", "equals", "every", "except", "filter", "for", "from", "full", "join",
    "keep", "last", "late", "left", "limit", "max", "mode", "of", "over", "per", "right", "sort", "then", "top", "union",
    "using", "when", "where", "with", "within",
)  # fmt: skip

# Words that end what they belong to.
ENDINGS = ("asc", "desc")

TYPES = ("bool", "int", "float", "decimal", "text", "bytes", "date", "timestamp", "duration", "json", "vector")

BARE = r"[A-Za-z_][A-Za-z0-9_]*"
QUOTED = r"`(?:``|[^`\n])+`"
DIGITS = r"[0-9][0-9_]*"
# A word that names something: a definition, an argument, a field, a table before its column.
NAMES = r"(?!\s*(?:=(?![=>])|:|\.))"


def any_of(choices: tuple[str, ...]) -> str:
    return "(?:" + "|".join(choices) + r")\b"


class TideLexer(RegexLexer):
    """The language of Tidebook: pipelines over tables that change."""

    name = "Tide"
    aliases = ["tide"]
    filenames = ["*.tide"]
    mimetypes = ["text/x-tide"]

    tokens = {
        "root": [
            (r"\A(\s*)(%%)(rust)(\b[^\n]*\n)((?s:.*))", bygroups(Whitespace, Operator, Keyword, Text, using(RustLexer))),
            (r"\A(\s*)(%%)(\w+)((?s:.*))", bygroups(Whitespace, Operator, Keyword, Text)),
            (r"^([ \t]*)(%)(echo)([^\n]*)", bygroups(Whitespace, Operator, Keyword, Text)),
            (r"^([ \t]*)(%)(\w*)", bygroups(Whitespace, Operator, Keyword)),
            (
                rf"^([ \t]*)(fn)(\s+)({BARE}|{QUOTED})(?=\s*\()",
                bygroups(Whitespace, Keyword.Declaration, Whitespace, Name.Function),
            ),
            (
                rf"^([ \t]*)({any_of(STATEMENTS)}){NAMES}(?=\s+[A-Za-z_`(])",
                bygroups(Whitespace, Keyword.Declaration),
            ),
            (rf"({BARE}|{QUOTED})(\s*)(=)(?![=>])", bygroups(Name.Variable, Whitespace, Operator)),
            include("code"),
        ],
        "code": [
            (r"\s+", Whitespace),
            (r"#[^\n]*", Comment.Single),
            include("texts"),
            (r"@[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[-+][0-9]{2}:[0-9]{2})?)?", Literal.Date),
            (rf"{DIGITS}(?:\.{DIGITS})?(?:ms|[smhd])\b", Number.Duration),
            (rf"{DIGITS}(?:\.{DIGITS}(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)", Number.Float),
            (DIGITS, Number.Integer),
            (r"\|(?!\|)", Punctuation, "step"),
            include("words"),
            (rf"(\.)({BARE}|{QUOTED})", bygroups(Punctuation, Name)),
            (QUOTED, Name.Quoted),
            (r"==|!=|<=|>=|=>|->|\?\?|[-+*/%<>=]", Operator),
            (r"[][(){},.:?]", Punctuation),
        ],
        "words": [
            (words(RESERVED, suffix=r"\b"), Keyword),
            (words(RESERVED_VALUES, suffix=r"\b"), Keyword.Constant),
            (r"(is)(\s+)(not)(\s+)(empty)\b", bygroups(Operator.Word, Whitespace, Operator.Word, Whitespace, Keyword)),
            (r"(is)(\s+)(empty)\b", bygroups(Operator.Word, Whitespace, Keyword)),
            (words(RESERVED_OPERATORS, suffix=r"\b"), Operator.Word),
            # Heads, with the connector that they name.
            (
                rf"(read|serve)(\s+)({BARE}(?:\.{BARE})*)(?=\()",
                bygroups(Keyword, Whitespace, Name.Builtin),
            ),
            (r"rows(?=\s*[\[)])", Keyword),
            (r"""sql(?=\s+["'])""", Keyword),
            (r"(emit)(\s+)(live|final)\b", bygroups(Keyword, Whitespace, Keyword)),
            (r"(keep)(\s+)(first|last)\b", bygroups(Keyword, Whitespace, Keyword)),
            (rf"(?:{any_of(CLAUSES)}){NAMES}(?=\s+[A-Za-z0-9_\"'`@\[({{-])(?!\s+(?:and|or|in|is|like|between|by|as)\b)", Keyword),
            (rf"(?:{any_of(ENDINGS)}){NAMES}(?=\s*(?:$|[|,)}}#\n]|(?:last|limit|per|sort)\b))", Keyword),
            (rf"(?:{any_of(TYPES)})(?=\()", Keyword.Type),
            (
                rf"(:)(\s*)({any_of(TYPES)})(\??)(\s+)(key)\b(?!\s*[:.])",
                bygroups(Punctuation, Whitespace, Keyword.Type, Punctuation, Whitespace, Keyword),
            ),
            (rf"(:|->)(\s*)({any_of(TYPES)})(?!\s*[.(:+*/<>-])", bygroups(Punctuation, Whitespace, Keyword.Type)),
            (rf"({BARE}|{QUOTED})(\s*)(?=:)", bygroups(Name.Attribute, Whitespace)),
            (rf"{BARE}(?=\()", Name.Function),
            (BARE, Name),
        ],
        # After a `|`: white space and comments, then the word of a step.
        "step": [
            (r"\s+", Whitespace),
            (r"#[^\n]*", Comment.Single),
            (rf"(write|index|plot|serve)(\s+)({BARE}(?:\.{BARE})*)(?=\()", bygroups(Keyword, Whitespace, Name.Builtin), "#pop"),
            (words(STEPS, suffix=r"\b"), Keyword, "#pop"),
            default("#pop"),
        ],
        "texts": [
            (r'f"""', String.Affix, "long f-text"),
            (r'f"', String.Affix, "f-text"),
            (r"f'", String.Affix, "f-text'"),
            (r'"""', String.Double, "long text"),
            (r'"', String.Double, "text"),
            (r"'", String.Single, "text'"),
        ],
        "escapes": [(r"\\.", String.Escape)],
        "text": [include("escapes"), (r'"', String.Double, "#pop"), (r'[^"\\\n]+', String.Double), default("#pop")],
        "text'": [include("escapes"), (r"'", String.Single, "#pop"), (r"[^'\\\n]+", String.Single), default("#pop")],
        "long text": [
            (r"(?s:\\.)", String.Escape),
            (r'"""', String.Double, "#pop"),
            (r'[^"\\]+|"', String.Double),
        ],
        "holes": [
            (r"\{\{|\}\}", String.Escape),
            (r"\{", String.Interpol, "hole"),
            (r"\}", String.Double),
        ],
        "f-text": [
            include("escapes"),
            include("holes"),
            (r'"', String.Double, "#pop"),
            (r'[^"\\{}\n]+', String.Double),
            default("#pop"),
        ],
        "f-text'": [
            include("escapes"),
            include("holes"),
            (r"'", String.Single, "#pop"),
            (r"[^'\\{}\n]+", String.Single),
            default("#pop"),
        ],
        "long f-text": [
            (r"(?s:\\.)", String.Escape),
            include("holes"),
            (r'"""', String.Double, "#pop"),
            (r'[^"\\{}]+|"', String.Double),
        ],
        "hole": [(r"\}", String.Interpol, "#pop"), (r"\{", Punctuation, "braces"), include("code")],
        "braces": [(r"\}", Punctuation, "#pop"), (r"\{", Punctuation, "#push"), include("code")],
    }
