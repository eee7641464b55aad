//! What comes from the habit of another language: of SQL, of Python, of PRQL. Told with what is written here instead.

use tidebook_plan::Diagnostic;

use super::super::grammar::Rule;
use super::super::scan::TokenKind;
use super::super::steps;
use super::Site;
use crate::diagnostics::syntax as codes;

/// The first habit that fits.
pub(super) fn find(site: &Site<'_>) -> Option<Diagnostic> {
    const HABITS: [fn(&Site<'_>) -> Option<Diagnostic>; 20] = [
        whole_division,
        curly_quotes,
        as_alias,
        table_as_value,
        lone_value,
        is_value,
        foreign_case,
        colon_cast,
        power,
        missing_comma,
        quoted_name,
        rows_otherwise,
        star_of_count,
        foreign_comparison,
        join_otherwise,
        list_otherwise,
        column_list,
        function_body,
        aggregate_clause,
        assertion,
    ];
    HABITS.iter().find_map(|habit| habit(site))
}

impl Site<'_> {
    /// The word so many tokens before the place of the fault.
    fn back(&self, count: usize) -> &str {
        self.found.checked_sub(count).map_or("", |index| self.word(index))
    }

    /// True if the tokens at `index` and after it touch.
    fn touches(&self, index: usize) -> bool {
        index + 1 < self.tokens.len() && self.span(index).end == self.span(index + 1).start
    }

    /// The bracket that is open at the fault, and what stands before it.
    fn inside(&self) -> (&str, &str) {
        let Some(open) = self.open().last().copied() else { return ("", "") };
        let Some(place) = self.tokens.iter().position(|token| token.span == open.span) else { return ("", "") };
        (self.word(place), place.checked_sub(1).map_or("", |before| self.word(before)))
    }

    /// The word of the step that the fault stands in.
    fn step(&self) -> &str {
        let bar = (self.start..self.found.min(self.tokens.len())).rev().find(|index| self.word(*index) == "|");
        bar.map_or("", |bar| self.word(bar + 1))
    }

    /// What an expression could begin at the fault.
    fn wants_value(&self) -> bool {
        self.stop.tried.iter().any(|rule| matches!(rule, Rule::operand | Rule::expr | Rule::prefix))
    }

    fn ends_value(&self, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return false };
        match token.kind {
            TokenKind::Symbol => matches!(self.word(index), ")" | "]" | "}"),
            TokenKind::Word => {
                let word = self.word(index);
                !super::RESERVED.contains(&word) || matches!(word, "null" | "true" | "false")
            }
            _ => true,
        }
    }
}

/// `7 // 2`
fn whole_division(site: &Site<'_>) -> Option<Diagnostic> {
    let begins = |index: &usize| site.word(*index) == "/" && site.word(index + 1) == "/" && site.touches(*index);
    let index = [site.found.checked_sub(1), Some(site.found)].into_iter().flatten().find(begins)?;
    let span = site.span(index).to(site.span(index + 1));
    let fault = codes::UNEXPECTED.error("`//` is no operator of Tide", span);
    Some(fault.with_help("write `/`: an int divided by an int is an int; or `floor(x / y)` of floats"))
}

/// `“pen”`
fn curly_quotes(site: &Site<'_>) -> Option<Diagnostic> {
    let quote = site.word(site.found);
    if !matches!(quote, "“" | "”" | "‘" | "’" | "„" | "«" | "»" | "´") {
        return None;
    }
    let fault =
        codes::UNEXPECTED.error(format!("a text stands between `\"` or `'`, found `{quote}`"), site.span(site.found));
    Some(
        fault
            .with_help("type the quotes anew: a program for letters has changed them")
            .with_edit(site.span(site.found), "\""),
    )
}

