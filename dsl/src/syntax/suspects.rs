//! Statements that parse, but are surely not what was meant.
//!
//! Since newlines are white space, `orders where big` is three bare pipelines, and so is much of SQL. Where
//! several bare names stand on one line, and one of them is a word of the language or of SQL, they are taken
//! for the slip that they are.

use tidebook_plan::Span;

use super::Parsed;
use super::faults;
use super::scan::Scan;
use super::steps;
use super::tree::{HeadKind, Name, Statement, StatementKind};

/// Takes suspect statements, from number `first` on, out of `parsed`, with a diagnostic for each line.
pub(super) fn remove(scan: &Scan<'_>, first: usize, parsed: &mut Parsed) {
    let statements = &parsed.statements[first..];
    let mut suspect = vec![false; statements.len()];
    let mut found = Vec::new();
    for index in 0..statements.len() {
        let Some(name) = bare_name(&statements[index]) else { continue };
        let word = name.text.as_str();
        // The statement before may have a fault of its own, and not stand here.
        let first = scan.tokens.get(scan.token_at(name.span.start)).is_none_or(|token| token.first);
        let after = !first;
        let follows = index > 0 && same_line(scan, statements[index - 1].span, name.span);
        let before = statements.get(index + 1).is_some_and(|next| same_line(scan, name.span, next.span));
        if suspect[index] {
            continue;
        }
        if !after && before && matches!(word, "let" | "var" | "const" | "val") {
            // The definition itself is right.
            found.push(faults::declared(word, name.span));
            suspect[index] = true;
            continue;
        }
        let fault = if word.eq_ignore_ascii_case("select") && !after && before {
            faults::sql(name.span)
        } else if after && steps::is_step_word(word) {
            faults::missing_bar(word, name.span)
        } else if after && faults::is_capital_word(word) {
            faults::capital_word(word, name.span)
        } else if after && faults::is_capital_step(word) {
            faults::capital_word(word, name.span)
        } else if after && matches!(word, "desc" | "asc") {
            faults::misplaced_direction(word, name.span)
        } else if let Some(form) = faults::form(word, after).filter(|_| before) {
            faults::unfinished(word, form, name.span)
        } else {
            continue;
        };
        found.push(fault);
        suspect[index] = true;
        if follows {
            suspect[index - 1] = true;
        }
        let mut last = index;
        while statements.get(last + 1).is_some_and(|next| same_line(scan, statements[last].span, next.span)) {
            last += 1;
            suspect[last] = true;
        }
    }
    let mut index = 0;
    let kept = parsed.statements.split_off(first).into_iter().filter(|_| {
        index += 1;
        !suspect[index - 1]
    });
    let kept: Vec<_> = kept.collect();
    parsed.statements.extend(kept);
    parsed.diagnostics.extend(found);
}

fn bare_name(statement: &Statement) -> Option<&Name> {
    match &statement.kind {
        StatementKind::Show(pipeline) if pipeline.steps.is_empty() => match &pipeline.head.kind {
            HeadKind::Table(path) => path.single(),
            _ => None,
        },
        _ => None,
    }
}

fn same_line(scan: &Scan<'_>, earlier: Span, later: Span) -> bool {
    !Span::new(earlier.end, later.start).of(scan.text).contains('\n')
}
