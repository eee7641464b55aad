//! What programs mean: cells whose expectations must hold by the reference interpreter of flow plans.

#[path = "../../lower/tests/interpreter.rs"]
mod interpreter;

use super::*;

const SHOP: &str = "products = rows [ {id: 1, name: \"pen\", price: 2}, {id: 2, name: \"ink\", price: 4}, {id: 3, name: null, price: null} ]\n\
    orders = rows [ {id: 10, product: 1, qty: 3}, {id: 11, product: 2, qty: 1}, {id: 12, product: 9, qty: 5}, {id: 13, product: null, qty: 2} ]\n\
             then [ -{id: 11, product: 2, qty: 1}, {id: 11, product: 2, qty: 2} ]\n";

/// Every expectation of each cell holds.
fn check(cells: &[&str]) {
    for cell in cells {
        let (compiled, _) = compiles(&format!("{SHOP}{cell}"));
        let mut expectations = 0;
        for statement in compiled.statements {
            let StatementKind::Expect(expect) = statement.kind else { continue };
            expectations += 1;
            let outputs = interpreter::outputs(&expect.table.plan);
            let holds = outputs[0].is_empty() == (expect.holds_when == HoldsWhen::Empty);
            assert!(holds, "{cell}\n{}\n{:#?}", expect.text, outputs[0].values().collect::<Vec<_>>());
        }
        assert!(expectations > 0, "{cell} expects nothing");
    }
}

/// Each expectation of the cell fails.
#[test]
fn expectations_can_fail() {
    let cells = [
        "expect orders is empty",
        "expect orders | where id > 99 is not empty",
        "expect products equals rows [ {id: 1, name: \"pen\", price: 2} ]",
        "expect products | where id == 1 equals rows [ {id: 1, name: \"pen\", price: 2}, {id: 1, name: \"pen\", price: 2} ]",
        "expect products equals rows []",
        "expect orders all qty > 2",
        "expect products all price > 1",
        "expect orders all 1 / (qty - 2) < 9",
    ];
    for cell in cells {
        let StatementKind::Expect(expect) = last(&format!("{SHOP}{cell}")) else { panic!("{cell}") };
        let outputs = interpreter::outputs(&expect.table.plan);
        assert_ne!(outputs[0].is_empty(), expect.holds_when == HoldsWhen::Empty, "{cell}");
    }
}

#[test]
fn columns_and_rows() {
    check(&[
        "expect orders | where qty > 2 | select id equals rows [ {id: 10}, {id: 12} ]",
        "expect orders | where product == 1 or product is null | select id equals rows [ {id: 10}, {id: 13} ]",
        "expect orders | where not (product == 1) | select id equals rows [ {id: 11}, {id: 12} ]",
        "expect products | select a: f\"<{name}>\", b: price ?? 0, c: name == text(null) equals rows [ {a: \"<pen>\", b: 2, c: null}, {a: \"<ink>\", b: 4, c: null}, {a: \"<>\", b: 0, c: null} ]",
        "expect orders | derive qty: qty * 2, big: case { qty > 2 => \"big\", qty > 1 => \"some\" } | where id < 12 | drop product equals rows [ {id: 10, qty: 6, big: \"big\"}, {id: 11, qty: 4, big: \"some\"} ]",
        "fn twice(x: int) -> int = x * 2\nparam least: int = 3\nexpect orders | where twice(qty) >= least * 2 | select n: twice(x: id) equals rows [ {n: 20}, {n: 24} ]",
        "expect orders | rename n: id, id: product | where n == 10 equals rows [ {n: 10, id: 1, qty: 3} ]",
        "expect orders | sort qty desc | limit 2 | select id equals rows [ {id: 12}, {id: 10} ]",
        "expect orders | sort qty desc | select id | limit 1 equals rows [ {id: 12} ]",
        "expect orders | sort 0 - qty | limit 1 | select id equals rows [ {id: 12} ]",
        "expect orders | top 1 by qty per id % 2 | select id equals rows [ {id: 10}, {id: 11} ]",
    ]);
}