/// `select name as n`, `cast(qty as float)`
fn as_alias(site: &Site<'_>) -> Option<Diagnostic> {
    if site.word(site.found) != "as" {
        return None;
    }
    let (value, name) = (site.back(1), site.word(site.found + 1));
    let (open, before) = site.inside();
    if open == "(" && before == "cast" {
        let message = "expected `,` and the type in `cast`, found `as`";
        let fault = codes::UNEXPECTED.error(message, site.span(site.found));
        let help = format!("write `cast({value}, {name})`, or the type's name as a function: `{name}({value})`");
        return Some(fault.with_help(help).with_edit(site.span(site.found), ","));
    }
    if !matches!(site.step(), "select" | "derive" | "summarize" | "rename") {
        return None;
    }
    let message = "a name stands before what it names, with `:`, not after it with `as`";
    let fault = codes::UNEXPECTED.error(message, site.span(site.found));
    Some(fault.with_help(format!("write `{name}: {value}`")))
}

/// `t.where(qty > 2)`, `t["qty"]`, `t == rows [ … ]`, `let t = …`
fn table_as_value(site: &Site<'_>) -> Option<Diagnostic> {
    let start = site.start;
    if site.inside().0 != "" || !site.is_word(start) {
        return None;
    }
    let (name, found) = (site.word(start), site.word(site.found));
    let dotted = site.word(start + 1) == "." && site.found == start + 3;
    if found == "(" && dotted {
        let method = site.word(start + 2);
        let fault = codes::UNEXPECTED.error("a table has no methods: its steps follow after `|`", site.span(start + 2));
        return Some(match (steps::is_step_word(method), steps::foreign_step(method)) {
            (true, _) => fault.with_help(format!("write `{name} | {method} …`")),
            (false, Some(sentence)) => fault.with_help(format!("{sentence}: `{name} | …`")),
            (false, None) => {
                fault.with_help(format!("write `{name} | where …`, `{name} | limit 10`; `%help steps` lists the steps"))
            }
        });
    }
    if site.found != start + 1 {
        return None;
    }
    if found == "[" && site.tokens[site.found].span.start == site.span(start).end {
        let fault =
            codes::UNEXPECTED.error("a table has no elements: its steps follow after `|`", site.span(site.found));
        return Some(
            fault.with_help(format!("columns are chosen with `{name} | select a, b`, rows with `{name} | where …`")),
        );
    }
    if found == "==" && matches!(site.word(site.found + 1), "rows" | "read" | "sql" | "(") {
        let fault = codes::UNEXPECTED.error("a definition is written with one `=`", site.span(site.found));
        return Some(
            fault
                .with_help(format!("write `{name} = {} …`", site.word(site.found + 1)))
                .with_edit(site.span(site.found), "="),
        );
    }
    if matches!(found, "+" | "-") && site.is_word(site.found + 1) {
        let (step, other) = (if found == "+" { "union" } else { "except" }, site.word(site.found + 1));
        let fault = codes::UNEXPECTED.error(format!("`{found}` takes values, not tables"), site.span(site.found));
        return Some(fault.with_help(format!("write `{name} | {step} {other}`")));
    }
    if found == "(" && site.touches(start) {
        let fault = codes::UNEXPECTED.error("a call alone is no statement", site.span(start).to(site.span(site.found)));
        return Some(match name {
            "print" | "echo" => fault.with_help("a table is shown by its name alone, a text with `%echo text`"),
            _ => fault.with_help(format!(
                "a value is shown with `%eval {name}(…)`; a column is made with `table | derive name: {name}(…)`"
            )),
        });
    }
    None
}

