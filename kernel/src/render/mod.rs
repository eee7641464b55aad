//! Drawing a page of a table, for front ends ([`html`]) and for terminals ([`text`]).
//!
//! A frame is a snapshot that any viewer can show: the HTML carries its style, takes its colours from the page around
//! it, and runs no code.

pub mod html;
mod style;
pub mod text;
pub mod value;

use tidebook_session::{Page, PageRequest, Standing, View};

/// Rows that are drawn where the cell does not say.
const DEFAULT_ROWS: usize = 20;

/// A table with no more rows than this is drawn whole: it would be silly to leave out the last two.
const WHOLE_ROWS: usize = 25;

/// Rows that are drawn at most, whatever the cell says: a frame travels up to five times a second.
const MAX_ROWS: usize = 1000;

/// Columns that are drawn at most.
const MAX_COLUMNS: usize = 100;

/// Bytes of values that are drawn at most, more or less: front ends, and whoever saves the notebook, get them all.
const MAX_BYTES: usize = 1 << 20;

/// A view as it is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// An HTML fragment.
    pub html: String,
    /// The same for terminals; several lines, without a newline at the end.
    pub text: String,
}

/// Draws a view; gives the version that it shows with it.
pub fn frame(view: &View) -> (u64, Frame) {
    let limit = view.limit.map_or(WHOLE_ROWS, |limit| limit.min(MAX_ROWS));
    let (version, mut page) = view.page(&PageRequest { limit, ..PageRequest::default() });
    if view.limit.is_none() && page.total > WHOLE_ROWS {
        page.rows.truncate(DEFAULT_ROWS);
    }
    let hidden = fit(&mut page);
    (version, Frame { html: html::table(&view.label, &page, hidden), text: text::table(&view.label, &page, hidden) })
}

/// Leaves out the columns and the rows that are too many to draw; gives the number of columns.
fn fit(page: &mut Page) -> usize {
    let hidden = page.columns.len().saturating_sub(MAX_COLUMNS);
    page.columns.truncate(MAX_COLUMNS);
    page.rows.iter_mut().for_each(|row| row.truncate(MAX_COLUMNS));
    let cost = |value: &Option<String>| value.as_ref().map_or(0, |value| html::drawn_bytes(value));
    let mut bytes = 0;
    let fitting = page.rows.iter().take_while(|row| {
        bytes += row.iter().map(cost).sum::<usize>();
        bytes <= MAX_BYTES
    });
    let fitting = fitting.count().max(1);
    page.rows.truncate(fitting);
    hidden
}

/// What stands before a verdict.
fn mark(standing: Standing) -> char {
    match standing {
        Standing::Good => '✓',
        Standing::Bad => '✗',
        Standing::Open => '…',
    }
}

/// How many columns are not drawn, in words, if there are any.
fn count_of_hidden_columns(hidden: usize) -> Option<String> {
    match hidden {
        0 => None,
        1 => Some("1 more column".to_string()),
        hidden => Some(format!("{} more columns", value::thousands(hidden as u64))),
    }
}

/// How many rows there are and how many of them are drawn, in words.
fn count_of_rows(page: &Page) -> String {
    let total = value::thousands(page.total as u64);
    match (page.total, page.rows.len()) {
        (0, _) => "no rows".to_string(),
        (1, 1) => "1 row".to_string(),
        (all, drawn) if drawn >= all => format!("{total} rows"),
        (_, drawn) => format!("first {} of {total} rows", value::thousands(drawn as u64)),
    }
}

/// How many errors there are, in words, if there are any.
fn count_of_errors(page: &Page) -> Option<String> {
    match page.errors {
        0 => None,
        1 => Some("1 error".to_string()),
        errors => Some(format!("{} errors", value::thousands(errors as u64))),
    }
}

/// How far loading has come, in words, if it goes on.
fn progress(page: &Page) -> Option<String> {
    page.loading.then(|| match page.loaded_rows {
        0 => "loading …".to_string(),
        1 => "loading … 1 row read".to_string(),
        rows => format!("loading … {} rows read", value::thousands(rows)),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tidebook_plan::{ColumnType, Type};
    use tidebook_session::{PageColumn, PageSource, ViewKind};

    pub(crate) fn column(name: &str, ty: Type) -> PageColumn {
        PageColumn { name: name.to_string(), ty: ColumnType::nullable(ty) }
    }

    /// A page of one text column.
    pub(crate) fn texts(values: &[Option<&str>]) -> Page {
        Page {
            columns: vec![column("t", Type::Text)],
            rows: values.iter().map(|value| vec![value.map(str::to_string)]).collect(),
            total: values.len(),
            ..Page::default()
        }
    }

    struct Numbers(usize);

    impl PageSource for Numbers {
        fn page(&self, request: &PageRequest) -> Page {
            let rows = (0..self.0.min(request.limit)).map(|n| vec![Some(n.to_string())]).collect();
            Page { columns: vec![column("n", Type::Int)], rows, total: self.0, ..Page::default() }
        }

        fn json(&self, _name: &str, _limit: Option<usize>) -> String {
            unreachable!("a frame is drawn from a page")
        }
    }

    fn drawn(rows: usize, limit: Option<usize>) -> (usize, String) {
        let view = View::new(1, ViewKind::Table, "n".to_string(), Box::new(Numbers(rows))).with_limits(limit, None);
        let text = frame(&view).1.text;
        let count = text.lines().next().unwrap().to_string();
        (text.lines().count() - 2, count)
    }

    #[test]
    fn a_cell_that_does_not_say_gets_a_page_or_the_whole_of_a_short_table() {
        assert_eq!(drawn(25, None), (25, "n: 25 rows".to_string()));
        assert_eq!(drawn(26, None), (20, "n: first 20 of 26 rows".to_string()));
        assert_eq!(drawn(1_234_567, None), (20, "n: first 20 of 1,234,567 rows".to_string()));
    }

    struct Wide;

    impl PageSource for Wide {
        fn page(&self, request: &PageRequest) -> Page {
            let columns = (0..300).map(|n| column(&format!("c{n}"), Type::Text)).collect();
            let row = vec![Some("x".repeat(3_000)); 300];
            Page { columns, rows: vec![row; request.limit.min(500)], total: 500, ..Page::default() }
        }

        fn json(&self, _name: &str, _limit: Option<usize>) -> String {
            unreachable!("a frame is drawn from a page")
        }
    }

    #[test]
    fn what_is_too_wide_and_too_large_is_cut_and_said() {
        let view = View::new(1, ViewKind::Table, "w".to_string(), Box::new(Wide)).with_limits(Some(500), None);
        let frame = frame(&view).1;
        let head = frame.text.lines().next().unwrap();
        assert!(head.starts_with("w: first ") && head.ends_with(" of 500 rows, 200 more columns"), "{head}");
        assert!(frame.html.contains("200 more columns") && !frame.html.contains(">c100<"));
        assert!(frame.html.len() < 2 * MAX_BYTES && frame.html.contains(">c99<"), "{} bytes", frame.html.len());
    }

    #[test]
    fn a_cell_that_says_gets_what_it_says_up_to_a_bound() {
        assert_eq!(drawn(50, Some(40)), (40, "n: first 40 of 50 rows".to_string()));
        assert_eq!(drawn(5000, Some(5000)), (1000, "n: first 1,000 of 5,000 rows".to_string()));
        assert_eq!(drawn(1, Some(3)), (1, "n: 1 row".to_string()));
        assert_eq!(drawn(0, None), (0, "n: no rows".to_string()));
    }
}
