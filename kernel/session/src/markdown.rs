//! Documentation as HTML and as plain text. It is written in a small part of Markdown, which front ends that draw HTML or
//! text only do not know: headings, paragraphs, lists, tables, fenced code, and inside a line code, bold and emphasis.

use std::fmt::Write;

use tidebook_plan::diagnostic::escape_html;

/// What stands before a line of an example in plain text.
const INDENT: &str = "    ";

/// The text as an HTML fragment, everything escaped.
pub(crate) fn to_html(markdown: &str) -> String {
    let mut out = String::from("<div class=\"tidebook-help\">");
    for block in blocks(markdown) {
        let _ = match block {
            Block::Heading(level, text) => write!(out, "<h{level}>{}</h{level}>", HTML.line(text)),
            Block::Paragraph(text) => write!(out, "<p>{}</p>", HTML.line(&text)),
            Block::Code(lines) => {
                let style = "margin:4px 0;font-family:var(--jp-code-font-family,monospace)";
                write!(out, "<pre style=\"{style}\"><code>{}</code></pre>", escape_html(&lines.join("\n")))
            }
            Block::List(items) => {
                let items: String = items.iter().map(|item| format!("<li>{}</li>", HTML.line(item))).collect();
                write!(out, "<ul>{items}</ul>")
            }
            Block::Table { headed, rows } => {
                let row = |(at, cells): (usize, &Vec<String>)| {
                    let tag = if headed && at == 0 { "th" } else { "td" };
                    let cell = |cell: &String| format!("<{tag} style=\"text-align:left\">{}</{tag}>", HTML.line(cell));
                    format!("<tr>{}</tr>", cells.iter().map(cell).collect::<String>())
                };
                write!(out, "<table>{}</table>", rows.iter().enumerate().map(row).collect::<String>())
            }
        };
    }
    out.push_str("</div>");
    out
}

/// The text without marks, for places that draw no Markdown. Code is set in, but for what comes first: that is the form of
/// what is described. A table loses its headings, which only repeat what its cells show.
pub(crate) fn to_text(markdown: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for block in blocks(markdown) {
        let part = match block {
            Block::Heading(_, text) => TEXT.line(text),
            Block::Paragraph(text) => TEXT.line(&text),
            Block::Code(lines) if parts.is_empty() => lines.join("\n"),
            Block::Code(lines) => set_in(&lines.join("\n")),
            Block::List(items) => {
                let items: Vec<String> = items.iter().map(|item| format!("- {}", TEXT.line(item))).collect();
                items.join("\n")
            }
            Block::Table { headed, rows } => set_in(&columns(&rows[usize::from(headed).min(rows.len())..])),
        };
        parts.push(part);
    }
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}

fn set_in(text: &str) -> String {
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!("{INDENT}{line}") });
    lines.collect::<Vec<_>>().join("\n")
}

/// Rows with their columns one below the other.
fn columns(rows: &[Vec<String>]) -> String {
    let plain: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| TEXT.line(cell)).collect::<Vec<_>>()).collect();
    let width = |column: usize| {
        plain.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |row: &Vec<String>| {
        let padded = row.iter().enumerate().map(|(column, cell)| format!("{cell:<width$}", width = width(column)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    plain.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A part of a text that stands on lines of its own.
enum Block<'a> {
    /// Level in HTML, and text.
    Heading(usize, &'a str),
    Paragraph(String),
    Code(Vec<&'a str>),
    List(Vec<String>),
    Table {
        /// True if the first row names the columns.
        headed: bool,
        rows: Vec<Vec<String>>,
    },
}

fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let lines: Vec<&str> = markdown.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim_end();
        let until = |end: fn(&str) -> bool| at + lines[at..].iter().take_while(|line| !end(line)).count();
        if line.trim().is_empty() {
            at += 1;
        } else if line.starts_with("```") {
            let end = (at + 1..lines.len()).find(|next| lines[*next].starts_with("```")).unwrap_or(lines.len());
            found.push(Block::Code(lines[at + 1..end].to_vec()));
            at = end + 1;
        } else if let Some((level, heading)) = heading(line) {
            found.push(Block::Heading(level, heading));
            at += 1;
        } else if line.starts_with('|') {
            let end = until(|line| !line.starts_with('|'));
            found.push(table(&lines[at..end]));
            at = end;
        } else if bullet(line).is_some() {
            let end = until(|line| line.trim().is_empty() || line.starts_with("```"));
            found.push(Block::List(list(&lines[at..end])));
            at = end;
        } else {
            let end = until(ends_paragraph);
            found.push(Block::Paragraph(lines[at..end].join("\n")));
            at = end;
        }
    }
    found
}

fn ends_paragraph(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with("```") || line.starts_with('|') || heading(line).is_some()
}

/// Level and text of a heading; the page around has the first two levels.
fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    (level > 0).then(|| Some(((level + 2).min(6), text.strip_prefix(' ')?))).flatten()
}

fn bullet(line: &str) -> Option<&str> {
    line.strip_prefix("- ").or_else(|| line.strip_prefix("* "))
}

fn list(lines: &[&str]) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in lines {
        match (bullet(line), items.last_mut()) {
            (Some(item), _) => items.push(item.to_string()),
            (None, Some(item)) => item.push_str(&format!("\n{}", line.trim())),
            (None, None) => {}
        }
    }
    items
}

fn table(lines: &[&str]) -> Block<'static> {
    let rule = |line: &&str| line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
    let rows = lines.iter().enumerate().filter(|(index, line)| *index == 0 || !rule(line));
    Block::Table { headed: lines.get(1).is_some_and(rule), rows: rows.map(|(_, line)| cells(line)).collect() }
}

