//! A page as lines of text, for terminals and for front ends without HTML.

use tidebook_session::Page;
use unicode_width::UnicodeWidthStr;

use super::value::{is_right_aligned, shortened, visible};
use super::{count_of_errors, count_of_hidden_columns, count_of_rows, mark, progress};

/// Characters of a value that are drawn.
const CELL_CHARS: usize = 60;

/// Characters of a label.
const LABEL_CHARS: usize = 100;

/// What stands for null; the text `null` is something else.
const NULL: &str = "∅";

/// Draws a page of the table called `label`, of which `hidden` further columns are not drawn: a line about it, a line of names, a line a row.
pub fn table(label: &str, page: &Page, hidden: usize) -> String {
    let mut facts: Vec<String> = progress(page).into_iter().collect();
    if facts.is_empty() && (page.verdict.is_none() || !page.rows.is_empty()) {
        facts.push(count_of_rows(page));
    }
    facts.extend(count_of_hidden_columns(hidden));
    facts.extend(count_of_errors(page));
    facts.extend(page.closed.map(|closed| closed.words().to_string()));
    let name = match &page.verdict {
        Some(verdict) => format!("{} {}", mark(verdict.standing), visible(&verdict.text)),
        None => cell(label, LABEL_CHARS),
    };
    let colon = if facts.is_empty() { "" } else { ": " };
    let mut lines = vec![format!("{name}{colon}{}", facts.join(", "))];
    if let Some(failure) = &page.failure {
        lines.extend(failure.lines().map(|line| format!("! {}", visible(line))));
    }
    if page.verdict.is_some() && page.rows.is_empty() {
        return lines.join("\n");
    }
    let names = page.columns.iter().map(|column| cell(&column.name, CELL_CHARS)).collect();
    let rows = page.rows.iter().map(|row| {
        let drawn = |value: &Option<String>| value.as_ref().map_or(NULL.to_string(), |text| cell(text, CELL_CHARS));
        row.iter().map(drawn).collect()
    });
    let cells: Vec<Vec<String>> = std::iter::once(names).chain(rows).collect();
    let widths: Vec<usize> =
        (0..page.columns.len()).map(|i| cells.iter().map(|row| row[i].width()).max().unwrap_or(0)).collect();
    for row in &cells {
        let mut line = String::new();
        for (i, ((value, column), width)) in row.iter().zip(&page.columns).zip(&widths).enumerate() {
            if i > 0 {
                line.push_str("  ");
            }
            let padding = " ".repeat(width - value.width());
            if is_right_aligned(&column.ty.ty) {
                line.push_str(&padding);
                line.push_str(value);
            } else {
                line.push_str(value);
                line.push_str(&padding);
            }
        }
        lines.push(line.trim_end().to_string());
    }
    lines.join("\n")
}

fn cell(text: &str, limit: usize) -> String {
    visible(&shortened(text, limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::{column, texts};
    use tidebook_plan::Type;
    use tidebook_session::{Closed, Standing, Verdict};

    #[test]
    fn columns_are_aligned_by_width_on_screen() {
        let mut page = texts(&[Some("日本"), Some("a"), None]);
        page.columns.push(column("price", Type::Float));
        for (row, value) in page.rows.iter_mut().zip([Some("1.5"), None, Some("-20.25")]) {
            row.push(value.map(str::to_string));
        }
        page.errors = 1;
        let expected = "t: 3 rows, 1 error\nt      price\n日本     1.5\na          ∅\n∅     -20.25";
        assert_eq!(table("t", &page, 0), expected);
    }

    #[test]
    fn hostile_values_stay_in_their_line() {
        let page = texts(&[Some("a\nb: 1 row"), Some("\u{1b}[2J\u{202e}")]);
        let text = table("x\ny", &page, 0);
        assert_eq!(text.lines().count(), 4);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\t']), "{text:?}");
    }

    #[test]
    fn a_verdict_stands_in_the_place_of_the_name() {
        let verdict = |standing| Some(Verdict { standing, text: "expect t is empty".to_string() });
        assert_eq!(table("t", &Page { verdict: verdict(Standing::Good), ..texts(&[]) }, 0), "✓ expect t is empty");
        let bad = Page { verdict: verdict(Standing::Bad), ..texts(&[Some("culprit")]) };
        assert_eq!(table("t", &bad, 0), "✗ expect t is empty: 1 row\nt\nculprit");
    }

    #[test]
    fn loading_and_failure_are_said() {
        let mut page = texts(&[]);
        page.loading = true;
        assert_eq!(table("t", &page, 0), "t: loading …\nt");
        page.loading = false;
        page.failure = Some("gone\nfor good".to_string());
        page.closed = Some(Closed::Stopped);
        assert_eq!(table("t", &page, 0), "t: no rows, stopped\n! gone\n! for good\nt");
    }
}
