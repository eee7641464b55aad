//! `%param`: values from within the notebook, before and after the parameters are declared.

use super::*;

struct Notebook {
    catalog: Catalog,
    toy: Toy,
}

impl Notebook {
    fn new() -> Self {
        Notebook { catalog: Catalog::default(), toy: Toy::default() }
    }

    /// Runs a cell that must compile.
    fn runs(&mut self, cell: &str, text: &str) -> Compiled {
        let compiled = compile(cell, text, &mut self.catalog, &self.toy);
        assert!(compiled.diagnostics.is_empty(), "{}", rendered(&compiled.diagnostics, text));
        compiled
    }

    fn fault(&mut self, cell: &str, text: &str) -> String {
        let compiled = compile(cell, text, &mut self.catalog, &self.toy);
        rendered(&compiled.diagnostics, text)
    }

    fn value(&self, name: &str) -> String {
        let params = self.catalog.params();
        params.into_iter().find(|param| param.name == name).expect("it is declared").value
    }
}

/// What a parameter of type `ty` becomes when it is given `text`, before its declaration and after.
fn becomes(ty: &str, default: &str, text: &str) -> String {
    let (declares, gives) = (format!("param p: {ty} = {default}"), format!("%param p = {text}"));
    let values = [[&declares, &gives], [&gives, &declares]].map(|cells| {
        let mut notebook = Notebook::new();
        notebook.runs("1", cells[0]);
        notebook.runs("2", cells[1]);
        notebook.value("p")
    });
    assert_eq!(values[0], values[1], "{declares}, {gives}");
    values[0].clone()
}

#[test]
fn a_value_of_every_type() {
    let cases = [
        ("text", "\"\"", "\"a \\\"b\\\"\\n\"", "a \"b\"\n"),
        ("text", "\"\"", "7", "7"),
        ("text", "\"\"", "true", "true"),
        ("text", "\"\"", "[1, 2]", "[1,2]"),
        ("text?", "\"\"", "null", "null"),
        ("int", "1", "-5", "-5"),
        ("int", "1", "\"12\"", "12"),
        ("int?", "1", "null", "null"),
        ("float", "1.0", "2", "2.0"),
        ("float", "1.0", "1.5e3", "1500.0"),
        ("float", "1.0", "float(\"nan\")", "NaN"),
        ("decimal(6, 2)", "1", "\"3.25\"", "3.25"),
        ("decimal(6, 2)", "1", "3.25", "3.25"),
        ("decimal(6, 2)", "1", "3", "3.00"),
        ("bool", "false", "true", "true"),
        ("bool", "false", "\"true\"", "true"),
        ("date", "@2026-01-01", "\"2026-02-03\"", "2026-02-03"),
        ("date", "@2026-01-01", "@2026-02-03", "2026-02-03"),
        ("timestamp", "@2026-01-01", "\"2026-02-03\"", "2026-02-03T00:00:00"),
        ("timestamp", "@2026-01-01", "@2026-02-03T10:00:00Z", "2026-02-03T10:00:00"),
        ("duration", "1s", "\"5m\"", "5m"),
        ("duration", "1s", "90s", "1m30s"),
        ("[int]", "[1]", "[2, 3]", "[2,3]"),
        ("[float]", "[1.0]", "[2, 3]", "[2.0,3.0]"),
        ("[text]", "[\"a\"]", "\"[\\\"b\\\"]\"", "[\"b\"]"),
        ("{a: int, b: text}", "{a: 1, b: \"x\"}", "{a: 2, b: \"y\"}", "{\"a\":2,\"b\":\"y\"}"),
        ("json", "json(\"1\")", "{a: [1, 2], b: null}", "{\"a\":[1,2],\"b\":null}"),
        ("json", "json(\"1\")", "\"[1, \\\"x\\\"]\"", "[1, \"x\"]"),
    ];
    for (ty, default, text, expected) in cases {
        assert_eq!(becomes(ty, default, text), expected, "{ty} given {text}");
    }
}

#[test]
fn a_value_reaches_what_stands_on_it_and_goes_with_its_line() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "param least: int = 1");
    notebook.runs("2", "t = rows [ {a: 1} ]\nu = t | where a >= least\nother = t | where a > 0");
    assert_eq!(notebook.runs("3", "%param least = 5").changed, ["u", "least"]);
    assert_eq!(notebook.value("least"), "5");
    notebook.runs("1", "param least: int = 2");
    assert_eq!(notebook.value("least"), "5", "the declaration runs again");
    assert_eq!(notebook.runs("3", "# nothing").changed, ["u", "least"]);
    assert_eq!(notebook.value("least"), "2", "the line is gone");
}

#[test]
fn a_value_from_the_command_line_goes_before() {
    let mut notebook = Notebook::new();
    notebook.toy.parameters.insert("n".to_string(), "7".to_string());
    notebook.runs("1", "%param n = 5");
    notebook.runs("2", "param n: int = 1");
    assert_eq!(notebook.value("n"), "7");
    notebook.runs("1", "%param n = 6");
    assert_eq!(notebook.value("n"), "7");
}

#[test]
fn without_a_default_the_parameter_goes_with_its_value() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "%param n = 5");
    notebook.runs("2", "param n: int\nt = rows [ {a: 1} ] | where a < n");
    notebook.runs("1", "# nothing");
    assert!(notebook.catalog.params().is_empty());
    assert!(notebook.catalog.table("t").unwrap().broken.is_some());
}

#[test]
fn who_gives_a_value_that_nothing_declares_is_told() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "param since: date = @2026-01-01");
    let compiled = notebook.runs("2", "%param sinse = \"2026-02-01\"");
    match &compiled.statements[0].kind {
        StatementKind::Given { name, declared } => assert_eq!((name.as_str(), declared.len()), ("sinse", 1)),
        other => panic!("not a value for nothing: {other:?}"),
    }
    assert_eq!(notebook.catalog.given_parameters().collect::<Vec<_>>(), ["sinse"]);
}

#[test]
fn a_value_that_does_not_fit_is_a_fault_at_the_value_or_at_the_declaration() {
    let mut notebook = Notebook::new();
    notebook.runs("1", "param n: int = 1");
    let fault = notebook.fault("2", "\n  %param n = [1, 2]");
    assert!(fault.contains("`n` is int, but the value given from outside is `[1, 2]`"), "{fault}");
    assert!(fault.contains("--> cell:2:14"), "{fault}");
    assert_eq!(notebook.value("n"), "1");
    notebook.runs("3", "%param m = 1.5");
    let fault = notebook.fault("4", "param m: int = 1");
    assert!(fault.contains("`m` is int, but the value given from outside is `1.5`"), "{fault}");
    assert!(fault.contains("--> cell:1:7"), "{fault}");
}
