//! The decoder and the inference of CSV on cases written by hand, and on random tables that are written and read back.

use serde_json::{Value, json};
use tidebook_plan::connector::{ConnectorError, OptionValue, Options, SourceField};
use tidebook_plan::{ColumnType, Type};

use super::{CsvDecoder, Dialect, infer};
use crate::format::Sample;
use crate::format::testing::{Dice, decode, field, nullable, required};

fn dialect(options: &[(&str, &str)]) -> Result<Dialect, ConnectorError> {
    let value = |name: &str, text: &str| match (name, text) {
        ("skip", text) => OptionValue::Int(text.parse().unwrap()),
        (_, "true" | "false") => OptionValue::Bool(text == "true"),
        (_, text) => OptionValue::Text(text.to_string()),
    };
    Dialect::new(&Options(options.iter().map(|(name, text)| ((*name).to_string(), value(name, text))).collect()))
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
    let (rows, errors) = rows(&fields, &[("nulls", "NA")], "t,n,r,d\n,,,\n\"\",1,\"\",2\nNA,NA,x,NA\n\"NA\",1,y,3\n");
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
    for options in [
        [("delimiter", "")],
        [("delimiter", "\n")],
        [("quote", ",")],
        [("quote", "ab")],
        [("escape", ",")],
        [("comment", "\"")],
        [("thousands", ".")],
        [("decimal", "1")],
        [("date_format", "%Q")],
    ] {
        assert!(matches!(dialect(&options), Err(ConnectorError::Option { .. })), "{options:?}");
    }
}

#[test]
fn delimiters_of_any_length_and_escapes() {
    for delimiter in ["||", "\u{a7}", "::", "|"] {
        let text = format!("id{delimiter}name\n1{delimiter}a:|b\n2{delimiter}\"x{delimiter}\ny\"\n3{delimiter}\n")
            .replace(":|", ":");
        let (several, errors) = rows(&order(), &[("delimiter", delimiter)], &text);
        assert_eq!(errors, Vec::<String>::new(), "{delimiter}");
        assert_eq!(several, [json!([1, "a:b"]), json!([2, format!("x{delimiter}\ny")]), json!([3, ""])]);
    }
    let text = "id,name\n1,a\\,b\n2,\"say \\\"hi\\\", \"\"you\"\"\"\n3,\\N\n4,one\\\ntwo\n5,end\\";
    let mut fields = order();
    fields[1].ty.nullable = true;
    let (escaped, errors) = rows(&fields, &[("escape", "\\"), ("nulls", "\\N")], text);
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(
        escaped,
        [
            json!([1, "a,b"]),
            json!([2, "say \"hi\", \"you\""]),
            json!([3, null]),
            json!([4, "one\ntwo"]),
            json!([5, "end\\"])
        ]
    );
}

#[test]
fn lines_that_are_passed_over() {
    let text = "made by a program\n\n# a comment\nid,name\n#1,a\n2,b\n\n# end\n3,#c";
    let (kept, errors) = rows(&order(), &[("skip", "1"), ("comment", "#")], text);
    assert_eq!((kept, errors), (vec![json!([2, "b"]), json!([3, "#c"])], vec![]));
    let (_, errors) = rows(&order(), &[("comment", "//")], "id,name\n// no\n1,a\nx,b\n");
    assert_eq!(errors, ["4: column `id`: expected int, found \"x\""]);
    let lone = nullable(&[("t", Type::Text)]);
    let (blank, errors) = rows(&lone, &[("skip_blank_lines", "false")], "t\na\n\nb\n");
    assert_eq!((blank, errors), (vec![json!(["a"]), json!([null]), json!(["b"])], vec![]));
    for text in ["", "#\n", "\n\n", "# a\n#", "id,name\n", "id,name"] {
        assert_eq!(rows(&order(), &[("comment", "#")], text), (vec![], vec![]), "{text:?}");
    }
}

#[test]
fn spaces_and_ragged_records() {
    let text = "id , name\n 1 , a b \n\t2,\" c \" \n3,\n";
    let (trimmed, errors) = rows(&order(), &[("trim", "true")], text);
    assert_eq!((trimmed, errors), (vec![json!([1, "a b"]), json!([2, " c "]), json!([3, ""])], vec![]));
    let mut fields = nullable(&[("a", Type::Int), ("b", Type::Text), ("c", Type::Int)]);
    fields[2].default = Some(7i64.into());
    let (filled, errors) = rows(&fields, &[("ragged", "fill")], "a,b,c\n1\n2,x,3,,\n4,y\n5,z,6,more\n");
    assert_eq!(filled, [json!([1, null, 7]), json!([2, "x", 3]), json!([4, "y", 7])]);
    assert_eq!(errors, ["5: expected 3 fields, found 4"]);
}

