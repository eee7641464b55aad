//! The decoder and the inference of CSV on cases written by hand, and on random tables that are written and read back.

use serde_json::{Value, json};
use tidebook_plan::connector::{ConnectorError, OptionValue, Options, SourceField};
use tidebook_plan::{ColumnType, Type};

use super::{CsvDecoder, Dialect, infer};
use crate::format::testing::{Dice, decode, field, nullable, required};

fn dialect(options: &[(&str, &str)]) -> Result<Dialect, ConnectorError> {
    let value = |text: &str| match text {
        "true" | "false" => OptionValue::Bool(text == "true"),
        text => OptionValue::Text(text.to_string()),
    };
    Dialect::new(&Options(options.iter().map(|(name, text)| ((*name).to_string(), value(text))).collect()))
}

fn rows(fields: &[SourceField], options: &[(&str, &str)], text: &str) -> (Vec<Value>, Vec<String>) {
    let decoder = CsvDecoder::new(dialect(options).unwrap());
    let whole = decode(&decoder, fields, text.as_bytes(), 1 << 20);
    for piece in [1, 3, 16] {
        assert_eq!(decode(&decoder, fields, text.as_bytes(), piece), whole, "in pieces of {piece}");
    }
    let (rows, errors) = whole;
    (rows, errors.iter().map(|error| format!("{}: {}", error.position.unwrap(), error.message)).collect())
}

fn order() -> Vec<SourceField> {
    required(&[("id", Type::Int), ("name", Type::Text)])
}