/// `1 + 1`, `"hello"`
fn lone_value(site: &Site<'_>) -> Option<Diagnostic> {
    if site.found != site.start || site.wants_value() {
        return None;
    }
    let token = site.tokens.get(site.found)?;
    let is_value = matches!(token.kind, TokenKind::Number | TokenKind::Text | TokenKind::Instant)
        || matches!(site.word(site.found), "true" | "false" | "null" | "not" | "case");
    if !is_value || !token.first {
        return None;
    }
    let line = site.tokens[site.found..].iter().skip(1).take_while(|token| !token.first).last().unwrap_or(token);
    let text = token.span.to(line.span).of(site.scan.text);
    let message = format!("expected a statement, found {}: a value alone is none", site.found_text());
    let fault = codes::UNEXPECTED.error(message, token.span);
    let short = if text.len() <= 60 && !text.contains('\n') { text } else { "…" };
    Some(fault.with_help(format!("a value is shown with `%eval {short}`")))
}

/// `name is "pen"`, `name ilike "p%"`
fn is_value(site: &Site<'_>) -> Option<Diagnostic> {
    let value = site.word(site.found);
    let short = if value.len() <= 40 && !value.contains('\n') { value } else { "…" };
    match (site.back(2), site.back(1)) {
        (_, "is") if !matches!(value, "not" | "null") => {
            let fault = codes::UNEXPECTED.error(
                format!("expected `null` or `not null` after `is`, found {}", site.found_text()),
                site.span(site.found),
            );
            Some(
                fault
                    .with_help(format!("values are compared with `==`: `== {short}`"))
                    .with_edit(site.span(site.found - 1), "=="),
            )
        }
        ("is", "not") if value != "null" => {
            let fault = codes::UNEXPECTED
                .error(format!("expected `null` after `is not`, found {}", site.found_text()), site.span(site.found));
            let is_not = site.span(site.found - 2).to(site.span(site.found - 1));
            Some(fault.with_help(format!("values are compared with `!=`: `!= {short}`")).with_edit(is_not, "!="))
        }
        (_, word) if site.tokens.get(site.found).is_some_and(|token| token.kind == TokenKind::Text) => {
            let help = match word.to_ascii_lowercase().as_str() {
                "ilike" => "write `lower(x) like \"a%\"`, with the pattern in lower case",
                "matches" | "regexp" | "rlike" | "similar" => "write `matches(x, \"pattern\")`",
                "contains" | "has" => "write `contains(x, \"part\")`",
                "startswith" | "starts_with" => "write `starts_with(x, \"part\")`",
                "endswith" | "ends_with" => "write `ends_with(x, \"part\")`",
                _ => return None,
            };
            let fault = codes::UNEXPECTED.error(format!("`{word}` is no operator of Tide"), site.span(site.found - 1));
            Some(fault.with_help(help))
        }
        _ => None,
    }
}

/// `case when … then …`, `c ? a : b`, a branch of `case` with `:` or `->`
fn foreign_case(site: &Site<'_>) -> Option<Diagnostic> {
    let found = site.word(site.found);
    let form = "write `case { condition => value, else => value }`";
    if found == "when" && site.back(1) == "case" {
        let fault = codes::UNEXPECTED.error("expected `{` after `case`, found `when`", site.span(site.found));
        return Some(fault.with_help(form));
    }
    let in_case = site.inside() == ("{", "case");
    if in_case && matches!(found, ":" | "->" | "then" | "=")
        || (in_case && found == "-" && site.word(site.found + 1) == ">")
    {
        let fault = codes::UNEXPECTED
            .error(format!("expected `=>` between condition and value, found `{found}`"), site.span(site.found));
        return Some(fault.with_help(form).with_edit(site.span(site.found), "=>"));
    }
    if found == "?" && site.found > site.start + 1 {
        let fault = codes::UNEXPECTED.error("`?` is no operator of Tide", site.span(site.found));
        return Some(fault.with_help("write `if(condition, a, b)`, or `a ?? b` for a value in the place of null"));
    }
    None
}