/// The cells of a table's line; `\|` is a bar in a cell.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|');
    let mut cells = vec![String::new()];
    let mut chars = line.strip_suffix('|').unwrap_or(line).chars().peekable();
    while let Some(c) = chars.next() {
        match (c, cells.last_mut()) {
            ('\\', Some(cell)) if chars.peek() == Some(&'|') => cell.extend(chars.next()),
            ('|', _) => cells.push(String::new()),
            (c, Some(cell)) => cell.push(c),
            (_, None) => {}
        }
    }
    cells.into_iter().map(|cell| cell.trim().to_string()).collect()
}

/// How the inside of a line is written: plain text, and what is marked.
struct Inside {
    plain: fn(&str) -> String,
    /// The tag in HTML, and the marked text, written already.
    marked: fn(&str, &str) -> String,
}

const HTML: Inside = Inside { plain: escape_html, marked: |tag, inside| format!("<{tag}>{inside}</{tag}>") };

const TEXT: Inside = Inside { plain: str::to_string, marked: |_, inside| inside.to_string() };

impl Inside {
    /// Code, bold and emphasis inside a text.
    fn line(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['`', '*']) {
            out.push_str(&(self.plain)(&rest[..at]));
            rest = &rest[at..];
            let marks = [("`", "code"), ("**", "b"), ("*", "i")];
            let found = marks.iter().find_map(|(mark, tag)| {
                let inside = rest.strip_prefix(mark)?;
                let end = inside.find(mark).filter(|end| *end > 0 && !inside[..*end].starts_with(' '))?;
                Some((*mark, *tag, &inside[..end], &inside[end + mark.len()..]))
            });
            match found {
                Some((mark, tag, inside, after)) => {
                    let inside = if mark == "`" { (self.plain)(inside) } else { self.line(inside) };
                    out.push_str(&(self.marked)(tag, &inside));
                    rest = after;
                }
                None => {
                    out.push_str(&(self.plain)(&rest[..1]));
                    rest = &rest[1..];
                }
            }
        }
        out.push_str(&(self.plain)(rest));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(markdown: &str) -> String {
        let html = to_html(markdown);
        html.strip_prefix("<div class=\"tidebook-help\">").unwrap().strip_suffix("</div>").unwrap().to_string()
    }

    #[test]
    fn blocks() {
        assert_eq!(inner("# Title\ntext\nof two lines\n\nmore"), "<h3>Title</h3><p>text\nof two lines</p><p>more</p>");
        assert_eq!(inner("- a\n- b\n  goes on\n\nc"), "<ul><li>a</li><li>b\ngoes on</li></ul><p>c</p>");
        let fenced = inner("before\n```tide\na | where b < 1\n```\nafter");
        assert!(fenced.contains("<code>a | where b &lt; 1</code></pre><p>after</p>"), "{fenced}");
        let table = inner("| a | b |\n| --- | --- |\n| `x\\|y` | 2 |");
        assert!(
            table.contains(">a</th>") && table.contains("><code>x|y</code></td>") && !table.contains("---"),
            "{table}"
        );
        assert!(inner("```\nno end").contains("no end"));
    }

    #[test]
    fn inside_a_line() {
        assert_eq!(inner("`a * b` is **very** *good*"), "<p><code>a * b</code> is <b>very</b> <i>good</i></p>");
        assert_eq!(inner("2 * 3 ` 4 * 5 <b>"), "<p>2 * 3 ` 4 * 5 &lt;b&gt;</p>");
        assert_eq!(inner("**`read csv(…)`**: é"), "<p><b><code>read csv(…)</code></b>: é</p>");
    }

    #[test]
    fn plain_text_has_no_marks() {
        let markdown = "```tide\nselect a, n: e, *, * except (b)\n```\n\nExactly `these` **columns**.\n\n| column | type |\n\
            | --- | --- |\n| `id` | int |\n| `long name` | text |\n\n- one `*`\n- two\n\n```tide\nt | select a\n\n  | drop b\n```\n";
        let expected = "select a, n: e, *, * except (b)\n\nExactly these columns.\n\n    id         int\n    long name  text\n\n\
            - one *\n- two\n\n    t | select a\n\n      | drop b\n";
        assert_eq!(to_text(markdown), expected);
    }
}
