//! Hashes. The cryptographic ones are DataFusion's.

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_functions::crypto;

use super::super::arguments::Arguments;
use super::super::borrowed::invoke;
use super::super::cast::cell_text;
use super::super::entry::{Function, total};
use super::super::takes::Takes;
use super::{BYTES, TEXT, TO_FLOAT, TO_INT, TO_TEXT, entry};

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "hash",
        "An int that is the same for the same value in every run (FNV-1a, 64 bits, of the bytes or of the value's text): to \
         spread or to sample rows, not to protect them.",
        &[("hash(\"\")", "-3750763034362895579"), ("hash(7) == hash(\"7\")", "true")],
        &[
            total(TEXT, TO_INT, |args| {
                let texts = args.text(0)?;
                args.collect::<Int64Array, _>(|row| Ok(fnv(texts.value(row).as_bytes())))
            }),
            total(BYTES, TO_INT, |args| {
                let bytes = args.bytes(0)?;
                args.collect::<Int64Array, _>(|row| Ok(fnv(bytes.value(row))))
            }),
            total(&[("x", Takes::Any)], TO_INT, |args| {
                let values = args.array(0)?;
                args.collect::<Int64Array, _>(|row| Ok(fnv(cell_text(&values, row).as_bytes())))
            }),
        ],
    ),
    entry(
        "uniform",
        "A float from 0 to 1, 1 left out, that is the same for the same value in every run and spread evenly over different \
         values, from the hash of the value's text: to draw rows by what they hold.",
        &[("uniform(\"a\") == uniform(\"a\")", "true"), ("uniform({user: 7}) < 1", "true")],
        &[total(&[("x", Takes::Any)], TO_FLOAT, |args| {
            let values = args.array(0)?;
            args.collect::<Float64Array, _>(|row| Ok(unit(fnv(cell_text(&values, row).as_bytes()))))
        })],
    ),
    entry(
        "md5",
        "The MD5 hash of the text in UTF-8, or of the bytes, as hexadecimal text.",
        &[("md5(\"foo\")", "acbd18db4cc2f85cedef654fccc4a4d8")],
        &[total(TEXT, TO_TEXT, |args| digest(args, "md5")), total(BYTES, TO_TEXT, |args| digest(args, "md5"))],
    ),
    entry(
        "sha224",
        "The SHA-224 hash of the text in UTF-8, or of the bytes, as hexadecimal text.",
        &[("left(sha224(\"foo\"), 8)", "0808f64e")],
        &[total(TEXT, TO_TEXT, |args| digest(args, "sha224")), total(BYTES, TO_TEXT, |args| digest(args, "sha224"))],
    ),
    entry(
        "sha256",
        "The SHA-256 hash of the text in UTF-8, or of the bytes, as hexadecimal text.",
        &[("sha256(\"foo\")", "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae")],
        &[total(TEXT, TO_TEXT, |args| digest(args, "sha256")), total(BYTES, TO_TEXT, |args| digest(args, "sha256"))],
    ),
    entry(
        "sha384",
        "The SHA-384 hash of the text in UTF-8, or of the bytes, as hexadecimal text.",
        &[("left(sha384(\"foo\"), 8)", "98c11ffd")],
        &[total(TEXT, TO_TEXT, |args| digest(args, "sha384")), total(BYTES, TO_TEXT, |args| digest(args, "sha384"))],
    ),
    entry(
        "sha512",
        "The SHA-512 hash of the text in UTF-8, or of the bytes, as hexadecimal text.",
        &[("left(sha512(\"foo\"), 8)", "f7fbba6e")],
        &[total(TEXT, TO_TEXT, |args| digest(args, "sha512")), total(BYTES, TO_TEXT, |args| digest(args, "sha512"))],
    ),
    entry(
        "blake3",
        "The BLAKE3 hash of the text in UTF-8, or of the bytes, as hexadecimal text.",
        &[("left(blake3(\"foo\"), 8)", "04e0bb39")],
        &[total(TEXT, TO_TEXT, |args| digest(args, "blake3")), total(BYTES, TO_TEXT, |args| digest(args, "blake3"))],
    ),
];

/// FNV-1a (Fowler, Noll, Vo).
fn fnv(bytes: &[u8]) -> i64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    i64::from_le_bytes(bytes.iter().fold(0xcbf2_9ce4_8422_2325, step).to_le_bytes())
}

/// A hash as a number from 0 to 1: its bits mixed (the finaliser of MurmurHash3), of which a double has the first 53.
fn unit(hash: i64) -> f64 {
    let mut bits = u64::from_le_bytes(hash.to_le_bytes());
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        bits = (bits ^ (bits >> 33)).wrapping_mul(factor);
    }
    bits ^= bits >> 33;
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

fn digest(args: &Arguments<'_>, algorithm: &str) -> Result<ArrayRef> {
    let values = vec![ColumnarValue::Array(args.array(0)?), ColumnarValue::Scalar(ScalarValue::from(algorithm))];
    let digests = invoke(&crypto::digest(), values, args.rows(), &DataType::Binary)?;
    let digests = digests.as_binary::<i32>();
    args.write(|row, out| {
        write_hex(digests.value(row), out);
        Ok(())
    })
}

/// Bytes as hexadecimal text.
pub(super) fn write_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(2 * bytes.len());
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
