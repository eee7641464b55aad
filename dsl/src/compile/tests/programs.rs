//! Outputs: labels, orders, errors ports, modes, expectations.

use tidebook_plan::connector::{OptionValue, WriteMode};
use tidebook_plan::flow::OrderKey;
use tidebook_plan::{ColumnType, Type};

use super::*;

const ORDERS: &str = "orders = rows [ {id: 10, qty: 3}, {id: 11, qty: 1} ]\nsorted = orders | sort qty desc, id\n";

fn show(text: &str) -> ShowProgram {
    shown(&format!("{ORDERS}{text}"))
}

fn write(text: &str) -> WriteProgram {
    match last(&format!("{ORDERS}{text}")) {
        StatementKind::Write(write) => write,
        other => panic!("not a write: {other:?}"),
    }
}

fn expect(text: &str) -> ExpectProgram {
    match last(&format!("{ORDERS}{text}")) {
        StatementKind::Expect(expect) => expect,
        other => panic!("not an expectation: {other:?}"),
    }
}

#[test]
fn a_table_is_shown_under_its_name() {
    assert_eq!(show("orders").table.label, "orders");
    assert_eq!(show("orders | sort qty | limit 3 | show limit 2 every 1s").table.label, "orders");
    assert_eq!(show("orders.errors").table.label, "orders.errors");
    assert_eq!(show("orders # all\n  |   where qty > 1 # some\n").table.label, "orders | where qty > 1");
    assert_eq!(show("orders | where f\"a  {id}\" == \"b  #\"").table.label, "orders | where f\"a  {id}\" == \"b  #\"");
}

#[test]
fn show_takes_limit_and_pause() {
    let program = show("orders | show limit 2 every 200ms");
    assert_eq!((program.limit, program.every), (Some(2), Some(std::time::Duration::from_millis(200))));
    assert_eq!(program.source.span.of(&program.source.text), "orders | show limit 2 every 200ms");
}

#[test]
fn a_trailing_sort_is_the_order() {
    let key = |column, descending| OrderKey { column, descending };
    assert_eq!(show("sorted").table.ordering, [key(1, true), key(0, false)]);
    assert_eq!(show("sorted | where qty > 1").table.ordering, [key(1, true), key(0, false)]);
    assert_eq!(show("sorted | select qty").table.ordering, [key(0, true), key(1, false)]);
    assert_eq!(show("sorted | select id").table.ordering, [key(1, true), key(0, false)]);
    assert_eq!(show("sorted | select id").table.order_columns, [ColumnType::required(Type::Int)]);
    let table = show("sorted | sort -qty | select id").table;
    assert_eq!((table.ordering, table.schema.to_string()), (vec![key(1, false)], "{id: int}".to_string()));
    assert_eq!(show("sorted | summarize n: count() by qty").table.ordering, []);
    assert_eq!(show("orders | sort qty + id | limit 1 | select id").table.schema.to_string(), "{id: int}");
}

#[test]
fn a_bare_name_brings_the_errors_of_its_definition() {
    assert!(!show("orders").table.has_errors_port);
    let program = show("unit = orders | derive unit: 10 / qty\nunit | sort id | show");
    assert!(program.table.has_errors_port);
    assert_eq!(program.table.plan.outputs.len(), 2);
    let own = show("unit = orders | derive unit: 10 / qty\nunit | where unit > 1");
    assert_eq!(own.table.plan.outputs.len(), 1);
    assert_eq!(show("orders | derive unit: 10 / qty").table.plan.outputs.len(), 2);
}

#[test]
fn programs_know_what_they_stand_on() {
    let program = show("param least: int = 1\nfn twice(x) = x * 2\nbig = sorted | where twice(qty) > least\nbig");
    assert_eq!(program.table.tables, ["big", "orders", "sorted", "least", "twice"]);
}

#[test]
fn the_mode_follows_from_the_table() {
    assert_eq!(write("orders | write toysink(\"x\")").mode, WriteMode::Append);
    assert_eq!(write("orders | key by id | write toysink(\"x\")").mode, WriteMode::Upsert);
    assert_eq!(write("orders | summarize n: count() by qty | write toysink(\"x\")").mode, WriteMode::Upsert);
    let changes = write("orders | summarize n: count() | write toysink(\"x\", mode: changes)");
    assert_eq!(changes.mode, WriteMode::Changes);
    assert_eq!(changes.connector, "toysink");
    assert_eq!(changes.options.0.keys().collect::<Vec<_>>(), ["path"]);
}