/// `qty::float`
fn colon_cast(site: &Site<'_>) -> Option<Diagnostic> {
    let index = [Some(site.found), site.found.checked_sub(1)]
        .into_iter()
        .flatten()
        .find(|index| site.word(*index) == ":" && site.word(index + 1) == ":" && site.touches(*index))?;
    let (value, ty) = (index.checked_sub(1).map_or("x", |before| site.word(before)), site.word(index + 2));
    let fault = codes::UNEXPECTED.error("`::` is no operator of Tide", site.span(index).to(site.span(index + 1)));
    Some(fault.with_help(format!("a cast is the type's name as a function: `{ty}({value})`")))
}

/// `x ** 2`, `x ^ 2`
fn power(site: &Site<'_>) -> Option<Diagnostic> {
    let index = site.found;
    let doubled = site.word(index) == "*" && site.back(1) == "*" && index > 0 && site.touches(index - 1);
    let first = if doubled { index - 1 } else { index };
    if !doubled && site.word(index) != "^" {
        return None;
    }
    let span = site.span(first).to(site.span(index));
    let fault = codes::UNEXPECTED.error(format!("`{}` is no operator of Tide", span.of(site.scan.text)), span);
    let exponent = site.word(index + 1);
    let base = first.checked_sub(1).map_or("x", |before| site.word(before));
    Some(fault.with_help(format!("write `power({base}, {exponent})`")))
}

/// `{id: 1 name: "pen"}`, `derive a: 1 b: 2`, `rows [ {…} {…} ]`
fn missing_comma(site: &Site<'_>) -> Option<Diagnostic> {
    let (open, _) = site.inside();
    let found = site.found;
    let next_row = open == "[" && site.word(found) == "{" && site.back(1) == "}";
    let is_name = |index: usize| {
        site.tokens.get(index).is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Quoted))
    };
    let named = |index: usize| is_name(index) && site.word(index + 1) == ":" && index > 0 && site.ends_value(index - 1);
    let place = if next_row || (matches!(open, "{" | "(") && named(found)) {
        found
    } else if open.is_empty()
        && site.word(found) == ":"
        && found > 1
        && named(found - 1)
        && matches!(site.step(), "derive" | "select" | "summarize" | "rename")
    {
        found - 1
    } else {
        return None;
    };
    let what = if next_row { "the next row".to_string() } else { format!("`{}`", site.word(place)) };
    let before = site.span(place - 1).end;
    let fault = codes::UNEXPECTED.error(format!("expected `,` before {what}"), site.span(place));
    Some(fault.with_help("put a comma between them").with_edit(tidebook_plan::Span::new(before, before), ","))
}

/// `{"id": 1}`
fn quoted_name(site: &Site<'_>) -> Option<Diagnostic> {
    let token = site.tokens.get(site.found)?;
    if token.kind != TokenKind::Text || site.word(site.found + 1) != ":" || site.inside().0 != "{" {
        return None;
    }
    let name = site.word(site.found).trim_matches(['"', '\'']);
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !super::RESERVED.contains(&name);
    let written = if is_word { name.to_string() } else { format!("`{name}`") };
    let fault = codes::UNEXPECTED.error(format!("expected a name, found the text {}", site.found_text()), token.span);
    let help = if is_word {
        format!("a name stands without quotes: `{name}: …`")
    } else {
        "a name that is no plain word stands in backticks".to_string()
    };
    Some(fault.with_help(help).with_edit(token.span, written))
}

