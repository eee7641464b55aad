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
        examples: vec![format!("{name}(1)"), format!("{name}(2)")],
        is_aggregate: name != "round",
    };
    let connector = |name, direction, options| ConnectorSpec {
        name,
        direction,
        summary: "a connector",
        doc: "More about it.",
        options,
        examples: &["t = read csv(\"data.csv\")"],
    };
    let table = |name: &str, schema| TableDoc {
        name: name.to_string(),
        schema,
        definition: format!("{name} = read csv(\"{name}.csv\")"),
        reads: vec![format!("csv(\"{name}.csv\")")],
    };
    Scope {
        tables: vec![table("orders", orders), table("products", products)],
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

/// A folder with some files, and a compiler that knows one pipeline.
struct Here;

impl Surroundings for Here {
    fn folder(&self, path: &str) -> Vec<FileName> {
        let file = |name: &str, is_folder| FileName { name: name.to_string(), is_folder };
        match path {
            "" => vec![file("data", true), file("orders.csv", false)],
            "data/" => vec![file("2013 01.csv", false), file("2013 02.csv", false)],
            _ => Vec::new(),
        }
    }

    fn schema(&self, statements: &str, pipeline: &str) -> Option<Schema> {
        let column = |name: &str, ty: Type| (name.to_string(), ColumnType::required(ty));
        let known =
            pipeline == "sql \"select 1 as one\" " || statements.contains("sampled = ") && pipeline == "sampled";
        known.then(|| Schema::new([column("one", Type::Int), column("two", Type::Timestamp)]))
    }
}

/// The labels at the cursor, of one kind or of all.
fn labels(text: &str, kind: Option<ItemKind>) -> Vec<String> {
    let offset = text.find('‸').unwrap();
    let completion = complete(&text.replace('‸', ""), offset, &scope(), &Here);
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
    // All that this build runs; what it would refuse is not offered.
    let offered = labels("a = orders\n  | where qty > 1\n  | ‸", Some(ItemKind::Step));
    assert_eq!(offered.len(), crate::syntax::steps::STEPS.iter().filter(|step| step.runs()).count());
    assert!(offered.contains(&"match".to_string()) && !offered.contains(&"plot".to_string()), "{offered:?}");
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
fn paths_of_files() {
    assert_eq!(labels("t = read csv(\"‸", None), ["data/", "orders.csv"]);
    assert_eq!(labels("t = read csv(\"or‸", None), ["orders.csv"]);
    assert_eq!(labels("t = read csv(\"data/2‸\", header: true)", None), ["2013 01.csv", "2013 02.csv"]);
    assert_eq!(labels("t = read csv(path: 'd‸", None), ["data/"]);
    assert_eq!(labels("a = orders\n\nt = read csv(\n  \"‸", None), ["data/", "orders.csv"]);
    for no_path in ["t = read csv(\"x\", other: \"‸", "a = rows [ {x: \"‸", "t = read demo.ticks(\"‸", "f(\"‸"]
    {
        assert!(labels(no_path, None).is_empty(), "{no_path}");
    }
    let completion = complete("t = read csv(\"data/2013 01.csv\")", 21, &scope(), &Here);
    assert_eq!((completion.start, completion.end), (19, 30), "the whole name is replaced");
}

#[test]
fn columns_are_those_that_the_compiler_knows() {
    let items = |text: &str| {
        let offset = text.find('‸').unwrap();
        let found = complete(&text.replace('‸', ""), offset, &scope(), &Here).items;
        let columns = found.into_iter().filter(|item| item.kind == ItemKind::Column);
        columns.map(|item| format!("{}: {}", item.label, item.detail)).collect::<Vec<_>>()
    };
    assert_eq!(items("sql \"select 1 as one\" | where ‸"), ["one: int", "two: timestamp"]);
    let cell = "sampled = read csv(\"x.csv\")\norders | join sampled on id == sampled.‸";
    assert_eq!(items(cell), ["one: int", "two: timestamp"]);
}

#[test]
fn aggregates_come_first_where_they_are_wanted() {
    let first = |text: &str| labels(text, None).into_iter().next();
    assert_eq!(first("orders | summarize n: ‸").as_deref(), Some("sum"));
    assert_eq!(first("orders | summarize n: sum(‸").as_deref(), Some("id"));
    assert_eq!(first("orders | summarize n: sum(qty) by ‸").as_deref(), Some("id"));
    assert_eq!(first("orders | summarize n: last(qty by id), m: ‸").as_deref(), Some("sum"));
    assert_eq!(first("orders | where ‸").as_deref(), Some("id"));
}

#[test]
fn parts_and_slips_are_offered_where_nothing_begins_so() {
    assert_eq!(labels("products | select pri‸", Some(ItemKind::Column)), ["`unit price`"]);
    assert_eq!(labels("orders | sumarize‸", None), ["summarize"]);
    assert_eq!(labels("a = ordres‸", None), ["orders"]);
}

#[test]
fn what_commands_take() {
    assert_eq!(labels("%help left j‸", None), ["left join"]);
    assert_eq!(labels("%help D0107‸", None), ["D0107"]);
    assert_eq!(labels("%help cs‸", None), ["csv"]);
    assert_eq!(labels("%errors or‸", None), ["orders"]);
    assert_eq!(labels("%explain analyze or‸", None), ["orders"]);
    assert_eq!(labels("%eval ro‸", None), ["round"]);
    assert_eq!(labels("%eval since + ro‸", None), ["round"]);
    for nothing in ["%echo or‸", "%tables or‸", "%clear ‸", "%nonsense or‸"] {
        assert!(labels(nothing, None).is_empty(), "{nothing}");
    }
}

#[test]
fn offsets_hold_behind_wide_characters_and_ends_of_lines() {
    let text = "a = rows [ {x: \"😀日本\"} ]\r\norders | whe";
    let completion = complete(text, text.len(), &scope(), &Here);
    assert_eq!(completion.items[0].label, "where");
    assert_eq!(&text[completion.start..completion.end], "whe");
}

#[test]
fn inspection_has_two_levels() {
    let at = |text: &str, offset, detailed| inspect(text, offset, &scope(), &Here, detailed).unwrap();
    let (brief, whole) = (at("orders | where round(1)", 17, false), at("orders | where round(1)", 17, true));
    assert_eq!(brief.markdown, "```tide\nround(x)\n```\n\nComputes round.\n\n```tide\nround(1)\n```\n");
    assert!(whole.markdown.contains("round(2)"));
    let (brief, whole) = (at("orders", 3, false), at("orders", 3, true));
    assert!(brief.markdown.contains("| `id` | int | key |"), "{}", brief.markdown);
    assert!(brief.markdown.contains("Reads csv(\"orders.csv\")."), "{}", brief.markdown);
    assert!(!brief.markdown.contains("orders = read") && whole.markdown.contains("orders = read csv(\"orders.csv\")"));
    let connector = at("t = read csv(\"x\")", 10, false);
    assert!(connector.markdown.contains("| `header` | bool | What it does. |"), "{}", connector.markdown);
    assert!(
        !connector.markdown.contains("More about it.")
            && at("t = read csv(\"x\")", 10, true).markdown.contains("More about it.")
    );
    assert!(at("orders | join products on orders.product == id", 35, false).markdown.contains("A column of `orders`."));
    assert!(at("orders | derive n: qty * 2 | where n > 1", 35, false).markdown.contains("the steps before"));
    assert!(at("%errors orders", 10, false).markdown.starts_with("```tide\norders: a table"));
    assert_eq!(at("%help left join", 8, false).title, "left join");
}

#[test]
fn statements_heads_commands_and_settings() {
    assert_eq!(labels("a = or‸", None), ["orders"]);
    assert_eq!(labels("a = orders\nex‸", None), ["expect", "%explain"]);
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
    let completion = complete("orders | whxyz qty", 11, &scope(), &Here);
    assert_eq!((completion.start, completion.end), (9, 14));
    assert_eq!(completion.items[0].label, "where");
}

#[test]
fn every_offset_of_every_text_is_survived() {
    for text in ["é = orders | where `ü x` > \"ñ\" # ö\n%tables ü\n", "a = b | derive x: f\"é{a.", "((((", "%%rust\né"]
    {
        for offset in 0..=text.len() + 1 {
            let completion = complete(text, offset, &scope(), &Here);
            assert!(text.get(completion.start..completion.end).is_some(), "{text} at {offset}");
            inspect(text, offset, &scope(), &Here, true);
        }
    }
}

/// The title and the form at the cursor.
fn inspected(text: &str) -> Option<(String, String)> {
    let offset = text.find('‸').unwrap();
    let inspection = inspect(&text.replace('‸', ""), offset, &scope(), &Here, false)?;
    let first = inspection.markdown.lines().nth(1).unwrap_or("").to_string();
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
    let code = inspect("%help D0107", 7, &scope(), &Here, true).unwrap();
    assert!(code.markdown.contains("Wrong:"));
}
