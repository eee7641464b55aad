"""Parameters of papermill as lines of Tide, `%param name = value`.

papermill puts a cell of them behind the cell that is tagged `parameters`, or at the top of the notebook. `%param` counts
in both places. Its value is read once the type of the parameter is known, so that a date may come as a text.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
from typing import Any

from papermill.engines import NBClientEngine
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

__all__ = ["TideEngine", "TideTranslator"]

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RESERVED = frozenset("and or not in is like between null true false case else by on as".split())
# A text with its prefix, or anything else up to a comment: what a default is made of.
VALUE = r"""(?:\"\"\"(?s:.*?)\"\"\"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[^\n#"'])+"""
DECLARATION = re.compile(
    rf"""^[ \t]*param\s+(?P<name>{WORD.pattern}|`[^`\n]+`)\s*:\s*(?P<type>[^=\n#]+?)[ \t]*"""
    rf"""(?:=\s*(?P<default>{VALUE}))?(?:\#(?P<help>[^\n]*))?$""",
    re.MULTILINE,
)


class TideTranslator(Translator):
    """Writes the values of parameters in Tide, and reads the parameters that a cell declares."""

    @classmethod
    def translate(cls, val: Any) -> str:
        """A value of Python as an expression of Tide."""
        if isinstance(val, datetime.datetime):
            utc = val.astimezone(datetime.timezone.utc) if val.tzinfo else val
            return f"@{utc.replace(tzinfo=None).isoformat()}Z"
        if isinstance(val, datetime.date):
            return f"@{val.isoformat()}"
        if isinstance(val, datetime.timedelta):
            return cls.translate_timedelta(val)
        if isinstance(val, decimal.Decimal):
            return cls.translate_str(str(val))
        if isinstance(val, (tuple, set, frozenset)):
            return cls.translate_list(list(val))
        return super().translate(val)

    @classmethod
    def translate_escaped_str(cls, str_val: Any) -> str:
        text = str(str_val).replace("\\", "\\\\").replace('"', '\\"')
        for character, escape in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
            text = text.replace(character, escape)
        return f'"{text}"'

    @classmethod
    def translate_none(cls, val: None) -> str:
        return "null"

    @classmethod
    def translate_float(cls, val: float) -> str:
        if not math.isfinite(val):
            return f'float("{val}")'
        text = repr(val)
        return text.replace("e+", "e")

    @classmethod
    def translate_timedelta(cls, val: datetime.timedelta) -> str:
        whole = val // datetime.timedelta(milliseconds=1)
        return f"{whole}ms" if whole >= 0 else f"-{-whole}ms"

    @classmethod
    def translate_dict(cls, val: dict[str, Any]) -> str:
        """A record; a document of JSON where Tide has no literal of that form."""
        if not cls.is_literal(val):
            return cls.translate_document(val)
        fields = ", ".join(f"{cls.name(key)}: {cls.translate(value)}" for key, value in val.items())
        return f"{{{fields}}}"

    @classmethod
    def translate_list(cls, val: list[Any]) -> str:
        """A list; a document of JSON where its elements are of several types."""
        if not cls.is_literal(val):
            return cls.translate_document(val)
        return f"[{', '.join(cls.translate(value) for value in val)}]"

    @classmethod
    def translate_document(cls, val: Any) -> str:
        """A text that holds a document of JSON, which a parameter of type `json` takes for that document."""
        return cls.translate_str(json.dumps(val, ensure_ascii=False, default=str))

    @classmethod
    def is_literal(cls, val: Any) -> bool:
        """Whether a list or dictionary can be written as a list or record of Tide."""
        if isinstance(val, dict):
            names = all(isinstance(key, str) and key and "\n" not in key for key in val)
            return bool(val) and names and all(map(cls.is_literal, val.values()))
        if isinstance(val, list):
            kinds = {cls.kind(value) for value in val if value is not None}
            return len(kinds) <= 1 and all(map(cls.is_literal, val))
        return True

    @classmethod
    def kind(cls, val: Any) -> Any:
        """Equal for values that one list may hold."""
        if isinstance(val, dict):
            return tuple((key, cls.kind(value)) for key, value in val.items())
        if isinstance(val, list):
            kinds = {cls.kind(value) for value in val if value is not None}
            return ("list", kinds.pop() if len(kinds) == 1 else None)
        if isinstance(val, (int, float)) and not isinstance(val, bool):
            return "number"
        return type(val).__name__

    @classmethod
    def name(cls, text: str) -> str:
        if WORD.fullmatch(text) and text not in RESERVED:
            return text
        return "`" + text.replace("`", "``") + "`"

    @classmethod
    def comment(cls, cmt_str: str) -> str:
        return f"# {cmt_str}".strip()

    @classmethod
    def assign(cls, name: str, str_val: str) -> str:
        return f"%param {name} = {str_val}"

    @classmethod
    def inspect(cls, parameters_cell: Any) -> list[Parameter]:
        """The parameters that a cell declares: `param name: type = default  # what it is`."""
        found = DECLARATION.finditer(parameters_cell["source"])
        return [
            Parameter(
                name=one["name"].strip("`"),
                inferred_type_name=one["type"].strip(),
                default=(one["default"] or "").strip(),
                help=(one["help"] or "").strip(),
            )
            for one in found
        ]


class TideEngine(NBClientEngine):
    """papermill's own engine, under the name `tidebook`: papermill loads packages through the engines that they bring."""


papermill_translators.register("tide", TideTranslator)
