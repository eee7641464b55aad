//! Definitions, parameters and lists as text and HTML.

use tidebook_plan::diagnostic::escape_html;
use tidebook_plan::{Schema, Type};

use crate::output::Markup;

/// A new definition: its name and schema.
pub(crate) fn definition(name: &str, schema: &Schema) -> Markup {
    let columns: Vec<(String, String)> = schema
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let key = if schema.key.contains(&at) { " key" } else { "" };
            (column.name.clone(), format!("{}{key}", column.ty))
        })
        .collect();
    let plain: Vec<String> = columns.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let rich: Vec<String> = columns
        .iter()
        .map(|(name, ty)| format!("{} <span style=\"opacity:.65\">{}</span>", escape_html(name), escape_html(ty)))
        .collect();
    Markup {
        text: format!("{name} {{{}}}", plain.join(", ")),
        html: line(&format!("<b>{}</b> {{{}}}", escape_html(name), rich.join(", "))),
    }
}

/// A parameter with its value.
pub(crate) fn parameter(name: &str, ty: &Type, value: &str) -> Markup {
    let (shown, ty_shown) = (escape_html(name), escape_html(&ty.to_string()));
    let rich = format!("<b>{shown}</b> <span style=\"opacity:.65\">{ty_shown}</span> = {}", escape_html(value));
    Markup { text: format!("{name}: {ty} = {value}"), html: line(&rich) }
}

/// A line of code beside the tables of a cell; `html` is escaped already.
fn line(html: &str) -> String {
    format!(
        "<div style=\"margin-left:4px;font-family:var(--jp-code-font-family,monospace);\
         font-size:var(--jp-code-font-size,13px)\">{html}</div>"
    )
}

/// A list with a heading for each column; the cells may hold any text.
pub(crate) fn grid(headings: &[&str], rows: &[Vec<String>]) -> Markup {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    let mut text = line(&headings.iter().map(|heading| (*heading).to_string()).collect::<Vec<_>>());
    for row in rows {
        text.push('\n');
        text.push_str(&line(row));
    }
    let cells = |tag: &str, row: &[String]| -> String {
        let style = "text-align:left;vertical-align:top";
        row.iter().map(|cell| format!("<{tag} style=\"{style}\">{}</{tag}>", escape_html(cell))).collect()
    };
    let head = cells("th", &headings.iter().map(|heading| (*heading).to_string()).collect::<Vec<_>>());
    let body: String = rows.iter().map(|row| format!("<tr>{}</tr>", cells("td", row))).collect();
    Markup { text, html: format!("<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>") }
}

/// Text in a fixed-width face.
pub(crate) fn code(text: &str) -> String {
    format!("<pre style=\"margin:0\">{}</pre>", escape_html(text))
}

#[cfg(test)]
mod tests {
    use tidebook_plan::ColumnType;

    use super::*;

    #[test]
    fn a_definition_names_its_columns_and_escapes_them() {
        let mut schema = Schema::new([("<id>".to_string(), ColumnType::required(Type::Int))]);
        schema.key = vec![0];
        let shown = definition("t", &schema);
        assert_eq!(shown.text, "t {<id>: int key}");
        assert!(shown.html.contains("&lt;id&gt;") && !shown.html.contains("<id>"));
    }

    #[test]
    fn a_grid_is_aligned() {
        let shown = grid(&["name", "n"], &[vec!["a".into(), "10".into()], vec!["longer".into(), "2".into()]]);
        assert_eq!(shown.text, "name    n\na       10\nlonger  2");
    }
}
