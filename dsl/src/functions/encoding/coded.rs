//! Bytes as text and back; UUIDs in their one spelling.

use arrow::array::{ArrayRef, AsArray, BinaryArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_functions::encoding;
use uuid::Uuid;

use super::super::arguments::Arguments;
use super::super::borrowed::invoke;
use super::super::cast::show::quoted;
use super::super::entry::{Function, fallible, total};
use super::super::kernel::row_error;
use super::super::takes::{Gives, Simple};
use super::hashes::write_hex;
use super::{BYTES, TEXT, TO_TEXT, entry};

const TO_BYTES: Gives = Gives::Value(Simple::Bytes);

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "base64_encode",
        "The bytes, or the text in UTF-8, in Base64 with padding.",
        &[("base64_encode(\"hello\")", "aGVsbG8=")],
        &[total(TEXT, TO_TEXT, to_base64), total(BYTES, TO_TEXT, to_base64)],
    ),
    entry(
        "base64_decode",
        "The bytes that a text in Base64 stands for, with or without padding; anything else is a row error.",
        &[("text(base64_decode(\"aGVsbG8=\"))", "hello")],
        &[fallible(TEXT, TO_BYTES, from_base64)],
    ),
    entry(
        "hex_encode",
        "The bytes, or the text in UTF-8, as hexadecimal text. The digits of an int: `to_base(n, 16)`.",
        &[("hex_encode(\"né\")", "6ec3a9")],
        &[
            total(TEXT, TO_TEXT, |args| {
                let texts = args.text(0)?;
                args.write(|row, out| {
                    write_hex(texts.value(row).as_bytes(), out);
                    Ok(())
                })
            }),
            total(BYTES, TO_TEXT, |args| {
                let bytes = args.bytes(0)?;
                args.write(|row, out| {
                    write_hex(bytes.value(row), out);
                    Ok(())
                })
            }),
        ],
    ),
    entry(
        "hex_decode",
        "The bytes that hexadecimal text stands for; anything else is a row error.",
        &[("text(hex_decode(\"6EC3A9\"))", "né")],
        &[fallible(TEXT, TO_BYTES, from_hex)],
    ),
    entry(
        "parse_uuid",
        "The UUID in its one spelling, lower case with hyphens; a text that is none is a row error.",
        &[("parse_uuid(\"{67E55044-10B1-426F-9247-BB680E5FE0C8}\")", "67e55044-10b1-426f-9247-bb680e5fe0c8")],
        &[fallible(TEXT, TO_TEXT, parse_uuid)],
    ),
    entry(
        "is_uuid",
        "True if the text is a UUID in any of its spellings.",
        &[("is_uuid(\"67e55044-10b1-426f-9247-bb680e5fe0c8\")", "true"), ("is_uuid(\"67e5\")", "false")],
        &[total(TEXT, Gives::Value(Simple::Bool), |args| {
            let texts = args.text(0)?;
            args.collect::<BooleanArray, _>(|row| Ok(Uuid::parse_str(texts.value(row).trim()).is_ok()))
        })],
    ),
];

/// DataFusion's name of Base64 with padding.
const BASE64: &str = "base64pad";

fn to_base64(args: &Arguments<'_>) -> Result<ArrayRef> {
    let bytes = cast(&args.array(0)?, &DataType::Binary)?;
    let values = vec![ColumnarValue::Array(bytes), ColumnarValue::Scalar(ScalarValue::from(BASE64))];
    invoke(&encoding::encode(), values, args.rows(), args.output())
}

fn from_base64(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    let decoded = |row: usize| {
        let text = texts.value(row);
        let bytes = ScalarValue::Binary(Some(text.trim().as_bytes().to_vec()));
        let values = vec![ColumnarValue::Scalar(bytes), ColumnarValue::Scalar(ScalarValue::from(BASE64))];
        let unreadable = |_| row_error(format!("cannot read {} as Base64", quoted(text)));
        let array = invoke(&encoding::decode(), values, 1, args.output()).map_err(unreadable)?;
        Ok(array.as_binary::<i32>().value(0).to_vec())
    };
    args.collect::<BinaryArray, _>(decoded)
}

fn from_hex(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.collect::<BinaryArray, _>(|row| {
        let text = texts.value(row);
        read_hex(text.trim()).ok_or_else(|| row_error(format!("cannot read {} as hexadecimal", quoted(text))))
    })
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|c| c.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

fn parse_uuid(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.write(|row, out| {
        let text = texts.value(row);
        let uuid = Uuid::parse_str(text.trim());
        let uuid = uuid.map_err(|_| row_error(format!("cannot read {} as a UUID", quoted(text))))?;
        out.push_str(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        Ok(())
    })
}
