//! Common slips, recognised by the tokens around the place of the fault.

use tidebook_plan::diagnostic::near_names;
use tidebook_plan::{Diagnostic, Span};

use super::super::grammar::Rule;
use super::super::scan::TokenKind;
use super::super::{RESERVED, steps};
use super::{Site, capital_word, form, is_capital_word, missing_bar, sql, unfinished};
use crate::diagnostics::syntax as codes;

/// The first slip that fits. The order matters: a sharper one comes before a looser one.
pub(super) fn find(site: &Site<'_>) -> Option<Diagnostic> {
    const SLIPS: [fn(&Site<'_>) -> Option<Diagnostic>; 14] = [
        sql_statement,
        starred_count,
        capitals,
        unfinished_statement,
        half_between,
        foreign_letters,
        foreign_operator,
        assignment,
        unknown_step,
        missing_step_bar,
        reserved_name,
        bad_literal,
        not_a_table,
        unnamed_column,
    ];
    SLIPS.iter().find_map(|slip| slip(site))
}

/// `select a from t where …`
fn sql_statement(site: &Site<'_>) -> Option<Diagnostic> {
    let first = site.word(site.start).to_ascii_lowercase();
    let from = (site.start..site.tokens.len()).any(|index| site.word(index).eq_ignore_ascii_case("from"));
    let query = match first.as_str() {
        "select" => site.word(site.start + 1) != "=",
        "insert" => site.word(site.start + 1).eq_ignore_ascii_case("into"),
        "create" | "alter" => site.word(site.start + 1).eq_ignore_ascii_case("table"),
        "with" | "delete" => from,
        _ => site.word(site.start + 1) == "=" && site.word(site.start + 2).eq_ignore_ascii_case("select") && from,
    };
    let grouped = site.found > 0
        && site.word(site.found) == "by"
        && matches!(site.word(site.found - 1).to_ascii_lowercase().as_str(), "group" | "order");
    if grouped {
        let span = site.span(site.found - 1).to(site.span(site.found));
        let help = "write `| summarize n: count() by …` for groups, `| sort …` for an order";
        return Some(codes::SQL.error(format!("`{} by` is SQL", site.word(site.found - 1)), span).with_help(help));
    }
    let place = if site.word(site.start + 1) == "=" { site.start + 2 } else { site.start };
    query.then(|| sql(site.span(place)))
}

/// `count(*)`
fn starred_count(site: &Site<'_>) -> Option<Diagnostic> {
    let call = site.found.checked_sub(2)?;
    if site.word(site.found) != "*" || site.word(call + 1) != "(" || site.word(site.found + 1) != ")" {
        return None;
    }
    let span = site.span(site.found);
    let message = format!("`{}` takes no `*`: rows are counted by `count()`", site.word(call));
    let help = format!("write `{}()`", site.word(call));
    Some(codes::SQL.error(message, span).with_help(help).with_edit(span, ""))
}

/// `&&`, `||`, `!`, `<>`, `===`, `;` and the like.
fn foreign_operator(site: &Site<'_>) -> Option<Diagnostic> {
    let index = site.found;
    let next = site.word(index + 1);
    let touches = site.span(index).end == site.span(index + 1).start;
    let before = index.checked_sub(1).map_or("", |before| site.word(before));
    let touched = index > 0 && site.span(index - 1).end == site.span(index).start;
    let (places, right, help) = match site.word(index) {
        "&&" => (index..index + 1, "and", "write `and`"),
        "||" if steps::is_step_word(next) => (index..index + 1, "|", "write `|`"),
        "||" if [index.wrapping_sub(1), index + 1]
            .iter()
            .any(|at| site.tokens.get(*at).is_some_and(|token| token.kind == TokenKind::Text)) =>
        {
            (index..index + 1, "+", "write `+` between texts, or an f-string")
        }
        "||" => (index..index + 1, "or", "write `or`, or `+` between texts; `|` alone joins steps"),
        "&" => (index..index + 1, "and", "write `and`"),
        "!" if touches && next == "=" => return None,
        // `!ls` is no condition.
        "!" if index == site.start => return None,
        "!" => (index..index + 1, "not ", "write `not`"),
        ";" => (index..index + 1, "", "leave it out: a statement ends where the next begins"),
        ">" if before == "<" && touched => (index - 1..index + 1, "!=", "write `!=`"),
        "=" if before == "==" && touched => (index - 1..index + 1, "==", "write `==`"),
        "=>" if before == "=" => return None,
        ":" if next == "=" && touches => (index..index + 2, "=", "write `=`"),
        "|" if next == ">" && touches => (index..index + 2, "|", "write `|`"),
        ">" if before == "|" && touched => (index - 1..index + 1, "|", "write `|`"),
        "*" if before == "*" && touched => return None,
        _ => return None,
    };
    let span = site.span(places.start).to(site.span(places.end - 1));
    let text = span.of(site.scan.text);
    let fault = codes::UNEXPECTED.error(format!("`{text}` is no operator of Tide"), span);
    Some(fault.with_help(help).with_edit(span, right))
}

/// `where a = 1`, `derive a = 1`, `csv(header = true)`.
fn assignment(site: &Site<'_>) -> Option<Diagnostic> {
    // `summarize n = count(…`: the call is where a table cannot go on.
    let called = site.found.checked_sub(2).filter(|_| site.word(site.found) == "(");
    let index = [Some(site.found), Some(site.found + 1), Some(site.found.checked_sub(1)?), called]
        .into_iter()
        .flatten()
        .find(|index| site.word(*index) == "=" && *index > site.start + 1)?;
    let name = index - 1;
    // A definition on its own line after an unfinished statement: that one is the fault, not the definition.
    if site.tokens[name].first {
        return None;
    }
    let span = site.span(index);
    let inside = site.open().last().map_or("", |open| site.scan.word(open)).to_string();
    let named = matches!(inside.as_str(), "(" | "{") && matches!(site.word(name.checked_sub(1)?), "(" | "{" | ",");
    let step = (site.start..name).rev().find(|before| *before > 0 && site.word(before - 1) == "|");
    let step = step.map_or("", |step| site.word(step));
    let after_comma = step == site.word(name - 1) || site.word(name - 1) == ",";
    let names = matches!(step, "derive" | "select" | "summarize" | "rename") && after_comma;
    if named || (inside.is_empty() && names) {
        let fault = codes::ASSIGNMENT.error("expected `:` after the name, found `=`", span);
        let help = format!("write `{}: …`", site.word(name));
        return Some(fault.with_help(help).with_edit(Span::new(site.span(name).end, span.end), ":"));
    }
    let fault = codes::ASSIGNMENT.error("expected a comparison, found `=`", span);
    Some(fault.with_help("compare with `==`; `name = …` begins a definition").with_edit(span, "=="))
}

/// `| wher a > 1`
fn unknown_step(site: &Site<'_>) -> Option<Diagnostic> {
    let index = site.found;
    if index == 0 || site.word(index - 1) != "|" || site.word(index + 1) == "=" && site.tokens.get(index)?.first {
        return None;
    }
    let word = site.word(index);
    if !site.is_word(index) {
        let message = format!("expected a step after `|`, found {}", site.found_text());
        let fault = codes::UNEXPECTED.error(message, site.span(index));
        return Some(
            fault.with_help("a step begins with its name: `| where …`, `| select …`; `%help steps` lists them"),
        );
    }
    if steps::is_step_word(word) {
        return None;
    }
    // The next statement, where the step is missing that the bar announces.
    if site.tokens[index].first && site.word(index + 1) == "|" {
        let fault =
            codes::UNEXPECTED.error("expected a step after `|`, found the next statement", site.span(index - 1));
        return Some(fault.with_help("write the step, or leave the `|` out"));
    }
    let fault = codes::UNKNOWN_STEP.error(format!("unknown step `{word}`"), site.span(index));
    Some(match near_names(word, steps::step_words()).first() {
        Some(near) => fault.with_help(format!("did you mean `{near}`?")).with_edit(site.span(index), *near),
        None => match steps::foreign_step(word) {
            Some(sentence) => fault.with_help(sentence),
            None => fault.with_help("`%help steps` lists the steps"),
        },
    })
}

/// `orders where qty > 1`
fn missing_step_bar(site: &Site<'_>) -> Option<Diagnostic> {
    let before = |index: usize| index.checked_sub(1).map_or("", |before| site.word(before));
    let line = (0..=site.found.min(site.tokens.len().checked_sub(1)?)).rev().find(|index| site.tokens[*index].first)?;
    if site.word(line).eq_ignore_ascii_case("select") && site.word(line + 1) != "=" {
        return Some(sql(site.span(line)));
    }
    // The statement with the fault begins with the word of a step, or follows one that does.
    let start = site.start;
    let step =
        site.is_word(start) && steps::is_step_word(site.word(start)) && !matches!(site.word(start), "drop" | "serve");
    if step && site.word(start + 1) != "=" && site.found > start {
        return Some(missing_bar(site.word(start), site.span(start)));
    }
    let recent = (start..site.found.min(site.tokens.len())).rev().take(4);
    let candidates = std::iter::once(site.found).chain(recent);
    for index in candidates {
        let previous = before(index);
        let after_value = !matches!(previous, "|" | "," | "(" | "[" | "{" | ":" | "." | "")
            && !RESERVED.contains(&previous)
            && !steps::is_step_word(previous)
            && (site.is_word(index - 1)
                || site.tokens[index - 1].kind != TokenKind::Symbol
                || matches!(previous, ")" | "]" | "}"));
        let certain = matches!(
            site.word(index),
            "where" | "select" | "derive" | "summarize" | "distinct" | "rename" | "join" | "limit"
        );
        if after_value && certain && site.is_word(index) && site.open().is_empty() && index > start {
            let summarized = (start..index).rev().find(|bar| *bar > 0 && site.word(bar - 1) == "|");
            if site.word(index) == "where"
                && previous == ")"
                && summarized.is_some_and(|step| site.word(step) == "summarize")
            {
                let help = "write `| where …` for the groups, `sum(x) filter (where …)` for the rows of an aggregate";
                return Some(
                    codes::MISSING_BAR.error("expected `|` before the step `where`", site.span(index)).with_help(help),
                );
            }
            return Some(missing_bar(site.word(index), site.span(index)));
        }
    }
    None
}

/// `where a AND b`
fn capitals(site: &Site<'_>) -> Option<Diagnostic> {
    let end = (site.found + 1).min(site.tokens.len());
    let index = (site.start..end).find(|index| site.is_word(*index) && is_capital_word(site.word(*index)))?;
    Some(capital_word(site.word(index), site.span(index)))
}

/// `param since = 1`, `reply asks 5`
fn unfinished_statement(site: &Site<'_>) -> Option<Diagnostic> {
    let start = site.start;
    let line_goes_on = |index: usize| site.tokens.get(index + 1).is_some_and(|next| !next.first);
    let candidates = [start.checked_sub(1), Some(start), start.checked_sub(2)];
    let index = candidates.into_iter().flatten().find(|index| {
        let form = site.is_word(*index) && form(site.word(*index), false).is_some();
        form && line_goes_on(*index) && (*index == 0 || site.tokens[*index].first)
    })?;
    // Deep inside of the statement, what is missing there says more.
    let assigned = site.word(index) != "set" && site.word(index + 2) == "=";
    if site.found > index + 2 + usize::from(assigned)
        || site.word(index + 1) == "="
        || matches!(site.word(index), "read" | "rows" | "sql")
    {
        return None;
    }
    let word = site.word(index);
    form(word, false).map(|form| unfinished(word, form, site.span(index)))
}

/// `qty between 1, 5`
fn half_between(site: &Site<'_>) -> Option<Diagnostic> {
    let from = site.found.checked_sub(4)?;
    let index = (from..site.found).rev().find(|index| matches!(site.word(*index), "between" | "and"))?;
    if site.word(index) != "between" || index + 1 >= site.found {
        return None;
    }
    let message = format!("expected `and` and the upper end of `between`, found {}", site.found_text());
    let fault = codes::UNEXPECTED.error(message, site.span(site.found));
    Some(fault.with_help("write `x between 1 and 5`; both ends are included"))
}

/// `naïve`
fn foreign_letters(site: &Site<'_>) -> Option<Diagnostic> {
    let word = site.word(site.found);
    if !site.is_word(site.found) || word.is_ascii() {
        return None;
    }
    let span = site.span(site.found);
    let fault = codes::UNEXPECTED.error(format!("a bare name has the letters a to z only, found `{word}`"), span);
    Some(fault.with_help("write the name in backticks").with_edit(span, format!("`{word}`")))
}

/// `derive on: 1`
fn reserved_name(site: &Site<'_>) -> Option<Diagnostic> {
    let word = site.word(site.found);
    if !RESERVED.contains(&word) {
        return None;
    }
    let next = site.word(site.found + 1);
    let before = site.found.checked_sub(1).map_or("", |before| site.word(before));
    let named = matches!(next, ":" | "=")
        || matches!(before, "as" | "." | "param" | "set" | "fn" | "drop" | "select" | "rename");
    let wants_name =
        site.stop.tried.iter().any(|rule| matches!(rule, Rule::name | Rule::ident | Rule::bare | Rule::path));
    if !(named || wants_name && before == "|") || before == "|" {
        return None;
    }
    let span = site.span(site.found);
    let fault = codes::RESERVED_NAME.error(format!("expected a name, found the reserved word `{word}`"), span);
    Some(fault.with_help(format!("write it in backticks: `` `{word}` ``")).with_edit(span, format!("`{word}`")))
}

/// `5x`, `@2026-1-1`, `1_000_`
fn bad_literal(site: &Site<'_>) -> Option<Diagnostic> {
    let token = site.tokens.get(site.found)?;
    let text = site.word(site.found);
    // `@2026-11-22 10:00:00`
    if token.kind == TokenKind::Number && site.found > 0 && site.tokens[site.found - 1].kind == TokenKind::Instant {
        let fault = codes::BAD_LITERAL.error("a timestamp is written in one piece", token.span);
        let date = site.word(site.found - 1);
        return Some(fault.with_help(format!("put a `T` between day and time: `{date}T10:00:00Z`")));
    }
    let help = match token.kind {
        TokenKind::Number if text.starts_with("0x") || text.starts_with("0b") || text.starts_with("0o") => {
            "ints are written in decimal digits, with `_` between them where that helps: `1_000`"
        }
        TokenKind::Number if text.contains(|c: char| c.is_alphabetic()) => {
            "durations are written `250ms`, `5s`, `1m`, `2h`, `3d`, and `1h + 30m` where one unit is not enough; a week is \
             `7d`, microseconds are `duration(\"5us\")`; a name does not begin with a digit"
        }
        TokenKind::Instant => "write a date as `@2026-11-22`, a timestamp as `@2026-11-22T10:00:00Z`",
        _ => return None,
    };
    let tried =
        |rule: &Rule| matches!(rule, Rule::number | Rule::duration | Rule::instant | Rule::operand | Rule::expr);
    let value_wanted = site.stop.tried.iter().any(tried);
    value_wanted.then(|| codes::BAD_LITERAL.error(format!("`{text}` is no literal"), token.span).with_help(help))
}

/// `x = 5`
fn not_a_table(site: &Site<'_>) -> Option<Diagnostic> {
    let value = site.start + 2;
    if site.word(site.start + 1) != "=" || site.found > value + 1 || site.found < value || value >= site.tokens.len() {
        return None;
    }
    let token = site.tokens[value];
    let literal = matches!(token.kind, TokenKind::Number | TokenKind::Text | TokenKind::Instant)
        || matches!(site.word(value), "true" | "false" | "null" | "-" | "[" | "{" | "not" | "case");
    let operation = site.is_word(value)
        && site.found == value + 1
        && matches!(site.word(site.found), "+" | "-" | "*" | "/" | "%" | "(" | "==" | "<" | ">");
    if !(literal || operation) {
        return None;
    }
    let name = site.word(site.start);
    let fault = codes::NOT_A_TABLE.error(format!("expected a table after `{name} =`, found a value"), token.span);
    Some(match site.word(value) {
        "[" => fault.with_help(format!("write the rows of a table as `{name} = rows [ {{a: 1}} ]`")),
        word if operation && site.word(site.found) == "(" => {
            let connector = word.strip_prefix("read_").or(word.strip_prefix("load_")).unwrap_or(word);
            fault.with_help(format!("a source is read with `{name} = read {connector}(…)`"))
        }
        _ => {
            fault.with_help(format!("write `param {name}: type = …` for a value, or `fn {name}(…) = …` for a formula"))
        }
    })
}

/// `derive qty * 2`
fn unnamed_column(site: &Site<'_>) -> Option<Diagnostic> {
    let step = site.found.checked_sub(1)?;
    let (step, named) = if site.word(step) == "derive" { (step, site.found) } else { (step.checked_sub(1)?, step) };
    if site.word(step) != "derive" || step == 0 || site.word(step - 1) != "|" || named >= site.tokens.len() {
        return None;
    }
    let fault = codes::UNEXPECTED.error("expected a name and `:` in `derive`", site.span(named));
    let next = site.tokens.get(named + 1);
    let value_follows = next
        .is_some_and(|next| next.kind != TokenKind::Symbol && !next.first && !RESERVED.contains(&site.word(named + 1)));
    Some(match site.is_word(named) && value_follows {
        true => fault.with_help(format!("write `derive {}: {} …`", site.word(named), site.word(named + 1))),
        false => fault.with_help(format!("write `derive name: {} …`", site.word(named))),
    })
}