#[test]
fn values_as_other_countries_write_them() {
    let fields = required(&[
        ("n", Type::Int),
        ("x", Type::Float),
        ("d", Type::Decimal { precision: 10, scale: 2 }),
        ("day", Type::Date),
        ("at", Type::Timestamp),
        ("ok", Type::Bool),
    ]);
    let options = [
        ("delimiter", ";"),
        ("decimal", ","),
        ("thousands", "."),
        ("date_format", "%d.%m.%Y"),
        ("timestamp_format", "%d.%m.%Y %H:%M"),
        ("true_values", "ja"),
        ("false_values", "nein"),
    ];
    let text =
        "n;x;d;day;at;ok\n1.000;-1.234,5;0,25;31.01.2026;1.2.2026 7:05;ja\n2;3,0;1;1.1.2026;01.02.2026 00:00;nein\n";
    let (values, errors) = rows(&fields, &options, text);
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(
        values,
        [
            json!([1000, -1234.5, "0.25", "2026-01-31", "2026-02-01T07:05:00", true]),
            json!([2, 3.0, "1.00", "2026-01-01", "2026-02-01T00:00:00", false])
        ]
    );
    let sample = Sample { bytes: text.as_bytes(), whole: true, origin: "test" };
    let types: Vec<_> = infer(&sample, &dialect(&options).unwrap()).unwrap().iter().map(|f| f.ty.to_string()).collect();
    assert_eq!(types, ["int?", "float?", "float?", "date?", "timestamp?", "bool?"]);
    let (_, errors) = rows(&fields[3..4], &[], "day\n31.01.2026\n");
    let hint = "(`date_format` says how dates are written)";
    assert_eq!(errors, [format!("2: column `day`: expected date, found \"31.01.2026\" {hint}")]);
}

#[test]
fn columns_by_position() {
    let mut fields = required(&[("third", Type::Int), ("first", Type::Text)]);
    fields[0].wire_name = Some("c3".to_string());
    fields[1].wire_name = Some("c1".to_string());
    let (found, errors) = rows(&fields, &[("header", "false")], "a,b,3\nc,d,4\n");
    assert_eq!((found, errors), (vec![json!([3, "a"]), json!([4, "c"])], vec![]));
    let (none, errors) = rows(&fields, &[("header", "false")], "a,b\n");
    assert_eq!(
        (none.len(), errors),
        (0, vec!["1: the first record has no column `c3`; the file is not read".to_string()])
    );
}

#[test]
fn a_wrong_delimiter_is_noticed() {
    let said = |text: &str, options: &[(&str, &str)]| {
        let sample = Sample { bytes: text.as_bytes(), whole: true, origin: "a.csv" };
        infer(&sample, &dialect(options).unwrap()).map(|fields| fields.len()).map_err(|error| error.to_string())
    };
    let asks = "option `delimiter`: the header of `a.csv` is one column, `a;b;c`: is the delimiter `\";\"`?";
    assert_eq!(said("a;b;c\n1;2;3\n", &[]), Err(asks.to_string()));
    assert_eq!(said("a;b;c\n", &[]), Err(asks.to_string()));
    assert_eq!(said("a,b\n1,2\n", &[("delimiter", ";")]).unwrap_err().matches("`\",\"`").count(), 1);
    assert!(said("a\tb\n1\t2\n", &[]).unwrap_err().contains("a tab"));
    // A single column may well contain one of them here and there.
    assert_eq!(said("what; who\nnothing\n", &[]), Ok(1));
    let fields = required(&[("a", Type::Int)]);
    let shape = crate::format::Shape::of_source("csv", &fields).unwrap();
    let message = super::check_header(b"a;b\n1;2\n", true, &dialect(&[]).unwrap(), &shape).unwrap_err();
    assert_eq!(message, "has no column `a`; its header is one column `a;b`: is the delimiter `\";\"`?");
}

#[test]
fn more_columns_than_a_table_may_have() {
    let header = (0..100_000).map(|i| i.to_string()).collect::<Vec<_>>().join(",") + "\n";
    let sample = Sample { bytes: header.as_bytes(), whole: true, origin: "wide.csv" };
    let error = infer(&sample, &dialect(&[]).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "`wide.csv`: has 100000 columns, more than 10000");
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
fn bytes_that_are_no_text_in_what_is_passed_over_spoil_nothing() {
    let text = b"id,name\n#\xFF\n1,a\n2,b\n";
    let decoder = CsvDecoder::new(dialect(&[("comment", "#")]).unwrap());
    for piece in [1, 7, 1 << 20] {
        let (rows, errors) = decode(&decoder, &order(), text, piece);
        assert_eq!((rows, errors.len()), (vec![json!([1, "a"]), json!([2, "b"])], 0));
    }
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
        let sample = Sample { bytes: text.as_bytes(), whole: true, origin: "test" };
        infer(&sample, &dialect(options).unwrap()).map(|fields| {
            fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect::<Vec<_>>().join(", ")
        })
    };
    let text = "id,x,flag,day,at,zip,mixed,,id,none\n1,1,true,2026-01-01,2026-01-01T00:00:00,01234,1,a,5,\n2,1.5,False,2026-01-02,2026-01-02,99999,b,,,\n";
    assert_eq!(
        columns(text, &[]).unwrap(),
        "id: int?, x: float?, flag: bool?, day: date?, at: timestamp?, zip: text?, mixed: text?, c8: text?, id_1: int?, none: text?"
    );
    assert_eq!(columns("1,a\n2,b\n", &[("header", "false")]).unwrap(), "c1: int?, c2: text?");
    assert_eq!(columns("n\nNA\n1\n", &[("nulls", "NA")]).unwrap(), "n: int?");
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