/// `rows {a: 1}`, `rows [ (1, 2) ]`, `equals [ {a: 1} ]`, `union rows [ … ]`
fn rows_otherwise(site: &Site<'_>) -> Option<Diagnostic> {
    let (found, before) = (site.word(site.found), site.back(1));
    let span = site.span(site.found);
    let told = |message: &str, help: &str| Some(codes::UNEXPECTED.error(message, span).with_help(help));
    let takes_table = |word: &str| matches!(word, "union" | "except" | "intersect" | "update" | "patch" | "join");
    match (before, found) {
        ("rows" | "then", "{") => {
            told("expected `[` after `rows`, found `{`", "the rows stand in brackets: `rows [ {a: 1}, {a: 2} ]`")
        }
        ("equals", "[") => told("expected a table after `equals`, found `[`", "write `equals rows [ {a: 1} ]`"),
        ("rows", "[") if takes_table(site.back(2)) => {
            told("expected the name of a table, found a pipeline", "put the pipeline in parentheses: `(rows [ … ])`")
        }
        ("[" | ",", "+") if site.inside() == ("[", "rows") => {
            told("expected a row, found `+`", "a row that comes has no sign, one that is taken back has `-`")
        }
        ("[" | ",", "(" | "[") if site.inside() == ("[", "rows") => {
            told("a row is a record with the names of its columns", "write `rows [ {a: 1, b: \"x\"} ]`")
        }
        _ => None,
    }
}

/// `count(*)`
fn star_of_count(site: &Site<'_>) -> Option<Diagnostic> {
    if site.word(site.found) != "*" || site.back(1) != "(" {
        return None;
    }
    let fault = codes::UNEXPECTED.error("`*` is no argument", site.span(site.found));
    Some(match site.back(2).to_ascii_lowercase().as_str() {
        "count" => fault.with_help("rows are counted with `count()`").with_edit(site.span(site.found), ""),
        _ => fault.with_help("name the column"),
    })
}

/// `a => 1`, `a =< 1`, `a =! 1`
fn foreign_comparison(site: &Site<'_>) -> Option<Diagnostic> {
    let index = site.found;
    let (first, last, right) = match (site.word(index), site.word(index + 1)) {
        ("=>", _) if site.inside() != ("{", "case") => (index, index, ">="),
        ("=", "<") if site.touches(index) => (index, index + 1, "<="),
        ("=", "!") if site.touches(index) => (index, index + 1, "!="),
        _ => return None,
    };
    let span = site.span(first).to(site.span(last));
    let fault = codes::UNEXPECTED.error(format!("`{}` is no operator of Tide", span.of(site.scan.text)), span);
    Some(fault.with_help(format!("write `{right}`")).with_edit(span, right))
}

/// `left outer join`, `join left t`
fn join_otherwise(site: &Site<'_>) -> Option<Diagnostic> {
    let (found, before) = (site.word(site.found), site.back(1));
    if found == "outer" && matches!(before, "left" | "right" | "full") {
        let fault =
            codes::UNEXPECTED.error(format!("expected `join` after `{before}`, found `outer`"), site.span(site.found));
        return Some(fault.with_help(format!("write `{before} join`")).with_edit(site.span(site.found), ""));
    }
    let (word, kind) = (site.back(3), site.back(2));
    if word == "join"
        && matches!(kind, "left" | "right" | "full" | "semi" | "anti" | "cross" | "inner")
        && found == "on"
    {
        let fault = codes::UNEXPECTED
            .error(format!("the kind of a join stands before it, found `join {kind}`"), site.span(site.found - 2));
        return Some(fault.with_help(format!("write `{kind} join {before} on …`")));
    }
    None
}

/// `id in 1, 2`, `id in {1, 2}`
fn list_otherwise(site: &Site<'_>) -> Option<Diagnostic> {
    let (open, before) = site.inside();
    let braces = open == "{" && before == "in";
    let bare = site.word(site.found) == "," && site.back(2) == "in" && site.found > 2;
    if !braces && !bare {
        return None;
    }
    let fault = codes::UNEXPECTED.error("the values after `in` stand in brackets", site.span(site.found));
    Some(fault.with_help("write `x in [1, 2]`"))
}

