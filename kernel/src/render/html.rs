//! A page as an HTML fragment.

use std::fmt::Write;

use tidebook_plan::diagnostic::escape_html;
use tidebook_session::{Page, Standing};

use super::style::CSS;
use super::value::{is_right_aligned, shortened, visible};
use super::{count_of_errors, count_of_hidden_columns, count_of_rows, mark, progress};

/// Characters of a value that are drawn; the whole of it is in its tooltip.
const CELL_CHARS: usize = 80;

/// Characters of a value's tooltip.
const TITLE_CHARS: usize = 2000;

/// Characters of a label.
const LABEL_CHARS: usize = 100;

/// Bytes that a value and its tooltip take, more or less.
pub fn drawn_bytes(value: &str) -> usize {
    let title = if value.len() > CELL_CHARS { value.len().min(TITLE_CHARS) } else { 0 };
    value.len().min(CELL_CHARS) + title + "<td></td>".len()
}

/// Draws a page of the table called `label`, of which `hidden` further columns are not drawn.
pub fn table(label: &str, page: &Page, hidden: usize) -> String {
    let mut out = format!("<div class=\"tidebook-table\"><style>{CSS}</style>");
    head(&mut out, label, page, hidden);
    if let Some(failure) = &page.failure {
        let _ = write!(out, "<div class=\"tb-failure\" role=\"alert\">{}</div>", escape_html(failure));
    }
    if page.verdict.is_some() && page.rows.is_empty() {
        out.push_str("</div>");
        return out;
    }
    out.push_str("<div class=\"tb-scroll\"><table class=\"tb\"><thead><tr>");
    let numeric: Vec<bool> = page.columns.iter().map(|column| is_right_aligned(&column.ty.ty)).collect();
    for (column, numeric) in page.columns.iter().zip(&numeric) {
        let class = if *numeric { " class=\"tb-n\"" } else { "" };
        let name = titled(&column.name, LABEL_CHARS);
        let ty = titled(&column.ty.to_string(), 40);
        let _ = write!(
            out,
            "<th{class} scope=\"col\"><span{}>{}</span><small{}>{}</small></th>",
            name.0, name.1, ty.0, ty.1
        );
    }
    out.push_str("</tr></thead><tbody>");
    for row in &page.rows {
        out.push_str("<tr>");
        for (value, numeric) in row.iter().zip(&numeric) {
            let class = if *numeric { " class=\"tb-n\"" } else { "" };
            let _ = match value {
                Some(value) => {
                    let (title, shown) = titled(value, CELL_CHARS);
                    write!(out, "<td{class}{title}>{shown}</td>")
                }
                None => write!(out, "<td{class}><span class=\"tb-null\">null</span></td>"),
            };
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div></div>");
    out
}

fn head(out: &mut String, label: &str, page: &Page, hidden: usize) {
    out.push_str("<div class=\"tb-head\">");
    if let Some(verdict) = &page.verdict {
        let mark = mark(verdict.standing);
        let class = match verdict.standing {
            Standing::Good => "tb-good",
            Standing::Bad => "tb-bad",
            Standing::Open => "tb-loading",
        };
        let _ = write!(out, "<span class=\"{class}\">{mark} {}</span>", escape_html(&visible(&verdict.text)));
    } else {
        let (title, name) = titled(label, LABEL_CHARS);
        let _ = write!(out, "<span class=\"tb-name\"{title}>{name}</span>");
    }
    if let Some(progress) = progress(page) {
        let _ = write!(out, "<span class=\"tb-loading\">{progress}</span>");
    } else if page.verdict.is_none() || !page.rows.is_empty() {
        let _ = write!(out, "<span class=\"tb-note\">{}</span>", count_of_rows(page));
    }
    if let Some(columns) = count_of_hidden_columns(hidden) {
        let _ = write!(out, "<span class=\"tb-note\">{columns}</span>");
    }
    if let Some(closed) = page.closed {
        let _ = write!(out, "<span class=\"tb-note\">{}</span>", closed.words());
    }
    if let Some(errors) = count_of_errors(page) {
        let hint = "rows that failed in a step; the command %errors lists them";
        let _ = write!(out, "<span class=\"tb-errors\" title=\"{hint}\">⚠ {errors}</span>");
    }
    out.push_str("</div>");
}

/// A text shortened to `limit` characters and escaped, and the attribute that holds more of it where that is needed.
fn titled(text: &str, limit: usize) -> (String, String) {
    let shown = shortened(&visible(&shortened(text, limit)), limit);
    let title = if text.chars().nth(limit).is_some() || text.contains(['\n', '\t']) {
        // A tooltip keeps its lines: only what is not one of them needs a picture.
        let lines: Vec<String> = shortened(text, TITLE_CHARS).split('\n').map(visible).collect();
        format!(" title=\"{}\"", escape_html(&lines.join("\n")))
    } else {
        String::new()
    };
    (title, escape_html(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::{column, texts};
    use tidebook_plan::Type;
    use tidebook_session::Verdict;

    /// The fragment without its style.
    fn drawn(label: &str, page: &Page) -> String {
        table(label, page, 0).replace(CSS, "")
    }

    #[test]
    fn every_value_is_escaped_wherever_it_stands() {
        let hostile = "</td><script>alert('x')</script>\" onmouseover=\"y&amp;";
        let long = format!("{hostile}{}", "z".repeat(500));
        let mut page = texts(&[Some(hostile), Some(&long), None]);
        page.columns[0].name = hostile.to_string();
        page.columns[0].ty.ty = Type::Record(vec![(hostile.to_string(), page.columns[0].ty.clone())]);
        page.failure = Some(hostile.to_string());
        let html = drawn(hostile, &page);
        assert!(!html.contains("<script") && !html.contains("</script"), "{html}");
        assert!(!html.contains("\" onmouseover"), "{html}");
        let places = ["label", "name", "type", "tooltip of the type", "failure", "value", "long value", "its tooltip"];
        assert_eq!(html.matches("&lt;script&gt;").count(), places.len(), "{html}");
        assert_eq!(html.matches("<tr>").count(), 4);
        assert_eq!(html.matches("<td").count(), 3);
    }

    #[test]
    fn numbers_are_aligned_right_and_nulls_are_told_from_text() {
        let mut page = texts(&[Some("null"), None]);
        page.columns.push(column("n", Type::Int));
        page.rows[0].push(Some("-1".to_string()));
        page.rows[1].push(None);
        let html = drawn("t", &page);
        assert!(html.contains("<td>null</td><td class=\"tb-n\">-1</td>"), "{html}");
        assert!(html.contains("<td><span class=\"tb-null\">null</span></td>"), "{html}");
        assert!(html.contains("<td class=\"tb-n\"><span class=\"tb-null\">null</span></td>"), "{html}");
        assert!(html.contains("<th class=\"tb-n\" scope=\"col\"><span>n</span><small>int?</small></th>"), "{html}");
    }

    #[test]
    fn a_verdict_stands_in_the_place_of_the_name() {
        let verdict = |standing| Some(Verdict { standing, text: "expect <t> is empty".to_string() });
        let good = drawn("label", &Page { verdict: verdict(Standing::Good), ..texts(&[]) });
        assert!(good.contains("<span class=\"tb-good\">✓ expect &lt;t&gt; is empty</span>"), "{good}");
        assert!(!good.contains("<table") && !good.contains("label"), "{good}");
        let bad = drawn("label", &Page { verdict: verdict(Standing::Bad), ..texts(&[Some("culprit")]) });
        assert!(
            bad.contains(
                "<span class=\"tb-bad\">✗ expect &lt;t&gt; is empty</span><span class=\"tb-note\">1 row</span>"
            ),
            "{bad}"
        );
        assert!(bad.contains("<td>culprit</td>"), "{bad}");
    }

    #[test]
    fn long_text_is_cut_and_kept_in_the_tooltip() {
        let long = "é".repeat(5000);
        let html = drawn("t", &texts(&[Some(&long)]));
        let cell = format!("{}…</td>", "é".repeat(CELL_CHARS - 1));
        assert!(html.contains(&cell), "{html}");
        assert_eq!(html.matches('é').count(), CELL_CHARS - 1 + TITLE_CHARS - 1);
    }

    #[test]
    fn errors_loading_and_failure_are_said() {
        let mut page = texts(&[]);
        page.errors = 1234;
        page.loading = true;
        page.loaded_rows = 5_000_000;
        page.failure = Some("the file went away".to_string());
        let html = drawn("t", &page);
        assert!(html.contains("⚠ 1,234 errors"), "{html}");
        assert!(html.contains("loading … 5,000,000 rows read"), "{html}");
        assert!(html.contains("<div class=\"tb-failure\" role=\"alert\">the file went away</div>"), "{html}");
        assert!(!html.contains("no rows"), "while it loads, nothing is said of a final count: {html}");
    }
}
