//! What a table's columns are, step by step.

use super::schema_of;

const SHOP: &str = "products = rows [ {id: 1, name: \"pen\", price: 1.5}, {id: 2, name: \"ink\", price: 4.0} ]\n\
                    orders = rows [ {id: 10, product: 1, qty: 3}, {id: 11, product: 2, qty: null} ]\n";

/// Each a pipeline over `SHOP` and the schema that it gives.
fn check(cases: &[(&str, &str)]) {
    for (pipeline, expected) in cases {
        assert_eq!(schema_of(&format!("{SHOP}t = {pipeline}")), *expected, "{pipeline}");
    }
}

#[test]
fn rows_unify_their_values() {
    check(&[
        ("rows [ {a: 1}, {a: 2.5} ]", "{a: float}"),
        ("rows [ {a: 1, b: \"x\"}, {a: null} ]", "{a: int?, b: text?}"),
        ("rows [ {a: 1} ] then [ {a: 2, c: true} ]", "{a: int, c: bool?}"),
        ("rows [ {a: null} ]", "{a: null}"),
        ("rows [ {a: @2026-11-22, b: 5s, c: @2026-11-22T10:00:00Z} ]", "{a: date, b: duration, c: timestamp}"),
        ("rows [ {a: [1, 2], b: {x: 1, y: \"z\"}} ]", "{a: [int], b: {x: int, y: text}}"),
        ("rows [ {a: 1 + 2, b: -1, c: upper(\"x\")} ]", "{a: int, b: int, c: text}"),
    ]);
}

#[test]
fn columns_are_chosen() {
    check(&[
        ("orders | where qty > 1", "{id: int, product: int, qty: int?}"),
        ("orders | select qty, n: id + 1", "{qty: int?, n: int}"),
        ("orders | select *, twice: qty * 2", "{id: int, product: int, qty: int?, twice: int?}"),
        ("orders | select * except (qty)", "{id: int, product: int}"),
        ("orders | select orders.id", "{id: int}"),
        ("orders | select id, again: id", "{id: int, again: int}"),
        ("orders | derive qty: qty ?? 0, new: 1.0", "{id: int, product: int, qty: int, new: float}"),
        ("orders | drop qty, product", "{id: int}"),
        ("orders | rename number: id", "{number: int, product: int, qty: int?}"),
        ("orders | rename id: product, product: id", "{product: int, id: int, qty: int?}"),
        ("orders | derive amount: qty | where orders.amount > 1 | select amount", "{amount: int?}"),
    ]);
}

#[test]
fn expressions_have_types() {
    check(&[
        ("products | select a: f\"{name} costs {price}\"", "{a: text}"),
        ("products | select a: case { price > 2 => \"dear\", else => \"cheap\" }", "{a: text}"),
        ("products | select a: case { price > 2 => 1 }", "{a: int?}"),
        (
            "products | select a: name in (\"pen\", \"ink\"), b: price between 1 and 2, c: name like \"p%\"",
            "{a: bool, b: bool, c: bool}",
        ),
        ("products | select a: name is null, b: not (price > 1)", "{a: bool, b: bool}"),
        ("products | select a: int(\"7\"), b: text(id), c: decimal(id, 10, 2)", "{a: int, b: text, c: decimal(10, 2)}"),
        ("products | select a: {x: id, y: name} | select b: a.y", "{b: text}"),
        ("products | select a: [id, 2] | select b: a[0]", "{b: int?}"),
        ("products | select a: @2026-01-02T00:00:00Z - @2026-01-01T00:00:00Z", "{a: duration}"),
        ("products | select a: @2026-01-02T00:00:00Z + 5s, b: name + \"!\"", "{a: timestamp, b: text}"),
        ("products | select a: try(int(name))", "{a: int?}"),
        ("orders | select a: qty + 1, b: qty ?? 1.5", "{a: int?, b: float}"),
    ]);
}

#[test]
fn groups_have_keys_then_aggregates() {
    check(&[
        ("orders | summarize n: count(), s: sum(qty) by product", "{product: int key, n: int, s: int?}"),
        ("orders | summarize n: count()", "{n: int}"),
        (
            "orders | summarize m: min(id), x: max(qty), a: avg(id) by product",
            "{product: int key, m: int, x: int?, a: float}",
        ),
        ("orders | summarize m: min(id)", "{m: int?}"),
        ("orders | summarize r: sum(id) / count() by odd: product % 2", "{odd: int key, r: int}"),
        (
            "orders | summarize big: count() filter (where qty > 2), s: sum(id) filter (where qty > 2) by product",
            "{product: int key, big: int, s: int?}",
        ),
        ("orders | summarize by product", "{product: int key}"),
        ("orders | summarize a: any(qty > 1), b: all(id > 1) by product", "{product: int key, a: bool?, b: bool}"),
        ("orders | summarize a: count(), b: count() by product", "{product: int key, a: int, b: int}"),
    ]);
}

