//! Cells that run again, change each other and fail.

use super::*;

struct Notebook {
    catalog: Catalog,
    toy: Toy,
}

impl Notebook {
    fn new() -> Self {
        Notebook { catalog: Catalog::default(), toy: Toy::default() }
    }

    fn run(&mut self, cell: &str, text: &str) -> Compiled {
        compile(cell, text, &mut self.catalog, &self.toy)
    }

    /// Runs a cell that must compile.
    fn runs(&mut self, cell: &str, text: &str) -> Compiled {
        let compiled = self.run(cell, text);
        assert!(compiled.diagnostics.is_empty(), "{}", rendered(&compiled.diagnostics, text));
        compiled
    }

    fn tables(&self) -> Vec<String> {
        self.catalog.tables().into_iter().map(|table| table.name).collect()
    }

    fn program(&mut self, table: &str) -> TableProgram {
        match self.runs("shows", table).statements.remove(0).kind {
            StatementKind::Show(show) => show.table,
            other => panic!("not a show: {other:?}"),
        }
    }

    fn fingerprints(&mut self, table: &str) -> Vec<tidebook_plan::Fingerprint> {
        let plan = self.program(table).plan;
        plan.outputs.iter().map(|output| plan.nodes[*output].fingerprint).collect()
    }

    fn generation(&mut self, table: &str) -> u64 {
        let plan = self.program(table).plan;
        let source = plan.nodes.iter().find_map(|node| match &node.operator {
            tidebook_plan::Operator::Get { source } => Some(source.generation),
            _ => None,
        });
        source.expect("a source")
    }
}

#[test]
fn a_redefinition_reaches_its_dependents() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "a = rows [ {x: 1} ]");
    notebook.runs("2", "b = a | derive y: x + 1\nc = b | select y\nother = rows [ {z: 1} ]");
    let compiled = notebook.runs("1", "a = rows [ {x: 1.5, w: 2} ]");
    assert_eq!(compiled.changed, ["a", "b", "c"]);
    assert_eq!(notebook.catalog.table("b").unwrap().schema.to_string(), "{x: float, w: int, y: float}");
    assert_eq!(notebook.catalog.table("c").unwrap().schema.to_string(), "{y: float}");
    assert_eq!(notebook.catalog.table("c").unwrap().reads, ["b"]);
}

#[test]
fn a_broken_dependent_mends_itself() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "a = rows [ {x: 1} ]");
    notebook.runs("2", "b = a | where x > 0\nc = b | select x");
    let compiled = notebook.runs("1", "a = rows [ {w: 1} ]");
    let broken: Vec<&str> = compiled.broken.iter().map(|(table, _)| table.as_str()).collect();
    assert_eq!(broken, ["b", "c"]);
    assert_eq!(compiled.broken[0].1.message, "unknown column `x`");
    assert_eq!(notebook.catalog.table("b").unwrap().broken.as_deref(), Some("unknown column `x`"));
    assert_eq!(notebook.run("3", "b").diagnostics[0].code, "D0210");
    let compiled = notebook.runs("1", "a = rows [ {x: 2} ]");
    assert_eq!(compiled.changed, ["a", "b", "c"]);
    assert!(notebook.catalog.tables().iter().all(|table| table.broken.is_none()));
}

#[test]
fn a_cell_takes_back_what_it_no_longer_defines() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "a = rows [ {x: 1} ]\nfn f(x) = x + 1\nparam p: int = 1");
    notebook.runs("2", "b = a | where f(x) > p");
    let compiled = notebook.runs("1", "a = rows [ {x: 1} ]");
    assert_eq!(notebook.tables(), ["a", "b"]);
    assert!(notebook.catalog.functions().is_empty() && notebook.catalog.params().is_empty());
    assert_eq!(compiled.broken.len(), 1);
    assert!(compiled.changed.contains(&"b".to_string()));
}

#[test]
fn a_failed_definition_leaves_the_old_one() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "a = rows [ {x: 1} ]");
    let compiled = notebook.run("1", "a = rows [ {x: 1, x: 2} ]\nb = rows [ {y: 1} ]\na");
    assert_eq!((compiled.diagnostics.len(), compiled.statements.len()), (1, 2));
    assert_eq!(notebook.catalog.table("a").unwrap().schema.to_string(), "{x: int}");
    let compiled = notebook.run("1", "a = rows [ {x: 1} \nb");
    assert!(!compiled.diagnostics.is_empty());
    assert_eq!(notebook.tables(), ["a", "b"]);
}

#[test]
fn one_failure_is_reported_once() {
    let mut notebook = Notebook::new();
    let compiled = notebook.run("1", "a = rows [ {x: y} ]\nb = a | where x > 1\nb\nexpect b is empty");
    assert_eq!(compiled.diagnostics.len(), 1, "{:?}", compiled.diagnostics);
    let compiled = notebook.run("2", "c = rows [ {x: 1 ]\nd = c | where x > 1");
    assert_eq!(compiled.diagnostics.len(), 1, "{:?}", compiled.diagnostics);
}

