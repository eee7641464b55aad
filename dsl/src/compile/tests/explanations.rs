//! Every entry of the registry that this stage gives: its wrong example gives it, its right example is right.

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
