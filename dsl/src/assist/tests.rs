//! Completion and inspection at `‸`, which stands for the cursor.

use tidebook_plan::connector::{ConnectorSpec, Direction, OptionKind, OptionSpec};
use tidebook_plan::{ColumnType, Schema, Type};

use super::*;

fn option(name: &'static str, kind: OptionKind, required: bool) -> OptionSpec {
    OptionSpec { name, kind, doc: "What it does.", default: None, required, positional: required, secret: false }
}

fn scope() -> Scope {
    let column = |name: &str, ty: Type| (name.to_string(), ColumnType::required(ty));
    let mut orders = Schema::new([column("id", Type::Int), column("product", Type::Int), column("qty", Type::Int)]);
    orders.key = vec![0];
    let products =
        Schema::new([column("id", Type::Int), column("name", Type::Text), column("unit price", Type::Float)]);
    let function = |name: &str| FunctionDoc {
        name: name.to_string(),
        signature: format!("{name}(x)"),
        doc: format!("Computes {name}."),
        examples: vec![format!("{name}(1)")],
    };
    let connector = |name, direction, options| ConnectorSpec {
        name,
        direction,
        summary: "a connector",
        doc: "More about it.",
        options,
        examples: &["t = read csv(\"data.csv\")"],
    };
    Scope {
        tables: vec![("orders".to_string(), orders), ("products".to_string(), products)],
        functions: vec![function("round"), function("sum"), function("count")],
        connectors: vec![
            connector(
                "csv",
                Direction::Source,
                vec![option("path", OptionKind::Text, true), option("header", OptionKind::Bool, false)],
            ),
            connector("demo.ticks", Direction::Source, vec![option("rate", OptionKind::Float, false)]),
            connector("jsonl", Direction::Sink, vec![option("mode", OptionKind::OneOf(&["append", "upsert"]), false)]),
        ],
        params: vec![("since".to_string(), ColumnType::required(Type::Date))],
    }
}

/// The labels at the cursor, of one kind or of all.
fn labels(text: &str, kind: Option<ItemKind>) -> Vec<String> {
    let offset = text.find('‸').unwrap();
    let completion = complete(&text.replace('‸', ""), offset, &scope());
    completion
        .items
        .into_iter()
        .filter(|item| kind.is_none_or(|kind| item.kind == kind))
        .map(|item| item.label)
        .collect()
}

#[test]
fn steps_stand_after_a_bar() {
    assert_eq!(labels("orders | su‸", None), ["summarize"]);
    assert_eq!(
        labels("a = orders\n  | where qty > 1\n  | ‸", Some(ItemKind::Step)).len(),
        crate::syntax::steps::STEPS.len()
    );
    assert_eq!(labels("orders | iterate r { r | dis‸", None), ["distinct"]);
    assert_eq!(labels("orders | left ‸", None), ["join", "asof join"]);
}

#[test]
fn columns_follow_the_steps_before() {
    let columns = |text: &str| labels(text, Some(ItemKind::Column));
    assert_eq!(columns("orders | where ‸"), ["id", "product", "qty"]);
    assert_eq!(columns("orders | where q‸"), ["qty"]);
    assert_eq!(columns("orders | derive total: qty * 2 | where (‸"), ["id", "product", "qty", "total"]);
    assert_eq!(columns("orders | rename n: qty | drop id | sort ‸"), ["product", "n"]);
    assert_eq!(columns("orders | summarize n: count(), sum: sum(qty) by product | where ‸"), ["product", "n", "sum"]);
    assert_eq!(columns("orders | select id, double: qty * 2 | derive x: round(‸"), ["id", "double"]);
    assert_eq!(columns("a = rows [ {x: 1, y: \"b\"} ]\nb = a | derive z: x\nb | where ‸"), ["x", "y", "z"]);
    assert_eq!(columns("t = read csv(\"x\") { at: timestamp, v: float }\nt | summarize n: count() by ‸"), ["at", "v"]);
    assert_eq!(columns("products | select `un‸"), ["`unit price`"]);
    assert_eq!(columns("orders | join products on orders.product == products.id | where n‸"), ["name"]);
    assert_eq!(columns("orders | derive note: f\"{q‸"), ["qty"]);
}

#[test]
fn fields_of_tables_and_records_stand_after_a_dot() {
    assert_eq!(labels("orders | join products on orders.‸", None), ["id", "product", "qty"]);
    assert_eq!(labels("orders | join products as p on product == p.‸", None), ["id", "name", "`unit price`"]);
    assert_eq!(labels("orders | join products as p using (id) | select p.n‸", None), ["name"]);
    let windows =
        "clicks = rows [ {at: @2026-01-01T00:00:00Z} ]\nclicks | summarize n: count() by w: tumble(at, 1m) | sort w.‸";
    assert_eq!(labels(windows, None), ["start", "end"]);
    assert_eq!(labels("orders | dedupe by id when previous.‸", None), ["id", "product", "qty"]);
}

