//! The parser and the formatter.

use tidebook_dsl::syntax::{Parsed, format, is_complete, parse, parse_expression};

/// Any text parses; its diagnostics can be drawn; its layout means the same and is the layout of itself.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parsed = parse(text);
    for diagnostic in &parsed.diagnostics {
        assert!(text.get(diagnostic.span.start..diagnostic.span.end).is_some(), "{diagnostic:?}");
        if let Some(edit) = &diagnostic.edit {
            assert!(text.get(edit.span.start..edit.span.end).is_some(), "{diagnostic:?}");
        }
        assert!(!diagnostic.to_text(text, "cell").is_empty());
        assert!(!diagnostic.to_html(text, "cell").is_empty());
    }
    for statement in &parsed.statements {
        assert!(text.get(statement.span.start..statement.span.end).is_some(), "{statement:?}");
    }
    let _ = is_complete(text);
    let _ = parse_expression(text);

    let formatted = format(text);
    let after = parse(&formatted.text);
    assert_eq!(tree(&parsed), tree(&after), "another meaning:\n{text}\n---\n{}", formatted.text);
    let again = format(&formatted.text);
    assert_eq!(again.text, formatted.text, "another layout of the layout of:\n{text}");
}

/// The statements without their places.
fn tree(parsed: &Parsed) -> String {
    let text = format!("{:?}", parsed.statements);
    let mut parts = text.split("Span { start: ");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        out.push_str(part.split_once(" }").map_or(part, |(_, rest)| rest));
    }
    out
}