#[test]
fn joins_have_both_sides() {
    let on = "on orders.product == products.id";
    let both = |step: &str, select: &str| format!("orders | {step} products {on} | select {select}");
    check(&[
        (&both("join", "orders.id, name, qty"), "{id: int, name: text, qty: int?}"),
        (&both("left join", "orders.id, name"), "{id: int, name: text?}"),
        (&both("right join", "orders.id, name"), "{id: int?, name: text}"),
        (&both("full join", "orders.id, name"), "{id: int?, name: text?}"),
        (&format!("orders | semi join products {on}"), "{id: int, product: int, qty: int?}"),
        (&format!("orders | anti join products {on}"), "{id: int, product: int, qty: int?}"),
        ("orders | cross join products | select orders.id, products.name", "{id: int, name: text}"),
        (
            "orders | rename number: id | join (products | rename product: id) using (product)",
            "{product: int, number: int, qty: int?, name: text, price: float}",
        ),
        (
            "orders | rename number: id | full join (products | rename product: id) as p using (product)",
            "{product: int?, number: int?, qty: int?, name: text?, price: float?}",
        ),
        ("orders | join products as p on product == p.id and p.price > 1 | select orders.id", "{id: int}"),
        (
            "orders | left join products as p on product == p.id and qty * 2.0 > p.price | select orders.id, p.name",
            "{id: int, name: text?}",
        ),
        (
            "orders | join orders as other on orders.id == other.product | select orders.id, other: other.id",
            "{id: int, other: int}",
        ),
    ]);
}

#[test]
fn tables_are_combined_by_name() {
    check(&[
        ("orders | union (orders | select qty, id, product)", "{id: int, product: int, qty: int?}"),
        ("rows [ {a: 1} ] | union (rows [ {a: 2.5} ])", "{a: float}"),
        ("orders | except orders", "{id: int, product: int, qty: int?}"),
        ("orders | intersect (orders | where id > 1)", "{id: int, product: int, qty: int?}"),
        ("orders | select product | distinct", "{product: int}"),
    ]);
}

#[test]
fn keys_follow_their_columns() {
    check(&[
        ("orders | key by id", "{id: int key, product: int, qty: int?}"),
        ("orders | key by id | where qty > 1 | rename number: id", "{number: int key, product: int, qty: int?}"),
        ("orders | key by id | drop id", "{product: int, qty: int?}"),
        ("orders | key by id | derive id: id + 1", "{id: int, product: int, qty: int?}"),
        ("orders | key by id | select qty, id", "{qty: int?, id: int key}"),
        (
            "orders | key by id | join (products | key by id) as p on product == p.id | select orders.id, name",
            "{id: int key, name: text}",
        ),
        (
            "orders | key by id | update (rows [ {id: 10, qty: 4} ] | key by id)",
            "{id: int key, product: int?, qty: int?}",
        ),
        (
            "orders | key by id | patch (rows [ {id: 10, qty: 4} ] | key by id)",
            "{id: int key, product: int, qty: int?}",
        ),
    ]);
}

#[test]
fn sources_declare_or_describe() {
    check(&[
        ("read toy(\"x\")", "{id: int, name: text?}"),
        (
            "read toy(\"x\") { id: int key, at: timestamp?, n: int default 4, wire: text from \"Wire Name\" }",
            "{id: int key, at: timestamp?, n: int, wire: text}",
        ),
        (
            "read demo.toy(rate: 100) { a: decimal(10, 2), b: [text], c: {x: int?} }",
            "{a: decimal(10, 2), b: [text], c: {x: int?}}",
        ),
    ]);
}

#[test]
fn the_first_page_of_the_language_compiles() {
    let (compiled, catalog) = super::compiles(
        "# products never change here; orders are corrected by the second batch
products = rows [ {id: 1, name: \"pen\", price: 1.5}, {id: 2, name: \"ink\", price: 4.0} ]
orders   = rows [ {id: 10, product: 1, qty: 3}, {id: 11, product: 2, qty: 1} ]
           then [ -{id: 11, product: 2, qty: 1}, {id: 11, product: 2, qty: 2} ]

revenue = orders
  | join products on orders.product == products.id
  | derive amount: qty * price
  | summarize revenue: sum(amount), orders: count() by name

revenue                      # a bare pipeline is shown, live
expect revenue equals rows [ {name: \"pen\", revenue: 4.5, orders: 1}, {name: \"ink\", revenue: 8.0, orders: 1} ]
",
    );
    assert_eq!(compiled.statements.len(), 5);
    assert_eq!(catalog.table("revenue").unwrap().schema.to_string(), "{name: text key, revenue: float, orders: int}");
    assert_eq!(catalog.table("revenue").unwrap().reads, ["orders", "products"]);
}

#[test]
fn a_catalog_crosses_threads() {
    fn crosses<T: Send + Sync>(_: &T) {}
    let (compiled, catalog) = super::compiles("t = rows [ {a: 1} ]\nt");
    crosses(&catalog);
    crosses(&compiled);
}

#[test]
fn errors_are_a_table() {
    let errors = |definition: &str| schema_of(&format!("{SHOP}u = {definition}\nt = u.errors"));
    let cases = [
        ("orders | derive unit: 10 / qty", "{id: int, product: int, qty: int?, _error: text, _step: text}"),
        ("orders | where qty is null", "{_error: text, _step: text}"),
        ("read toy(\"x\") { id: int }", "{file: text?, line: int?, text: text?, _error: text, _step: text}"),
        ("rows [ {a: 1} ] then [ -{a: 2} ]", "{a: int, _error: text, _step: text}"),
        ("orders | summarize s: sum(qty) by product", "{product: int, _error: text, _step: text}"),
        (
            "orders | select id, twice: qty * 2 | derive id: text(id), x: twice * 2",
            "{id: int, product: int?, qty: int?, twice: int?, _error: text, _step: text}",
        ),
        (
            "orders | derive qty: text(qty ?? 0) | where int(qty) > 1 | select id | key by id",
            "{id: int, product: int?, qty: text?, _error: text, _step: text}",
        ),
    ];
    for (definition, expected) in cases {
        assert_eq!(errors(definition), expected, "{definition}");
    }
}
