//! The tables, read from the lines that the generator writes.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use tpchgen::dates::TPCHDate;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};

/// A table with its columns and their types in Tide.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Names and types.
    pub columns: &'static [(&'static str, &'static str)],
}

const INT: &str = "int";
const TEXT: &str = "text";
const DATE: &str = "date";
const MONEY: &str = "decimal(15, 2)";

/// The eight tables.
pub static TABLES: &[Table] = &[
    Table { name: "region", columns: &[("r_regionkey", INT), ("r_name", TEXT), ("r_comment", TEXT)] },
    Table {
        name: "nation",
        columns: &[("n_nationkey", INT), ("n_name", TEXT), ("n_regionkey", INT), ("n_comment", TEXT)],
    },
    Table {
        name: "part",
        columns: &[
            ("p_partkey", INT),
            ("p_name", TEXT),
            ("p_mfgr", TEXT),
            ("p_brand", TEXT),
            ("p_type", TEXT),
            ("p_size", INT),
            ("p_container", TEXT),
            ("p_retailprice", MONEY),
            ("p_comment", TEXT),
        ],
    },
    Table {
        name: "supplier",
        columns: &[
            ("s_suppkey", INT),
            ("s_name", TEXT),
            ("s_address", TEXT),
            ("s_nationkey", INT),
            ("s_phone", TEXT),
            ("s_acctbal", MONEY),
            ("s_comment", TEXT),
        ],
    },
    Table {
        name: "partsupp",
        columns: &[
            ("ps_partkey", INT),
            ("ps_suppkey", INT),
            ("ps_availqty", INT),
            ("ps_supplycost", MONEY),
            ("ps_comment", TEXT),
        ],
    },
    Table {
        name: "customer",
        columns: &[
            ("c_custkey", INT),
            ("c_name", TEXT),
            ("c_address", TEXT),
            ("c_nationkey", INT),
            ("c_phone", TEXT),
            ("c_acctbal", MONEY),
            ("c_mktsegment", TEXT),
            ("c_comment", TEXT),
        ],
    },
    Table {
        name: "orders",
        columns: &[
            ("o_orderkey", INT),
            ("o_custkey", INT),
            ("o_orderstatus", TEXT),
            ("o_totalprice", MONEY),
            ("o_orderdate", DATE),
            ("o_orderpriority", TEXT),
            ("o_clerk", TEXT),
            ("o_shippriority", INT),
            ("o_comment", TEXT),
        ],
    },
    Table {
        name: "lineitem",
        columns: &[
            ("l_orderkey", INT),
            ("l_partkey", INT),
            ("l_suppkey", INT),
            ("l_linenumber", INT),
            ("l_quantity", MONEY),
            ("l_extendedprice", MONEY),
            ("l_discount", MONEY),
            ("l_tax", MONEY),
            ("l_returnflag", TEXT),
            ("l_linestatus", TEXT),
            ("l_shipdate", DATE),
            ("l_commitdate", DATE),
            ("l_receiptdate", DATE),
            ("l_shipinstruct", TEXT),
            ("l_shipmode", TEXT),
            ("l_comment", TEXT),
        ],
    },
];

/// All rows of a table at a scale, each as its fields are written.
pub fn rows(table: &Table, scale: f64) -> Vec<Vec<String>> {
    fn split(rows: impl Iterator<Item = impl ToString>) -> Vec<Vec<String>> {
        let fields = |line: String| line.trim_end_matches('|').split('|').map(str::to_string).collect();
        rows.map(|row| fields(row.to_string())).collect()
    }
    match table.name {
        "region" => split(RegionGenerator::new(scale, 1, 1).iter()),
        "nation" => split(NationGenerator::new(scale, 1, 1).iter()),
        "part" => split(PartGenerator::new(scale, 1, 1).iter()),
        "supplier" => split(SupplierGenerator::new(scale, 1, 1).iter()),
        "partsupp" => split(PartSuppGenerator::new(scale, 1, 1).iter()),
        "customer" => split(CustomerGenerator::new(scale, 1, 1).iter()),
        "orders" => split(OrderGenerator::new(scale, 1, 1).iter()),
        "lineitem" => split(LineItemGenerator::new(scale, 1, 1).iter()),
        other => panic!("TPC-H has no table `{other}`"),
    }
}

/// The rows as a batch of the table's types.
pub fn batch<'r>(table: &Table, rows: impl Iterator<Item = &'r Vec<String>>) -> RecordBatch {
    let rows: Vec<&Vec<String>> = rows.collect();
    let columns = table.columns.iter().enumerate().map(|(place, (name, ty))| {
        let texts = rows.iter().map(|row| row[place].as_str());
        let array: ArrayRef = match *ty {
            INT => Arc::new(Int64Array::from_iter_values(texts.map(|text| text.parse().expect("a whole number")))),
            DATE => Arc::new(Date32Array::from_iter_values(texts.map(day))),
            MONEY => {
                let cents = Decimal128Array::from_iter_values(texts.map(cents));
                Arc::new(cents.with_precision_and_scale(15, 2).expect("a price has 15 digits"))
            }
            _ => Arc::new(StringArray::from_iter_values(texts)),
        };
        (*name, array)
    });
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

/// `12.50`, `-3`: hundredths.
fn cents(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "00"));
    format!("{whole}{fraction:0<2}").parse().expect("a price")
}

/// `1995-03-15`: days since 1970.
fn day(text: &str) -> i32 {
    let parts: Vec<i64> = text.split('-').map(|part| part.parse().expect("a part of a date")).collect();
    let [year, month, day] = parts[..] else { panic!("`{text}` is a date") };
    // From 1 March of the year 0, as in "chrono-compatible low-level date algorithms" (Howard Hinnant).
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    debug_assert!(days >= i64::from(TPCHDate::UNIX_EPOCH_OFFSET), "no date of the benchmark lies before 1992");
    i32::try_from(days).expect("a day of the benchmark")
}