#[test]
fn only_what_takes_rows_back_retracts() {
    let cases = [
        ("orders | where qty > 1 | select id", false),
        ("orders | join orders as other on orders.id == other.id | select orders.id", false),
        ("orders | distinct", false),
        ("orders | anti join orders as other on orders.id == other.id", true),
        ("orders | summarize n: count()", true),
        ("orders | limit 1", true),
        ("rows [ {a: 1} ] then [ -{a: 1} ]", true),
        ("read toy(\"x\")", false),
        ("read toy(\"x\", watch: true)", true),
        ("read toy(\"x\") { id: int key }", true),
    ];
    for (pipeline, retracts) in cases {
        assert_eq!(show(pipeline).table.retracts, retracts, "{pipeline}");
    }
}

#[test]
fn expectations_are_tables_of_contradictions() {
    let equals = expect("expect orders equals rows [ {qty: 3.0, id: 10} ]");
    assert_eq!(equals.table.schema.to_string(), "{_side: text, id: int, qty: float}");
    assert_eq!(equals.holds_when, HoldsWhen::Empty);
    let none = expect("expect orders within 5s equals rows []");
    assert_eq!(none.table.schema.to_string(), "{_side: text, id: int, qty: int}");
    assert_eq!(none.within, Some(std::time::Duration::from_secs(5)));
    let all = expect("expect orders all 10 / qty > 2");
    assert_eq!(all.table.schema.to_string(), "{id: int, qty: int}");
    assert_eq!(all.text, "expect orders all 10 / qty > 2");
    assert_eq!(expect("expect orders is not empty").holds_when, HoldsWhen::NotEmpty);
}

#[test]
fn options_are_checked_and_secrets_hidden() {
    let (_, catalog) = compiles(
        "param place: text = \"y\"\nt = read toy(env(\"TOY_PATH\"), password: \"pw\", every: 5s, format: csv)\nu = read toy(f\"{place}/z\")",
    );
    assert_eq!(catalog.table("t").unwrap().sources, ["toy(***, password: ***, every: 5s, format: csv)"]);
    assert_eq!(catalog.table("u").unwrap().sources, ["toy(\"y/z\")"]);
    let program = shown("t = read toy(env(\"TOY_PATH\"), password: \"pw\")\nt");
    let spec = program.table.plan.nodes.iter().find_map(|node| match &node.operator {
        tidebook_plan::Operator::Get { source } => Some(source.clone()),
        _ => None,
    });
    let options = spec.expect("a source").options.clone();
    assert_eq!(options.get("path"), Some(&OptionValue::Secret("secret/place".to_string())));
    assert_eq!(options.get("speed"), Some(&OptionValue::Int(7)));
    assert!(!format!("{program:?}").contains("secret/place"));
}

#[test]
fn everything_that_resolves_is_lowered() {
    let pipelines = [
        "orders | left join sorted as s on orders.qty * 1.5 == s.qty and s.id > orders.id | select orders.id, other: s.id",
        "orders | full join sorted as s using (id) | select id, a: orders.qty, b: s.qty",
        "orders | right join sorted as s on orders.id == s.id and orders.qty / s.qty > 0 | select s.id",
        "orders | anti join sorted as s on orders.id == s.id and orders.qty > s.qty",
        "orders | summarize a: min(qty), b: max(qty) filter (where id > 1), c: sum(qty) / count() by big: qty > 1",
        "orders | except (orders | where qty > 1) | intersect orders | union orders",
        "orders | top 1 by qty desc per id % 2",
        "orders | key by id | update (sorted | key by id) | patch (orders | select id | key by id)",
        "orders | derive a: tax(qty), b: case { qty > 2 => f\"{qty}\", else => null } ?? \"x\" | sort a | limit 2",
    ];
    for pipeline in pipelines {
        let program = show(&format!("fn tax(x: float) -> float = x * 0.2\n{pipeline}"));
        assert!(!program.table.plan.nodes.is_empty(), "{pipeline}");
    }
}