#[test]
fn parameters_and_functions_reach_tables() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "param least: int = 1\nfn f(x: int) -> int = x + least");
    notebook.runs("2", "a = rows [ {x: 1} ] | where x >= least\nb = rows [ {x: 1} ] | derive y: f(x)");
    let (a, b) = (notebook.fingerprints("a"), notebook.fingerprints("b"));
    let compiled = notebook.runs("1", "param least: int = 2\nfn f(x: int) -> int = x + least");
    assert_eq!(compiled.changed, ["a", "b", "f", "least"]);
    assert_ne!(notebook.fingerprints("a"), a);
    assert_ne!(notebook.fingerprints("b"), b);
}

#[test]
fn only_running_again_reads_again() {
    let mut notebook = Notebook::new();
    notebook.runs("0", "dim = rows [ {id: 1} ]");
    notebook.runs("1", "a = read toy(\"x\") | semi join dim on a.id == dim.id");
    assert_eq!((notebook.generation("a"), *notebook.toy.described.borrow()), (0, 1));
    notebook.runs("0", "dim = rows [ {id: 2} ]");
    assert_eq!((notebook.generation("a"), *notebook.toy.described.borrow()), (0, 1));
    notebook.runs("1", "a = read toy(\"x\") | semi join dim on a.id == dim.id");
    assert_eq!((notebook.generation("a"), *notebook.toy.described.borrow()), (1, 2));
}

#[test]
fn equal_meaning_has_equal_fingerprints() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "a = rows [ {x: 1} ] | where x > 0\nb = a | summarize n: count() by x");
    let before = notebook.fingerprints("b");
    notebook.runs("1", "# moved\n\na = rows [ {x: 1} ]\n  | where x > 0\n\nb = a | summarize n: count() by x");
    assert_eq!(notebook.fingerprints("b"), before);
    notebook.runs("2", "c = rows [ {x: 1} ] | where x > 0 | summarize n: count() by x");
    assert_eq!(notebook.fingerprints("c"), before);
    notebook.runs("1", "a = rows [ {x: 2} ] | where x > 0\nb = a | summarize n: count() by x");
    assert_ne!(notebook.fingerprints("b"), before);
}

#[test]
fn outputs_compile_again() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "a = rows [ {x: 1} ]");
    let shown = notebook.runs("2", "a | where x > 0\nread toy(\"x\") | where id > 0");
    let sources: Vec<OutputText> = shown
        .statements
        .into_iter()
        .map(|statement| match statement.kind {
            StatementKind::Show(show) => show.source,
            other => panic!("not a show: {other:?}"),
        })
        .collect();
    notebook.runs("1", "a = rows [ {x: 1.5} ]");
    let Ok(StatementKind::Show(again)) = recompile(&sources[0], &notebook.catalog, &notebook.toy) else {
        panic!("the output compiles again");
    };
    assert_eq!(again.table.schema.to_string(), "{x: float}");
    assert!(recompile(&sources[1], &notebook.catalog, &notebook.toy).is_ok());
    assert_eq!(*notebook.toy.described.borrow(), 1);
    notebook.runs("1", "a = rows [ {y: 1} ]");
    let faults = recompile(&sources[0], &notebook.catalog, &notebook.toy).unwrap_err();
    assert_eq!(faults[0].message, "unknown column `x`");
}

#[test]
fn parameters_are_overridden_from_outside() {
    let cases = [
        ("since: timestamp = @2026-01-01", "2026-03-01T10:00:00", "2026-03-01T10:00:00"),
        ("since: timestamp = @2026-01-01", "@2026-03-01", "2026-03-01T00:00:00"),
        ("n: int = 1", "42", "42"),
        ("name: text", "42 # x", "42 # x"),
        ("pause: duration = 1s", "5m", "5m"),
        ("xs: [int] = [1]", "[2, 3]", "[2,3]"),
    ];
    for (declared, given, shown) in cases {
        let mut notebook = Notebook::new();
        let name = declared.split(':').next().unwrap().to_string();
        notebook.toy.parameters.insert(name, given.to_string());
        notebook.runs("1", &format!("param {declared}"));
        assert_eq!(notebook.catalog.params()[0].value, shown, "{declared}");
    }
    let mut notebook = Notebook::new();
    notebook.toy.parameters.insert("n".to_string(), "many".to_string());
    let compiled = notebook.run("1", "param n: int = 1");
    assert_eq!(compiled.diagnostics[0].message, "`n` is int, but the value given from outside is `many`");
}

#[test]
fn expressions_are_evaluated() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "param rate: float = 0.5\nfn half(x: float) = x * rate");
    assert_eq!(evaluate("half(3) + 1", &notebook.catalog, &notebook.toy), Ok("2.5".to_string()));
    assert_eq!(evaluate("1 / 0", &notebook.catalog, &notebook.toy).unwrap_err()[0].code, "D0217");
}

#[test]
fn plans_are_explained() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "a = rows [ {x: 1} ] | where x > 0");
    let explanation = explain("a", &notebook.catalog).expect("the table is there");
    assert!(explanation.logical.contains("Filter") && explanation.flow.contains("constant"), "{explanation:?}");
    assert_eq!(explain("b", &notebook.catalog), None);
}
