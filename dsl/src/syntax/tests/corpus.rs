//! Every file of `corpus/` parses without a diagnostic.

use std::path::Path;

use super::*;

/// The files of the corpus with their text.
pub fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syntax/tests/corpus");
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn the_corpus_parses_without_a_diagnostic() {
    let files = files();
    assert!(files.len() >= 12, "the corpus has {} files", files.len());
    for (name, text) in files {
        let parsed = parse(&text);
        let messages: Vec<_> = parsed.diagnostics.iter().map(|d| d.to_text(&text, &name)).collect();
        assert!(messages.is_empty(), "{}", messages.join("\n"));
        assert!(!parsed.statements.is_empty(), "{name} has no statement");
    }
}

#[test]
fn every_step_has_an_example_that_parses_and_uses_it() {
    for step in steps::STEPS {
        let parsed = parse(step.example);
        assert_eq!(parsed.diagnostics, [], "{}", step.example);
        let StatementKind::Show(pipeline) = &parsed.statements[0].kind else {
            panic!("{} is no pipeline", step.example)
        };
        let keywords: Vec<&str> = pipeline.steps.iter().map(|used| used.keyword.of(step.example)).collect();
        assert!(keywords.contains(&step.name), "{} uses {keywords:?}", step.name);
        assert!(step.signature.starts_with(step.name), "{}", step.signature);
    }
}

#[test]
fn every_step_of_the_corpus_is_documented() {
    let mut seen = std::collections::BTreeSet::new();
    for (_, text) in files() {
        for statement in parse(&text).statements {
            let (StatementKind::Define { pipeline, .. } | StatementKind::Show(pipeline)) = statement.kind else {
                continue;
            };
            for step in pipeline.steps {
                let lines = step.keyword.of(&text).lines().map(|line| line.split('#').next().unwrap_or(""));
                let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
                let name = words.join(" ");
                assert!(steps::find(&name).is_some(), "`{name}` is not in STEPS");
                seen.insert(name);
            }
        }
    }
    let unseen: Vec<&str> = steps::STEPS.iter().map(|step| step.name).filter(|name| !seen.contains(*name)).collect();
    assert!(unseen.is_empty(), "steps without a place in the corpus: {unseen:?}");
}

#[test]
fn newlines_are_white_space() {
    let texts: Vec<String> =
        files().into_iter().filter(|(name, _)| name.contains("language_")).map(|(_, text)| text).collect();
    assert_eq!(texts.len(), 6);
    for text in texts {
        let bare: Vec<&str> = text.lines().map(|line| line.split_once('#').map_or(line, |(code, _)| code)).collect();
        let (lines, one_line) = (parse(&bare.join("\n")), parse(&bare.join(" ")));
        assert_eq!(one_line.diagnostics, [], "{}", bare.join(" "));
        assert_eq!(one_line.statements.len(), lines.statements.len());
    }
}
