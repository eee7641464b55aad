//! Documentation as HTML. It is written in a small part of Markdown, which front ends that draw HTML only do not know:
//! headings, paragraphs, lists, tables, fenced code, and inside a line code, bold and emphasis.

use std::fmt::Write;

use tidebook_plan::diagnostic::escape_html;

/// The text as an HTML fragment, everything escaped.
pub(crate) fn to_html(markdown: &str) -> String {
    let mut out = String::from("<div class=\"tidebook-help\">");
    let lines: Vec<&str> = markdown.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim_end();
        let until = |end: fn(&str) -> bool| at + lines[at..].iter().take_while(|line| !end(line)).count();
        if line.trim().is_empty() {
            at += 1;
        } else if line.starts_with("```") {
            let end = (at + 1..lines.len()).find(|next| lines[*next].starts_with("```")).unwrap_or(lines.len());
            code(&mut out, &lines[at + 1..end]);
            at = end + 1;
        } else if let Some((level, heading)) = heading(line) {
            let _ = write!(out, "<h{level}>{}</h{level}>", inline(heading));
            at += 1;
        } else if line.starts_with('|') {
            let end = until(|line| !line.starts_with('|'));
            table(&mut out, &lines[at..end]);
            at = end;
        } else if bullet(line).is_some() {
            let end = until(|line| line.trim().is_empty() || line.starts_with("```"));
            list(&mut out, &lines[at..end]);
            at = end;
        } else {
            let end = until(ends_paragraph);
            let _ = write!(out, "<p>{}</p>", inline(&lines[at..end].join("\n")));
            at = end;
        }
    }
    out.push_str("</div>");
    out
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

fn code(out: &mut String, lines: &[&str]) {
    let style = "margin:4px 0;font-family:var(--jp-code-font-family,monospace)";
    let _ = write!(out, "<pre style=\"{style}\"><code>{}</code></pre>", escape_html(&lines.join("\n")));
}

fn list(out: &mut String, lines: &[&str]) {
    let mut items: Vec<String> = Vec::new();
    for line in lines {
        match (bullet(line), items.last_mut()) {
            (Some(item), _) => items.push(item.to_string()),
            (None, Some(item)) => item.push_str(&format!("\n{}", line.trim())),
            (None, None) => {}
        }
    }
    let items: String = items.iter().map(|item| format!("<li>{}</li>", inline(item))).collect();
    let _ = write!(out, "<ul>{items}</ul>");
}

fn table(out: &mut String, lines: &[&str]) {
    let rule = |line: &&str| line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
    let headed = lines.get(1).is_some_and(rule);
    out.push_str("<table>");
    for (index, line) in lines.iter().enumerate().filter(|(index, line)| *index == 0 || !rule(line)) {
        let tag = if headed && index == 0 { "th" } else { "td" };
        let cells = cells(line);
        let cells = cells.iter().map(|cell| format!("<{tag} style=\"text-align:left\">{}</{tag}>", inline(cell)));
        let _ = write!(out, "<tr>{}</tr>", cells.collect::<String>());
    }
    out.push_str("</table>");
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

/// Code, bold and emphasis inside a text.
fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        out.push_str(&escape_html(&rest[..at]));
        rest = &rest[at..];
        let marks = [("`", "code"), ("**", "b"), ("*", "i")];
        let found = marks.iter().find_map(|(mark, tag)| {
            let inside = rest.strip_prefix(mark)?;
            let end = inside.find(mark).filter(|end| *end > 0 && !inside[..*end].starts_with(' '))?;
            Some((*mark, *tag, &inside[..end], &inside[end + mark.len()..]))
        });
        match found {
            Some(("`", tag, inside, after)) => {
                let _ = write!(out, "<{tag}>{}</{tag}>", escape_html(inside));
                rest = after;
            }
            Some((_, tag, inside, after)) => {
                let _ = write!(out, "<{tag}>{}</{tag}>", inline(inside));
                rest = after;
            }
            None => {
                out.push_str(&escape_html(&rest[..1]));
                rest = &rest[1..];
            }
        }
    }
    out.push_str(&escape_html(rest));
    out
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
}
