//! The decoder against cases written by hand, and against a plain one on top of serde_json.

use serde_json::{Value, json};
use tidebook_plan::connector::SourceField;
use tidebook_plan::{ColumnType, Type};

use super::{JsonlDecoder, infer};
use crate::format::scalar::normal;
use crate::format::testing::{Dice, decode, field, nullable, required};

fn rows(fields: &[SourceField], text: &str) -> (Vec<Value>, Vec<String>) {
    let (rows, errors) = decode(&JsonlDecoder, fields, text.as_bytes(), 1 << 20);
    (rows, errors.iter().map(|error| format!("{}: {}", error.position.unwrap(), error.message)).collect())
}

fn order() -> Vec<SourceField> {
    required(&[("id", Type::Int), ("name", Type::Text)])
}

#[test]
fn keys_in_any_order_and_others_beside_them() {
    let text = concat!(
        "\u{FEFF}{\"id\": 1, \"name\": \"pen\"}\r\n",
        "\n  \t\n",
        "{\"name\":\"\\u00e9\\ud83d\\ude00\\n\",\"more\":{\"id\":[9,{}]},\"id\":2}\n",
        "  { \"i\\u0064\" : 3 , \"name\" : \"\u{4F60}\" }  ",
    );
    let (rows, errors) = rows(&order(), text);
    assert_eq!(rows, [json!([1, "pen"]), json!([2, "\u{e9}\u{1F600}\n"]), json!([3, "\u{4F60}"])]);
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let (rows, errors) = rows(&order(), "{\"id\":1,\"name\":\"long\",\"id\":2,\"name\":\"b\",\"id\":3}\n");
    assert_eq!((rows, errors), (vec![json!([3, "b"])], vec![]));
}

#[test]
fn a_faulty_line_is_an_error_and_the_others_go_on() {
    let text = concat!(
        "{\"id\": \"abc\", \"name\": \"x\"}\n",
        "{\"id\": 1, \"name\": \"good\"}\n",
        "{\"id\": 1}\n",
        "{\"id\": 1, \"name\": \"unfinished\n",
        "{\"id\": 1.5, \"name\": \"x\"}\n",
        "[1]\n",
        "{\"id\": 99999999999999999999, \"name\": \"x\"}\n",
        "{\"id\": 1, \"name\": null}\n",
        "{\"id\": 1, \"name\": \"x\"} {}\n",
        "{\"id\": 01, \"name\": \"x\"}\n",
        "{\"id\": 2, \"name\": \"also good\"}",
    );
    let (rows, errors) = rows(&order(), text);
    assert_eq!(rows, [json!([1, "good"]), json!([2, "also good"])]);
    assert_eq!(
        errors,
        [
            "1: column `id`: expected int, found \"abc\"",
            "3: column `name`: is missing",
            "4: not a JSON object: it ends too early (character 30)",
            "5: column `id`: expected int, found 1.5",
            "6: not a JSON object: expected `{` (character 1)",
            "7: column `id`: expected int, found 99999999999999999999",
            "8: column `name`: expected text, found null",
            "9: not a JSON object: unexpected text after the value (character 24)",
            "10: not a JSON object: expected `,` or a closing bracket (character 9)",
        ]
    );
}

#[test]
fn errors_keep_the_line_and_the_path() {
    let item = Type::Record(vec![("qty".into(), ColumnType::required(Type::Int))]);
    let list = Type::List(Box::new(ColumnType::required(item)));
    let line = format!("{{\"lines\":[{{\"qty\":1}},{{\"qty\":\"{}\"}}]}}", "x".repeat(3_000));
    let (rows, errors) = decode(&JsonlDecoder, &required(&[("lines", list)]), line.as_bytes(), 1 << 20);
    assert_eq!(rows.len(), 0);
    assert!(errors[0].message.starts_with("column `lines.qty`: expected int, found \"xxx"), "{}", errors[0].message);
    assert_eq!(errors[0].text.as_ref().unwrap().chars().count(), 1_000);
}

#[test]
fn bytes_that_are_no_text_spoil_only_their_line() {
    let text = b"{\"word\":\"a\"}\n{\"word\":\"\xFF\"}\n{\"word\":\"b\"}\n{\xC3\n{\"word\":\"\xC3\xA9\"}\n";
    let (rows, errors) = decode(&JsonlDecoder, &required(&[("word", Type::Text)]), text, 1 << 20);
    assert_eq!(rows, [json!(["a"]), json!(["b"]), json!(["\u{e9}"])]);
    let errors: Vec<_> = errors.iter().map(|error| (error.position.unwrap(), error.message.as_str())).collect();
    assert_eq!(errors, [(2, "not valid UTF-8"), (4, "not valid UTF-8")]);
}

