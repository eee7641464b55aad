//! Text beyond every limit: a diagnostic each time, soon, and on a stack of ordinary size for what is parsed only.

use std::time::{Duration, Instant};

use super::*;
use crate::limits;

/// How long any of these may take, on a busy machine and without optimisation.
const PATIENCE: Duration = Duration::from_secs(20);

/// The codes that a cell gives, each once. Compiled on the stack that a session gives.
fn codes(text: &str) -> Vec<String> {
    let began = Instant::now();
    let diagnostics = std::thread::scope(|scope| {
        let compiled = || compile("cell", text, &mut Catalog::default(), &Toy::default()).diagnostics;
        std::thread::Builder::new().stack_size(512 << 20).spawn_scoped(scope, compiled).unwrap().join().unwrap()
    });
    let head: String = text.chars().take(60).collect();
    assert!(began.elapsed() < PATIENCE, "{head}: {:?}", began.elapsed());
    assert!(diagnostics.len() <= limits::DIAGNOSTICS + 1, "{head}: {}", diagnostics.len());
    for diagnostic in &diagnostics {
        let shown = diagnostic.to_text(text, "cell");
        assert!(shown.len() < 3_000, "{head}: {} bytes", shown.len());
    }
    let mut codes: Vec<String> = diagnostics.into_iter().map(|diagnostic| diagnostic.code).collect();
    codes.dedup();
    codes
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|i| line(i) + "\n").collect()
}

#[test]
fn cells_are_bounded() {
    assert_eq!(codes(&format!("t = rows [ {} ]", "{a: \"x\"},".repeat(1_200_000))), ["D0117"]);
    assert_eq!(codes(&lines(limits::STATEMENTS + 1, |i| format!("t{i} = rows [ {{a: 1}} ]"))), ["D0117"]);
}

#[test]
fn many_faults_are_told_in_part() {
    let text = lines(40_000, |i| format!("t{i} = x | wher a"));
    assert!(text.len() > 700_000);
    assert_eq!(codes(&text), ["D0105", "D0117"]);
    assert_eq!(codes(&lines(9_000, |i| format!("t{i} = u{i} | where a > 1"))), ["D0201", "D0117"]);
}

#[test]
fn names_are_bounded_and_shown_in_part() {
    let name = "n".repeat(1_000_000);
    assert_eq!(codes(&format!("t = rows [ {{{name}: 1}} ]")), ["D0117"]);
    assert_eq!(codes(&format!("t = rows [ {{a: 1}} ] | where `{name}` > 1")), ["D0117"]);
    assert_eq!(codes(&format!("t = rows [ {{a: \"{name}\"}} ] | where b > 1")), ["D0203"]);
}

#[test]
fn nesting_is_bounded_in_every_way() {
    let mut texts = "1".to_string();
    (0..1_000).for_each(|_| texts = format!("f\"{{{texts}}}\""));
    for expression in [
        format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{}a{}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("{}a{}", "{b: ".repeat(10_000), "}".repeat(10_000)),
        format!("{}a{}", "abs(".repeat(10_000), ")".repeat(10_000)),
        format!("{}a", "not ".repeat(100_000)),
        format!("{}a", "- ".repeat(100_000)),
        vec!["a"; 100_000].join(" + "),
        vec!["a"; 100_000].join(" ?? "),
        format!("a{}", "[0]".repeat(100_000)),
        format!("a{}", ".b".repeat(100_000)),
        // Neither is too long or too deep alone.
        format!("{}a{}", "(1 + 1 + 1 + 1 + 1 + 1 + ".repeat(60), ")".repeat(60)),
        texts,
    ] {
        assert_eq!(codes(&format!("t = rows [ {{a: 1}} ] | derive b: {expression}")), ["D0104"]);
    }
    assert_eq!(codes(&format!("t = x{}{}", " | join (y".repeat(10_000), ")".repeat(10_000))), ["D0104"]);
    // What is left open does not make the next line harmless.
    assert_eq!(codes(&format!("t = x | where {}\nu = x | where {}a", "(".repeat(70), "(".repeat(10_000))), ["D0104"]);
}

#[test]
fn what_is_just_within_the_limits_compiles() {
    let sum = vec!["a"; limits::CHAIN + 1].join(" + ");
    let nested = format!("{}a{}", "(".repeat(60), ")".repeat(60));
    let any = (0..1_000).map(|i| format!("a == {i}")).collect::<Vec<_>>().join(" or ");
    let steps = " | where a > 0".repeat(limits::STEPS);
    let cell = format!("t = rows [ {{a: 1}} ]\nu = t | derive b: {sum}, c: {nested} | where {any}\nv = t{steps}\nv\nu");
    assert_eq!(codes(&cell), Vec::<String>::new());
}

#[test]
fn steps_are_bounded_through_tables() {
    assert_eq!(codes(&format!("t = rows [ {{a: 1}} ]{}", " | where a > 0".repeat(100_000))), ["D0117"]);
    let chain = lines(2_000, |i| format!("t{} = t{i} | where a > 0", i + 1));
    let found = codes(&format!("t0 = rows [ {{a: 1}} ]\n{chain}"));
    assert_eq!(found, ["D0117"]);
}

#[test]
fn what_doubles_with_every_line_is_stopped() {
    let functions = lines(40, |i| format!("fn f{}(x: int) -> int = f{i}(x) + f{i}(x)", i + 1));
    let found = codes(&format!("fn f0(x: int) -> int = x + x\n{functions}\nt = rows [ {{a: 1}} ]"));
    assert_eq!(found.first().map(String::as_str), Some("D0117"), "{found:?}");
}

#[test]
fn tables_that_are_read_twice_are_compiled_once() {
    let chain = |count: usize, step: fn(usize) -> String| {
        let tables = lines(count, |i| format!("t{} = t{i} | {}", i + 1, step(i)));
        codes(&format!("t0 = rows [ {{a: 1}} ]\n{tables}t{count}\nt{count}.errors"))
    };
    assert_eq!(chain(400, |i| format!("union t{i}")), Vec::<String>::new());
    assert_eq!(
        chain(200, |i| format!("semi join t{i} as o on t{i}.a == o.a | derive a: 10 / a")),
        Vec::<String>::new()
    );
    // A table counts once, whether it is read by many or few.
    let wide = lines(2_500, |i| format!("u{i} = t | where a > {i} | where a > 0 | where a > 1"));
    let all = (0..2_500).map(|i| format!(" | union u{i}")).collect::<String>();
    let found = codes(&format!("t = rows [ {{a: 1}} ]\n{wide}x = t{}", &all[..]));
    assert_eq!(found, ["D0117"]);
}

#[test]
fn tables_are_as_wide_as_they_may_be() {
    let columns = |count: usize| (0..count).map(|i| format!("c{i}: {i}")).collect::<Vec<_>>().join(", ");
    let wide = columns(limits::COLUMNS + 1);
    assert_eq!(codes(&format!("t = rows [ {{{wide}}} ]")), ["D0117"]);
    assert_eq!(codes(&format!("t = rows [ {{a: {{{wide}}}}} ]")), ["D0117"]);
    assert_eq!(codes(&format!("t = rows [ {{a: 1}} ] | derive {wide}")), ["D0117"]);
    assert_eq!(codes(&format!("t = rows [ {{a: 1}} ] | select {wide}")), ["D0117"]);
    let half = columns(limits::COLUMNS / 2 + 1);
    let other = half.replace('c', "d");
    assert_eq!(codes(&format!("t = rows [ {{{half}}} ]\nu = rows [ {{{other}}} ] | cross join t")), ["D0117"]);
}
