//! Every entry of the registry that this stage gives: its wrong example gives it, its right example is right.

use crate::compile::explain::explain;
use crate::diagnostics::{doubts, names, sources, steps};

use super::*;

#[test]
fn examples_hold() {
    for entry in [names::ALL, sources::ALL, steps::ALL, doubts::ALL].into_iter().flatten() {
        let wrong = compile("cell", entry.wrong, &mut Catalog::default(), &Toy::default());
        let codes: Vec<&str> = wrong.diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
        // A table breaks only where something else is wrong too.
        let alone = codes == [entry.code] || entry.code == names::BROKEN_TABLE.code && codes.contains(&entry.code);
        assert!(
            alone,
            "{codes:?} is not {}\n{}\n{}",
            entry.code,
            entry.wrong,
            rendered(&wrong.diagnostics, entry.wrong)
        );
        compiles(entry.right);
    }
}

#[test]
fn an_interval_is_joined_on_stretches_of_time() {
    let cell = "l = rows [ {k: 1, n: 3} ]\nr = rows [ {j: 1, m: 5} ]\n\
                a = l | join r on m between n - 2 and n + 2\nb = l | left join r on k == j and m >= n and n + 9 > m\n\
                c = l | join r on m >= n";
    let (_, catalog) = compiles(cell);
    let flow = |name: &str| explain(name, &catalog).expect("a table").flow;
    for name in ["a", "b"] {
        let flow = flow(name);
        assert!(flow.contains("interval join") && !flow.contains("on [] = []"), "{flow}");
    }
    // One bound alone is no interval.
    assert!(flow("c").contains("on [] = []"), "{}", flow("c"));
}
