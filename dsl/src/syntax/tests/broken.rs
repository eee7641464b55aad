//! Poor inputs, and word for word what is said about them.
//!
//! `broken.txt` holds cases of `##### title`, the text, `---` and the diagnostics. With `TIDEBOOK_BLESS=1` the
//! diagnostics are written anew; read the change before keeping it.

use std::path::Path;

use super::*;

/// What follows the text of a case: which statements are kept, then each diagnostic.
fn outcome(text: &str) -> String {
    let parsed = parse(text);
    let kept: Vec<String> = parsed.statements.iter().map(|statement| head_line(statement.span.of(text))).collect();
    let mut out = format!("kept: {}\n", if kept.is_empty() { "nothing".to_string() } else { kept.join("; ") });
    for diagnostic in &parsed.diagnostics {
        out.push_str(&diagnostic.to_text(text, "cell"));
        if let Some(edit) = &diagnostic.edit {
            let mut mended = text.to_string();
            mended.replace_range(edit.span.start..edit.span.end, &edit.text);
            let (line, _) = tidebook_plan::span::line_column(text, edit.span.start);
            out.push_str(&format!("  = edit: {}\n", mended.lines().nth(line - 1).unwrap_or("")));
        }
    }
    out
}

fn head_line(text: &str) -> String {
    text.lines().next().unwrap_or("").to_string()
}

#[test]
fn poor_inputs_give_the_diagnostics_of_broken_txt() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syntax/tests/broken.txt");
    let file = std::fs::read_to_string(&path).unwrap();
    let mut blessed = String::new();
    let mut wrong = Vec::new();
    for case in file.split("##### ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (text, expected) = rest.split_once("---\n").unwrap();
        let found = outcome(text.trim_end_matches('\n'));
        blessed.push_str(&format!("##### {title}\n{text}---\n{found}\n"));
        if found.trim_end() != expected.trim_end() {
            wrong.push(format!("{title}\nfound:\n{found}\nexpected:\n{expected}"));
        }
    }
    if std::env::var_os("TIDEBOOK_BLESS").is_some() {
        std::fs::write(&path, blessed).unwrap();
    } else {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn wrong_examples_give_their_code_and_right_ones_none() {
    for entry in crate::diagnostics::syntax::ALL {
        let codes: Vec<String> = parse(entry.wrong).diagnostics.into_iter().map(|fault| fault.code).collect();
        assert_eq!(codes, [entry.code], "{}", entry.wrong);
        assert_eq!(parse(entry.right).diagnostics, [], "{}", entry.right);
    }
}

/// What is put between the statements of the corpus, and must not hide any of them. The last two take a name on
/// the next line for their own end, and stand only before definitions.
const BAD: [&str; 9] = [
    "bad = t | wher x > 1",
    "bad = t | where x = 1",
    "bad = rows [ {a: (1 + 2",
    "bad = t | derive x: \"no end",
    "bad = t | derive x: f\"no {end",
    "bad = ) ]",
    "bad = 5",
    "bad = t |",
    "bad = t | derive x: 1 +",
];

#[test]
fn one_bad_statement_hides_no_other() {
    let texts = |parsed: &Parsed, text: &str| -> Vec<String> {
        parsed.statements.iter().map(|statement| statement.span.of(text).to_string()).collect()
    };
    let mut turn = 0;
    for (name, text) in super::corpus::files() {
        if text.starts_with("%%") {
            continue;
        }
        let good = parse(&text);
        let expected = texts(&good, &text);
        for statement in &good.statements {
            let at = statement.span.start;
            if at > 0 && !text[..at].ends_with('\n') {
                continue;
            }
            let definition = matches!(statement.kind, StatementKind::Define { .. });
            let bad = BAD[turn % if definition { BAD.len() } else { BAD.len() - 2 }];
            turn += 1;
            let mixed = format!("{}{bad}\n{}", &text[..at], &text[at..]);
            let parsed = parse(&mixed);
            assert_eq!(texts(&parsed, &mixed), expected, "{name}: {bad} at {at}");
            assert_eq!(parsed.diagnostics.len(), 1, "{name}: {bad} at {at}: {:?}", parsed.diagnostics);
        }
    }
    assert!(turn > 100, "only {turn} places");
}

#[test]
fn every_seventh_prefix_and_deletion_of_the_corpus_is_survived() {
    for (name, text) in super::corpus::files() {
        let whole = parse(&text).statements.len();
        for (at, c) in text.char_indices().step_by(7) {
            let shorter = format!("{}{}", &text[..at], &text[at + c.len_utf8()..]);
            for fault in parse(&shorter).diagnostics {
                assert!(shorter.get(fault.span.start..fault.span.end).is_some(), "{name}: {fault:?}");
            }
            // A cut statement may become a few bare names, but statements before it are never lost.
            let before = parse(&text[..at]);
            let ended = before.diagnostics.first().map_or(at, |fault| fault.span.start);
            let intact = parse(&text).statements.iter().filter(|statement| statement.span.end < ended).count();
            assert!(before.statements.len() + 4 >= intact.min(whole), "{name} cut at {at}");
        }
    }
}