#[test]
fn defaults_and_nulls_stand_in_for_missing_fields() {
    let mut fields = nullable(&[("a", Type::Int)]);
    let mut with_default = field("b", ColumnType::required(Type::Float));
    with_default.default = Some(1i64.into());
    fields.push(with_default);
    let mut renamed = field("c", ColumnType::nullable(Type::Text));
    renamed.wire_name = Some("see \"this\"".to_string());
    fields.push(renamed);
    let (rows, errors) = rows(&fields, "{}\n{\"b\":null,\"see \\\"this\\\"\":\"x\"}\n{\"a\":null,\"b\":2}\n");
    assert_eq!(rows, [json!([null, 1.0, null]), json!([null, 1.0, "x"]), json!([null, 2.0, null])]);
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn floats_are_normal_and_rounded_right() {
    let text = "{\"x\":-0.0}\n{\"x\":0.1}\n{\"x\":123456789012345678901234567890}\n{\"x\":4.9e-324}\n{\"x\":\"NaN\"}\n{\"x\":1e999}\n";
    let (rows, errors) = rows(&required(&[("x", Type::Float)]), text);
    assert_eq!(rows, [json!([0.0]), json!([0.1]), json!([1.2345678901234568e29]), json!([5e-324]), json!(["NaN"])]);
    assert_eq!(errors, ["6: column `x`: expected float, found 1e999"]);
}

#[test]
fn values_of_the_other_types() {
    let fields = required(&[
        ("at", Type::Timestamp),
        ("day", Type::Date),
        ("took", Type::Duration),
        ("price", Type::Decimal { precision: 6, scale: 2 }),
        ("data", Type::Bytes),
        ("doc", Type::Json),
        ("v", Type::Vector(2)),
    ]);
    let good = r#"{"at":"2026-01-01T01:00:00+01:00","day":"2026-02-28","took":1.5,"price":12.5,"data":"AQI=","doc":{"b": [1.0 ]},"v":[1,2.5]}"#;
    let (values, errors) = rows(&fields, good);
    let expected = json!(["2026-01-01T00:00:00", "2026-02-28", "1500ms", "12.50", "AQI=", {"b": [1.0]}, [1.0, 2.5]]);
    assert_eq!((values, errors), (vec![expected], vec![]));
    for (from, to, message) in [
        ("\"2026-01-01T01:00:00+01:00\"", "1767225600", "column `at`: expected timestamp, found 1767225600"),
        ("2026-02-28", "2026-02-30", "column `day`: expected date, found \"2026-02-30\""),
        ("12.5", "12.345", "column `price`: expected decimal(6, 2), found 12.345"),
        ("AQI=", "?", "column `data`: expected bytes, found \"?\""),
        ("[1,2.5]", "[1]", "column `v`: expected vector(2), found [1]"),
        ("[1,2.5]", "[1,null]", "column `v`: expected vector(2), found [1,null]"),
    ] {
        let (values, errors) = rows(&fields, &good.replace(from, to));
        assert_eq!((values, errors), (vec![], vec![format!("1: {message}")]));
    }
}

#[test]
fn pieces_of_any_size_give_the_same() {
    let text: String = (0..200).map(|n| format!("{{\"id\":{n},\"name\":\"{}\"}}\n", "\u{e9}".repeat(n % 50))).collect();
    let text = text.replace("{\"id\":7,", "{\"id\":x,");
    let whole = decode(&JsonlDecoder, &order(), text.as_bytes(), 1 << 20);
    for piece in [1, 2, 7, 64, 1000] {
        assert_eq!(decode(&JsonlDecoder, &order(), text.as_bytes(), piece), whole);
    }
}

#[test]
fn more_rows_than_a_batch_holds() {
    let text = "{\"id\":1,\"name\":\"a\"}\n".repeat(150_000);
    let (rows, errors) = decode(&JsonlDecoder, &order(), text.as_bytes(), text.len());
    assert_eq!((rows.len(), errors.len()), (150_000, 0));
}

#[test]
fn columns_from_a_sample() {
    let columns = |text: &str| {
        infer(text.as_bytes(), true).map(|fields| {
            fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect::<Vec<_>>().join(", ")
        })
    };
    let text = concat!(
        "{\"id\":1,\"x\":1,\"at\":\"2026-01-01T00:00:00Z\",\"day\":\"2026-01-01\",\"tags\":[],\"mixed\":1,\"none\":null}\n",
        "not JSON\n",
        "{\"id\":2,\"x\":1.5,\"at\":\"2026-01-01\",\"day\":\"2026-01-02\",\"tags\":[\"a\"],\"mixed\":\"b\",\"at2\":{\"a\":{\"b\":true}}}\n",
    );
    assert_eq!(
        columns(text).unwrap(),
        "id: int?, x: float?, at: timestamp?, day: date?, tags: [text?]?, mixed: json?, none: json?, at2: {a: {b: bool?}?}?"
    );
    assert!(columns("").is_err() && columns("[1]\n{}\n").is_err());
    assert!(columns("[\n{\"a\": 1}]\n").unwrap_err().contains("read with `json`"));
    let long = "{\"n\":9223372036854775808,\"x\":1}\n{\"n\":5,\"x\":123456789012345678901234567890}\n";
    assert_eq!(columns(long).unwrap(), "n: decimal(38, 0)?, x: decimal(38, 0)?");
}

#[test]
fn columns_by_pointers() {
    let mut fields = nullable(&[
        ("name", Type::Text),
        ("second", Type::Int),
        ("user", Type::Json),
        ("plain", Type::Int),
        ("slash", Type::Text),
        ("id", Type::Text),
    ]);
    for (column, pointer) in [(0, "/user/name"), (1, "/tags/1"), (4, "/a~1b/x~0y"), (5, "/user/id")] {
        fields[column].wire_name = Some(pointer.to_string());
    }
    fields[5].default = Some("none".into());
    let text = concat!(
        r#"{"tags":[1,2,3],"user":{"name":"Ann","id":12345678901234567890},"plain":4,"a/b":{"x~y":"s"}}"#,
        "\n",
        r#"{"user":{"name":"Ben"},"user":{"id":"x"},"tags":{"1":7}}"#,
        "\n",
        r#"{"user":7,"tags":"none","plain":1}"#,
        "\n",
        r#"{"user":{"name":[1]}}"#,
        "\n"
    );
    let (rows, errors) = decode(&JsonlDecoder, &fields, text.as_bytes(), 1 << 20);
    assert_eq!(
        rows,
        [
            json!(["Ann", 2, {"name": "Ann", "id": 12345678901234567890_u64}, 4, "s", "12345678901234567890"]),
            json!([null, 7, {"id": "x"}, null, null, "x"]),
            json!([null, null, 7, 1, null, "none"]),
        ]
    );
    assert_eq!(errors[0].message, "column `name`: expected text, found [1]");
    let (rows, _) = decode(
        &JsonlDecoder,
        &required(&[("n", Type::Int)]),
        format!("{{\"n\":1,\"x\":{}}}\n{{\"n\":2}}\n", "[".repeat(10_000)).as_bytes(),
        1 << 20,
    );
    assert_eq!(rows, [json!([2])], "nesting without end is an error of its line");
}

/// What a value of the reference has to be, or `None` where it does not fit.
fn reference_value(value: &Value, ty: &ColumnType) -> Option<Value> {
    Some(match (&ty.ty, value) {
        (Type::Json, value) => value.clone(),
        (_, Value::Null) => return ty.nullable.then_some(Value::Null),
        (Type::Int, value) => Value::from(value.as_i64()?),
        (Type::Float, Value::Number(number)) => Value::from(normal(number.as_f64()?)),
        (Type::Text, Value::String(_)) | (Type::Bool, Value::Bool(_)) => value.clone(),
        (Type::Text, Value::Number(number)) if number.is_i64() || number.is_u64() => Value::from(number.to_string()),
        (Type::List(item), Value::Array(items)) => {
            items.iter().map(|value| reference_value(value, item)).collect::<Option<Vec<_>>>()?.into()
        }
        (Type::Record(fields), Value::Object(object)) => {
            let pairs = fields.iter().map(|(name, ty)| {
                let value = object.get(name).unwrap_or(&Value::Null);
                let missing = !object.contains_key(name);
                if missing && !ty.nullable { None } else { Some((name.clone(), reference_value(value, ty)?)) }
            });
            Value::Object(pairs.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn random_value(dice: &mut Dice, depth: usize) -> String {
    let space = dice.pick(&["", "", " ", "\t "]);
    match dice.roll(if depth == 0 { 9 } else { 11 }) {
        0 => dice.pick(&["true", "false"]).to_string(),
        1 => "null".to_string(),
        2 | 3 => format!("{}{}", dice.pick(&["", "-"]), dice.roll(1_000_000)),
        4 => format!("{}.{}", dice.roll(1_000), dice.roll(1_000)),
        5 => format!("{}e{}{}", dice.roll(100), dice.pick(&["", "-", "+"]), dice.roll(10)),
        6 => "9223372036854775808".to_string(),
        7 | 8 => {
            let pieces =
                ["a", "word", "\\n", "\\\"", "\\u00e9", "\\ud83d\\ude00", "\u{4F60}", " ", "longer text, with }"];
            let text: String = (0..dice.roll(5)).map(|_| dice.pick(&pieces)).collect();
            format!("\"{text}\"")
        }
        9 => {
            let items: Vec<_> = (0..dice.roll(4)).map(|_| random_value(dice, depth - 1)).collect();
            format!("[{space}{}{space}]", items.join(","))
        }
        _ => random_object(dice, &["a", "b", "c", "\\u0061"], depth - 1),
    }
}

fn random_object(dice: &mut Dice, names: &[&str], depth: usize) -> String {
    let space = dice.pick(&["", "", " ", "\r"]);
    let pairs: Vec<_> = (0..dice.roll(7))
        .map(|_| format!("\"{}\"{space}:{space}{}", dice.pick(names), random_value(dice, depth)))
        .collect();
    format!("{{{space}{}{space}}}", pairs.join(","))
}

#[test]
fn random_lines_agree_with_serde_json() {
    let inner = Type::Record(vec![
        ("a".into(), ColumnType::nullable(Type::Int)),
        ("b".into(), ColumnType::required(Type::Text)),
    ]);
    let columns = [
        ("n", ColumnType::nullable(Type::Int)),
        ("x", ColumnType::nullable(Type::Float)),
        ("t", ColumnType::nullable(Type::Text)),
        ("flag", ColumnType::nullable(Type::Bool)),
        ("items", ColumnType::nullable(Type::List(Box::new(ColumnType::nullable(Type::Float))))),
        ("rec", ColumnType::nullable(inner)),
        ("doc", ColumnType::nullable(Type::Json)),
    ];
    let fields: Vec<_> = columns.iter().map(|(name, ty)| field(name, ty.clone())).collect();
    let row_type = Type::Record(columns.iter().map(|(name, ty)| ((*name).to_string(), ty.clone())).collect());
    let names = ["n", "x", "t", "flag", "items", "rec", "doc", "other", "\\u006e"];
    let mut dice = Dice(0x5EED_1234_ABCD_0001);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..60_000 {
        let mut line = random_object(&mut dice, &names, 2).into_bytes();
        if dice.roll(3) == 0 && !line.is_empty() {
            let at = dice.roll(line.len());
            match dice.roll(3) {
                0 => drop(line.remove(at)),
                1 => {
                    line.insert(at, dice.pick(&[&b'"', &b'\\', &b',', &b'}', &b']', &b'5', &b' ', &b'\x01']).to_owned())
                }
                _ => line[at] = *dice.pick(&[&b'{', &b'[', &b':', &b'x', &b'7', &b'\xC3', &b'.']),
            }
        }
        // serde_json reads `-0` and very long whole numbers as floats, which is its own affair.
        let long = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
        if line.windows(2).any(|pair| pair == b"-0") || line.windows(20).any(long) {
            continue;
        }
        let reference = serde_json::from_slice::<Value>(&line).ok().filter(Value::is_object);
        let required = ColumnType::required(row_type.clone());
        let expected = reference.and_then(|value| reference_value(&value, &required));
        let (rows, errors) = decode(&JsonlDecoder, &fields, &line, 1 << 20);
        let shown = String::from_utf8_lossy(&line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        assert_eq!(rows.len() + errors.len(), 1, "{shown}");
        let found = rows.into_iter().next().map(|row| {
            let values = row.as_array().cloned().unwrap_or_default();
            Value::Object(columns.iter().map(|(name, _)| (*name).to_string()).zip(values).collect())
        });
        assert_eq!(found, expected, "{shown}\n{errors:?}");
        if expected.is_some() { good += 1 } else { bad += 1 }
    }
    assert!(good > 5_000 && bad > 5_000, "both kinds are tried: {good} and {bad}");
}