#[test]
fn connectors_and_their_options() {
    assert_eq!(labels("t = read ‸", None), ["csv", "demo.ticks"]);
    assert_eq!(labels("t = read demo.‸", None), ["ticks"]);
    assert_eq!(labels("orders | write ‸", None), ["jsonl"]);
    assert_eq!(labels("t = read csv(\"x\", ‸", None), ["path: ", "header: "]);
    assert_eq!(labels("t = read csv(path: \"x\", ‸", None), ["header: "]);
    assert_eq!(labels("t = read csv(header: ‸", None), ["true", "false"]);
    assert_eq!(labels("orders | write jsonl(mode: ‸", None), ["append", "upsert"]);
    assert_eq!(labels("t = read csv(\"x\") { id: in‸", None), ["int"]);
    assert_eq!(labels("t = read csv(\"x\") { id: int ‸", None), ["key", "default", "from"]);
}

#[test]
fn statements_heads_commands_and_settings() {
    assert_eq!(labels("a = or‸", None), ["orders"]);
    assert_eq!(labels("a = orders\nex‸", None), ["expect", "explain"]);
    assert_eq!(labels("a = orders | where qty > 1\n%ex‸", None), ["explain"]);
    assert_eq!(labels("%explain pro‸", None), ["products"]);
    assert_eq!(labels("set wo‸", None), ["workers"]);
    assert_eq!(labels("orders | join pr‸", None), ["products"]);
    assert_eq!(labels("a = orders\nb = a‸", None), ["a"]);
    assert_eq!(labels("expect orders ‸", None), ["is empty", "is not empty", "equals", "all", "within"]);
    assert_eq!(labels("param since: da‸", None), ["date"]);
}

#[test]
fn nothing_is_offered_in_texts_comments_and_new_names() {
    for text in
        ["a = rows [ {x: \"or‸", "# or‸", "a = orders # or‸", "orders | join products as ‸", "t = read csv(\"x\") { ‸"]
    {
        assert!(labels(text, None).is_empty(), "{text}");
    }
}

#[test]
fn the_word_is_replaced_whole() {
    let completion = complete("orders | whxyz qty", 11, &scope());
    assert_eq!((completion.start, completion.end), (9, 14));
    assert_eq!(completion.items[0].label, "where");
}

#[test]
fn every_offset_of_every_text_is_survived() {
    for text in ["é = orders | where `ü x` > \"ñ\" # ö\n%tables ü\n", "a = b | derive x: f\"é{a.", "((((", "%%rust\né"]
    {
        for offset in 0..=text.len() + 1 {
            let completion = complete(text, offset, &scope());
            assert!(text.get(completion.start..completion.end).is_some(), "{text} at {offset}");
            inspect(text, offset, &scope(), true);
        }
    }
}

/// The title and the first line at the cursor.
fn inspected(text: &str) -> Option<(String, String)> {
    let offset = text.find('‸').unwrap();
    let inspection = inspect(&text.replace('‸', ""), offset, &scope(), false)?;
    let first = inspection.text.lines().next().unwrap_or("").to_string();
    Some((inspection.title, first))
}

#[test]
fn inspection_tells_what_a_word_is() {
    for (text, title, first) in [
        ("orders | whe‸re qty > 1", "where", "where condition"),
        (
            "orders | left jo‸in products using (id)",
            "left join",
            "left join table [as alias] on condition | using (column, …)",
        ),
        ("ord‸ers | where qty > 1", "orders", "orders: a table"),
        ("orders | where q‸ty > 1", "qty", "qty: int"),
        ("orders | where rou‸nd(qty) > 1", "round", "round(x)"),
        ("orders | join products on orders.pro‸duct == products.id", "product", "product: int"),
        ("t = read cs‸v(\"x\")", "csv", "read csv(…)"),
        ("t = read demo.ti‸cks()", "demo.ticks", "read demo.ticks(…)"),
        ("t = read csv(\"x\", hea‸der: true)", "header", "header: bool"),
        ("%expl‸ain orders", "explain", "%explain [analyze] name"),
        ("set work‸ers = 2", "workers", "set workers = 4"),
        ("a = orders | where si‸nce > @2026-01-01", "since", "param since: date"),
        ("a = rows [ {x: 1.5} ]\na | select ‸x", "x", "x: float"),
        ("expec‸t orders is empty", "expect", "expect table is empty | equals table | all condition [within d]"),
    ] {
        assert_eq!(inspected(text), Some((title.to_string(), first.to_string())), "{text}");
    }
    assert_eq!(inspected("orders | where unkn‸own > 1"), None);
    let code = inspect("%help D0107", 7, &scope(), false).unwrap();
    assert!(code.markdown.contains("Wrong:"));
}