#[test]
fn columns_are_found_by_the_header() {
    let text = "\u{FEFF}name,other,id\r\npen,x,1\r\n\r\n\"a, \"\"b\"\"\nc\",y, 2 \r\n\"\",z,\"3\"";
    let (rows, errors) = rows(&order(), &[], text);
    assert_eq!(rows, [json!([1, "pen"]), json!([2, "a, \"b\"\nc"]), json!([3, ""])]);
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn a_faulty_record_is_an_error_and_the_others_go_on() {
    let text = concat!(
        "id,name\n",
        "1,a\n",
        "x,b\n",
        "2\n",
        "3,c,d\n",
        "4,\"two\nlines\"\n",
        "5,\"e\" f\n",
        ",g\n",
        "6,h\n",
        "7,\"never closed\n",
        "8,i\n",
    );
    let (rows, errors) = rows(&order(), &[], text);
    assert_eq!(rows, [json!([1, "a"]), json!([4, "two\nlines"]), json!([6, "h"]), json!([8, "i"])]);
    assert_eq!(
        errors,
        [
            "3: column `id`: expected int, found \"x\"",
            "4: expected 2 fields, found 1",
            "5: expected 2 fields, found 3",
            "8: text after a closing quote",
            "9: column `id`: is empty, and int is not `int?`",
            "11: a quoted field is not closed",
        ]
    );
}

#[test]
fn what_is_empty_and_what_is_null() {
    let mut fields = nullable(&[("t", Type::Text), ("n", Type::Int)]);
    fields.push(field("r", ColumnType::required(Type::Text)));
    let mut with_default = field("d", ColumnType::required(Type::Int));
    with_default.default = Some(7i64.into());
    fields.push(with_default);
    let (rows, errors) = rows(&fields, &[("null", "NA")], "t,n,r,d\n,,,\n\"\",1,\"\",2\nNA,NA,x,NA\n\"NA\",1,y,3\n");
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(
        rows,
        [json!([null, null, "", 7]), json!(["", 1, "", 2]), json!([null, null, "x", 7]), json!(["NA", 1, "y", 3])]
    );
}

#[test]
fn other_dialects() {
    let (plain, _) = rows(&order(), &[("delimiter", "\t"), ("header", "false")], "1\ta,b\n2\t\"q\"\"\"\n");
    assert_eq!(plain, [json!([1, "a,b"]), json!([2, "q\""])]);
    let (unquoted, _) = rows(&order(), &[("delimiter", ";"), ("quote", "")], "id;name\n1;\"a\n");
    assert_eq!(unquoted, [json!([1, "\"a"])]);
    for options in [[("delimiter", "ab")], [("delimiter", "")], [("quote", ",")], [("delimiter", "\u{e9}")]] {
        assert!(matches!(dialect(&options), Err(ConnectorError::Option { .. })), "{options:?}");
    }
}

#[test]
fn a_header_that_lacks_a_column() {
    let (none, errors) = rows(&order(), &[], "id,nmae\n1,a\n2,b\n");
    assert_eq!((none.len(), errors), (0, vec!["1: the header has no column `name`; the file is not read".to_string()]));
    let (some, errors) = rows(&nullable(&[("id", Type::Int), ("name", Type::Text)]), &[], "id\n1\n");
    assert_eq!((some, errors), (vec![json!([1, null])], vec![]));
}

#[test]
fn bytes_that_are_no_text_spoil_only_their_record() {
    let text = b"id,name\n1,a\n2,\xFF\n3,\"x\n\xC3\"\n4,\xC3\xA9\n";
    let decoder = CsvDecoder::new(dialect(&[]).unwrap());
    let (rows, errors) = decode(&decoder, &order(), text, 1 << 20);
    assert_eq!(rows, [json!([1, "a"]), json!([4, "\u{e9}"])]);
    let errors: Vec<_> = errors.iter().map(|error| (error.position.unwrap(), error.message.as_str())).collect();
    assert_eq!(errors, [(3, "not valid UTF-8"), (4, "not valid UTF-8")]);
}

#[test]
fn values_of_every_type() {
    let record = Type::Record(vec![("a".into(), ColumnType::required(Type::Int))]);
    let fields = required(&[
        ("b", Type::Bool),
        ("x", Type::Float),
        ("d", Type::Decimal { precision: 6, scale: 2 }),
        ("day", Type::Date),
        ("at", Type::Timestamp),
        ("took", Type::Duration),
        ("data", Type::Bytes),
        ("rec", record),
        ("v", Type::Vector(2)),
    ]);
    let header = "b,x,d,day,at,took,data,rec,v\n";
    let good = "TRUE,-0.0,1.5,2026-01-02,2026-01-02 03:04:05,90s,AQI=,\"{\n\"\"a\"\": 1}\",\"[1,2]\"\n";
    let (values, errors) = rows(&fields, &[], &format!("{header}{good}"));
    assert_eq!(errors, Vec::<String>::new());
    let expected = json!([true, 0.0, "1.50", "2026-01-02", "2026-01-02T03:04:05", "90s", "AQI=", {"a": 1}, [1.0, 2.0]]);
    assert_eq!(values, [expected]);
    let (_, errors) = rows(&fields, &[], &format!("{header}{}", good.replace(" 1}", " x}")));
    assert_eq!(errors, ["2: column `rec`: not JSON: expected a value (character 8)"]);
}

#[test]
fn columns_from_a_sample() {
    let columns = |text: &str, options: &[(&str, &str)]| {
        infer(text.as_bytes(), true, &dialect(options).unwrap()).map(|fields| {
            fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect::<Vec<_>>().join(", ")
        })
    };
    let text = "id,x,flag,day,at,zip,mixed,,id,none\n1,1,true,2026-01-01,2026-01-01T00:00:00,01234,1,a,5,\n2,1.5,False,2026-01-02,2026-01-02,99999,b,,,\n";
    assert_eq!(
        columns(text, &[]).unwrap(),
        "id: int?, x: float?, flag: bool?, day: date?, at: timestamp?, zip: text?, mixed: text?, column7: text?, id_1: int?, none: text?"
    );
    assert_eq!(columns("1,a\n2,b\n", &[("header", "false")]).unwrap(), "column0: int?, column1: text?");
    assert_eq!(columns("n\nNA\n1\n", &[("null", "NA")]).unwrap(), "n: int?");
    assert!(columns("", &[]).is_err() && columns("\n", &[]).is_err());
}

#[test]
fn random_tables_come_back() {
    let mut dice = Dice(0x0DD_5EED);
    let fields = nullable(&[("a", Type::Text), ("b", Type::Text), ("c", Type::Int)]);
    for _ in 0..300 {
        let mut text = "a,b,c\n".to_string();
        let mut expected = Vec::new();
        for n in 0..dice.roll(20) {
            let pieces = ["x", ",", "\"", "\n", "\r\n", " ", "\u{e9}", "long enough for a word"];
            let mut value = || (0..dice.roll(6)).map(|_| dice.pick(&pieces)).collect::<String>();
            let (a, b) = (value(), value());
            text.push_str(&format!(
                "\"{}\",\"{}\",{n}{}",
                a.replace('"', "\"\""),
                b.replace('"', "\"\""),
                dice.pick(&["\n", "\r\n"])
            ));
            expected.push(json!([a, b, n]));
        }
        assert_eq!(rows(&fields, &[], &text), (expected, vec![]), "{text:?}");
    }
}
