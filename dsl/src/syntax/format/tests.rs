//! Layouts word for word, and what holds for every text.
//!
//! `tests/layouts.txt` holds cases of `##### title`, the text, `---` and the layout. With `TIDEBOOK_BLESS=1` the layouts are
//! written anew; read the change before keeping it.

use std::path::Path;

use super::super::scan::Scan;
use super::super::{Parsed, parse};
use super::*;

/// The tree without its spans.
fn tree(parsed: &Parsed) -> String {
    let mut out = String::new();
    let text = format!("{:?}", parsed.statements);
    let mut parts = text.split("Span { start: ");
    out.push_str(parts.next().unwrap());
    for part in parts {
        out.push_str(part.split_once(" }").unwrap().1);
    }
    out
}

/// All comments of a text, without blanks.
fn comments(text: &str) -> String {
    let scan = Scan::new(text);
    let (mut out, mut end) = (String::new(), 0);
    for token in &scan.tokens {
        out.push_str(&text[end.min(token.span.start)..token.span.start]);
        end = token.span.end;
    }
    out.push_str(&text[end..]);
    out.retain(|c| !c.is_whitespace() && c != '\u{FEFF}');
    out
}

/// What holds for the layout of any text.
fn check(name: &str, text: &str) -> Formatted {
    let formatted = format(text);
    let (before, after) = (parse(text), parse(&formatted.text));
    let shown = || format!("{name}\nfrom:\n{text}\nto:\n{}", formatted.text);
    assert_eq!(tree(&before), tree(&after), "another tree: {}", shown());
    assert_eq!(comments(text), comments(&formatted.text), "other comments: {}", shown());
    let again = format(&formatted.text);
    assert_eq!(again.text, formatted.text, "not idempotent: {}", shown());
    formatted
}

/// Every script of the repository.
fn corpus() -> Vec<(String, String)> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus");
    let mut files = super::super::tests::corpus::files();
    for entry in std::fs::read_dir(scripts).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "tide") {
            files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(files.len() > 100, "the corpus has {} files", files.len());
    files.sort();
    files
}

#[test]
fn the_corpus_keeps_its_meaning_and_its_comments() {
    for (name, text) in corpus() {
        let formatted = check(&name, &text);
        if text.starts_with("%%") {
            assert_eq!(formatted.text, text);
            continue;
        }
        if !formatted.diagnostics.is_empty() {
            continue;
        }
        assert!(formatted.text.ends_with('\n') && !formatted.text.ends_with("\n\n"), "{name}");
        let parsed = parse(&formatted.text);
        let at = |wanted: usize| parsed.statements.iter().any(|s| s.span.start <= wanted && wanted < s.span.end);
        let mut offset = 0;
        for line in formatted.text.split_inclusive('\n') {
            let inside = line.contains('"') || !at(offset);
            assert!(inside || line.trim_end() == line.trim_end_matches('\n'), "{name}: blanks at the end of {line:?}");
            offset += line.len();
        }
    }
}

#[test]
fn layouts_are_those_of_layouts_txt() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syntax/format/tests/layouts.txt");
    let file = std::fs::read_to_string(&path).unwrap();
    let mut blessed = String::new();
    let mut wrong = Vec::new();
    for case in file.split("##### ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (text, expected) = rest.split_once("---\n").unwrap();
        let found = check(title, text).text;
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

/// Numbers for the mutations, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

/// The text with some of its tokens left out, doubled or exchanged, and with other blanks and comments between them.
fn mutated(text: &str, random: &mut Random) -> String {
    const BETWEEN: [&str; 12] =
        [" ", " ", " ", "\n", "\n", "  ", "\n\n\n", "\r\n", " # c\n", "\n# own\n", "\n\n  # own\n# two\n", "\t"];
    let scan = Scan::new(text);
    let mut out = String::new();
    let broken = random.below(3) == 0;
    let mut end = 0;
    for (index, token) in scan.tokens.iter().enumerate() {
        let gap = text.get(end..token.span.start).unwrap_or("");
        let embedded = token.embedded > 0 || index > 0 && scan.tokens[index - 1].embedded > 0;
        let touches = gap.is_empty() && index > 0;
        if touches || embedded || random.below(4) > 0 {
            out.push_str(gap);
        } else {
            out.push_str(BETWEEN[random.below(BETWEEN.len())]);
        }
        end = token.span.end;
        let word = scan.word(token);
        match random.below(60) {
            0 if broken => {}
            1 if broken => out.push_str(&format!("{word} {word}")),
            2 if broken => out.push_str(scan.word(&scan.tokens[random.below(scan.tokens.len())])),
            _ => out.push_str(word),
        }
    }
    out.push_str(&text[end..]);
    out
}

#[test]
fn mutated_texts_keep_their_meaning_and_their_comments() {
    let mut random = Random(7);
    for (name, text) in corpus().into_iter().filter(|(_, text)| !text.starts_with("%%") && text.len() < 4000) {
        for round in 0..6 {
            check(&format!("{name}, round {round}"), &mutated(&text, &mut random));
        }
    }
}

#[test]
fn broken_statements_stay_and_others_do_not() {
    let formatted = check("one broken", "a=rows[{x:1}]\n  b = a|wher   x>1 # odd\n\n\n\nc=a|where x>1");
    assert_eq!(formatted.text, "a = rows [ {x: 1} ]\n  b = a|wher   x>1 # odd\n\nc = a | where x > 1\n");
    assert_eq!(formatted.diagnostics.len(), 1);
}

#[test]
fn an_empty_text_stays_empty() {
    assert_eq!(format("").text, "");
    assert_eq!(format(" \n\n").text, "");
    assert_eq!(format("\n# only a comment").text, "# only a comment\n");
}