/// `select * except b`, `top 2 qty`, `dedupe by id`
fn column_list(site: &Site<'_>) -> Option<Diagnostic> {
    let (found, span) = (site.word(site.found), site.span(site.found));
    let told = |message: String, help: String| Some(codes::UNEXPECTED.error(message, span).with_help(help));
    if site.back(2) == "*"
        && matches!(site.back(1), "exclude" | "without" | "minus" | "except")
        && site.step() == "select"
    {
        return told(
            "columns are left out with `* except (…)`".to_string(),
            "write `select * except (a, b)`".to_string(),
        );
    }
    if site.back(1) == "*" && found == "except" && site.step() == "select" {
        return told(
            "expected `(` after `* except`".to_string(),
            format!("write `select * except ({})`", site.word(site.found + 1)),
        );
    }
    if site.step() == "top" && site.back(2) == "top" && site.is_word(site.found) {
        return told(
            format!("expected `by` and what the rows are ranked by, found {}", site.found_text()),
            format!("write `top {} by {found} desc`", site.back(1)),
        );
    }
    let ends = site.found >= site.tokens.len() || found == "|";
    if site.step() == "dedupe" && ends {
        return told(
            format!("expected `keep` or `when` after the keys of `dedupe`, found {}", site.found_text()),
            "write `dedupe by k keep first of at`, `keep last`, or `dedupe by k when condition`".to_string(),
        );
    }
    None
}

/// `fn f(x: float) { x * 2 }`
fn function_body(site: &Site<'_>) -> Option<Diagnostic> {
    if site.word(site.start) != "fn" || site.word(site.found) != "{" || site.back(1) == "=" {
        return None;
    }
    let fault = codes::UNEXPECTED.error("expected `=` and the value of the function, found `{`", site.span(site.found));
    Some(fault.with_help("write `fn name(x: float) -> float = x * 2.0`"))
}

/// `count(distinct v)`, `sum(v) filter v > 0`, `… by k having s > 1`
fn aggregate_clause(site: &Site<'_>) -> Option<Diagnostic> {
    if site.back(1) == "distinct" && site.back(2) == "(" {
        let (function, column) = (site.back(3), site.word(site.found));
        let fault =
            codes::UNEXPECTED.error("`distinct` is a step, not a word of an aggregate", site.span(site.found - 1));
        return Some(match function {
            "count" => fault.with_help(format!("different values are counted with `count_distinct({column})`")),
            _ => fault.with_help("take one of each before: `| distinct | summarize …`"),
        });
    }
    let recent = (site.start..site.found.min(site.tokens.len())).rev().take(3);
    let index = recent.into_iter().find(|index| matches!(site.word(*index), "filter" | "having"))?;
    if site.step() != "summarize" {
        return None;
    }
    let word = site.word(index);
    let fault = codes::UNEXPECTED.error(format!("`{word}` does not go on as expected"), site.span(index));
    Some(match word {
        "filter" => fault.with_help("write `sum(x) filter (where condition)`"),
        _ => fault.with_help("groups are kept with a step of their own: `| where condition`"),
    })
}

/// `expect count(t) == 1`, `expect t has 1 rows`, `assert t is not empty`
fn assertion(site: &Site<'_>) -> Option<Diagnostic> {
    let word = site.word(site.start);
    let goes_on = site.tokens.get(site.start + 1).is_some_and(|next| !next.first);
    if !goes_on || site.inside().0 != "" || !matches!(word, "expect" | "assert") || site.word(site.start + 1) == "=" {
        return None;
    }
    let table = if site.word(site.start + 2) == "(" { site.word(site.start + 3) } else { site.word(site.start + 1) };
    // Inside of a pipeline, what is missing there says more.
    if (site.start..site.found.min(site.tokens.len())).any(|index| site.word(index) == "|") {
        return None;
    }
    let fault = codes::UNEXPECTED
        .error(format!("`{word}` does not go on as expected"), site.span(site.found.min(site.tokens.len() - 1)));
    Some(fault.with_help(format!(
        "write `expect {table} is empty`, `expect {table} is not empty`, `expect {table} all condition`, `expect {table} equals rows [ … ]` or \
         `expect {table} | summarize n: count() equals rows [ {{n: 1}} ]`"
    )))
}