#[test]
fn groups() {
    check(&[
        "expect orders | summarize n: count(), s: sum(qty), p: count(product) equals rows [ {n: 4, s: 12, p: 3} ]",
        "expect orders | where id > 99 | summarize n: count(), s: sum(qty), m: max(qty) equals rows [ {n: 0, s: null, m: null} ]",
        "expect orders | summarize n: count(), most: max(qty), least: min(id), mean: sum(qty) / count() by odd: id % 2 == 1 equals rows [ {odd: true, n: 2, most: 2, least: 11, mean: 2}, {odd: false, n: 2, most: 5, least: 10, mean: 4} ]",
        "expect orders | summarize n: count() filter (where qty > 2), a: any(qty > 4), b: all(qty > 1) by k: id / 12 equals rows [ {k: 0, n: 1, a: false, b: true}, {k: 1, n: 1, a: true, b: true} ]",
        "expect orders | summarize by product equals rows [ {product: 1}, {product: 2}, {product: 9}, {product: null} ]",
        "expect orders | union orders | select product | distinct equals rows [ {product: 1}, {product: 2}, {product: 9}, {product: null} ]",
        "expect orders | summarize a: sum(qty), b: sum(qty) by big: qty > 2 | where a == b | select big, a equals rows [ {big: true, a: 8}, {big: false, a: 4} ]",
    ]);
}

#[test]
fn joins() {
    check(&[
        "expect orders | join products on product == products.id | select orders.id, name equals rows [ {id: 10, name: \"pen\"}, {id: 11, name: \"ink\"} ]",
        "expect orders | left join products as p on p.id == product | select orders.id, name equals rows [ {id: 10, name: \"pen\"}, {id: 11, name: \"ink\"}, {id: 12, name: null}, {id: 13, name: null} ]",
        "expect orders | right join products as p on p.id == product | select orders.id, p: p.id equals rows [ {id: 10, p: 1}, {id: 11, p: 2}, {id: null, p: 3} ]",
        "expect orders | full join products as p on p.id == product | select orders.id, p: p.id equals rows [ {id: 10, p: 1}, {id: 11, p: 2}, {id: 12, p: null}, {id: 13, p: null}, {id: null, p: 3} ]",
        "expect orders | rename n: id | full join (products | rename product: id) as p using (product) | select product, n, price equals rows [ {product: 1, n: 10, price: 2}, {product: 2, n: 11, price: 4}, {product: 9, n: 12, price: null}, {product: null, n: 13, price: null}, {product: 3, n: null, price: null} ]",
        "expect orders | semi join products on product == products.id | select id equals rows [ {id: 10}, {id: 11} ]",
        "expect orders | anti join products on product == products.id | select id equals rows [ {id: 12}, {id: 13} ]",
        "expect orders | cross join products | summarize n: count() equals rows [ {n: 12} ]",
        "expect orders | join products on product * 1.0 == products.id and qty > price | select orders.id equals rows [ {id: 10} ]",
        "expect orders | left join products as p on p.id == product and qty > price | select orders.id, name equals rows [ {id: 10, name: \"pen\"}, {id: 11, name: null}, {id: 12, name: null}, {id: 13, name: null} ]",
        "expect orders | right join products as p on p.id == product and qty > price | select p.id, o: orders.id equals rows [ {id: 1, o: 10}, {id: 2, o: null}, {id: 3, o: null} ]",
        "expect orders | full join products as p on p.id == product and qty > price | summarize n: count(), l: count(orders.id), r: count(p.id) equals rows [ {n: 6, l: 4, r: 3} ]",
        "expect orders | semi join products on qty > price | select id equals rows [ {id: 10}, {id: 12} ]",
        "expect orders | anti join products on product == products.id and qty > price | select id equals rows [ {id: 11}, {id: 12}, {id: 13} ]",
        "expect orders | union orders | anti join products on product == products.id and qty > price | where id == 11 | summarize n: count() equals rows [ {n: 2} ]",
        "expect orders | join orders as other on orders.id + 1 == other.id | select orders.id, next: other.id equals rows [ {id: 10, next: 11}, {id: 11, next: 12}, {id: 12, next: 13} ]",
    ]);
}

#[test]
fn sets_and_keys() {
    check(&[
        "expect orders | union orders | where id == 10 | select id equals rows [ {id: 10}, {id: 10} ]",
        "expect orders | union orders | except (orders | where id > 11) | select id equals rows [ {id: 10}, {id: 11} ]",
        "expect orders | union orders | intersect (orders | where id > 11) | select id equals rows [ {id: 12}, {id: 13} ]",
        "expect orders | select product | union (rows [ {product: 9} ]) | key by product equals rows [ {product: 1}, {product: 2}, {product: null} ]",
        "k = orders | select product | union (rows [ {product: 9} ]) | key by product\nexpect k.errors | select product equals rows [ {product: 9}, {product: 9} ]",
        "k = orders | select id, qty | key by id\nu = rows [ {id: 10, qty: 7}, {id: 20, qty: 8} ] | key by id\nexpect k | update u | where id in (10, 11, 20) equals rows [ {id: 10, qty: 7}, {id: 11, qty: 2}, {id: 20, qty: 8} ]",
        "k = orders | select id, qty | key by id\nu = rows [ {id: 10, qty: null}, {id: 11, qty: 9}, {id: 20, qty: 8} ] | key by id\nexpect k | patch u | where id in (10, 11, 20) equals rows [ {id: 10, qty: 3}, {id: 11, qty: 9} ]",
        "k = orders | key by id\nu = rows [ {id: 10, qty: 7} ] | key by id\nexpect k | update u | where id == 10 equals rows [ {id: 10, product: 1, qty: 7} ]",
    ]);
}

#[test]
fn errors() {
    check(&[
        "t = orders | derive unit: 6 / (qty - 2)\nexpect t | select id, unit equals rows [ {id: 10, unit: 6}, {id: 12, unit: 2} ]\nexpect t.errors | select id, qty, _error, _step equals rows [ {id: 11, qty: 2, _error: \"division by zero\", _step: \"derive unit: 6 / (qty - 2)\"}, {id: 13, qty: 2, _error: \"division by zero\", _step: \"derive unit: 6 / (qty - 2)\"} ]",
        "t = orders | where 6 / (qty - 2) > 2\n  | select id # only that\nexpect t equals rows [ {id: 10} ]\nexpect t.errors | select _step | distinct equals rows [ {_step: \"where 6 / (qty - 2) > 2\"} ]",
        "t = orders | derive unit: try(6 / (qty - 2), 0) | select id, unit\nexpect t.errors is empty\nexpect t | where unit == 0 | select id equals rows [ {id: 11}, {id: 13} ]",
        "t = orders | derive a: 1 / (qty - 3) | select id, b: 1 / (qty - 2)\nexpect t.errors | select id, product, a equals rows [ {id: 10, product: 1, a: null}, {id: 11, product: 2, a: -1}, {id: 13, product: null, a: -1} ] | derive a: int(a)",
        "t = orders | join products on 4 / (qty - 2) == products.id | select orders.id\nexpect t.errors | select id equals rows [ {id: 11}, {id: 13} ]",
        "t = orders | join products on product == products.id and 1 / (qty - 2) == 1 | select orders.id\nexpect t equals rows [ {id: 10} ]\nexpect t.errors | select id, `products.id` equals rows [ {id: 11, `products.id`: 2} ]",
        "t = orders | summarize s: sum(9223372036854775807 - qty) by odd: id % 2\nexpect t.errors | select odd equals rows [ {odd: 0}, {odd: 1} ]",
    ]);
}
