//! Random queries in SQL over two tables whose rows come and go: at every moment a head holds what DataFusion computes in
//! batch.
//!
//! A failing case prints its seed and its query. `TIDEBOOK_SEED` runs one seed, `TIDEBOOK_QUERIES` so many.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use tidebook_engine::CatchUp;
use tidebook_plan::ChangeBatch;
use tidebook_tests::batch_sql::BatchSql;
use tidebook_tests::feed::Feed;
use tidebook_tests::generator::Random;
use tidebook_tests::harness::{Failure, Harness, Setup};

const QUERIES: u64 = 60;

const TABLES: &str = "\
a = read test.feed(\"a\") { id: int, k: int?, s: text? }
b = read test.feed(\"b\") { id: int, k: int?, s: text? }
";

/// A row: `id`, `k`, `s`.
type Row = (i64, Option<i64>, Option<&'static str>);

fn batch(rows: &[Row]) -> RecordBatch {
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0)))),
        ("k", Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>())),
        ("s", Arc::new(rows.iter().map(|row| row.2).collect::<StringArray>())),
    ];
    let nullable = columns.map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(nullable).expect("three columns of one length")
}

fn row(random: &mut Random) -> Row {
    let k = (!random.percent(20)).then(|| random.between(0, 4));
    let s = (!random.percent(20)).then(|| ["x", "y", "xy"][random.below(3)]);
    (random.between(0, 6), k, s)
}

/// A comparison between columns that `names` are the tables of, or with a literal.
fn comparison(random: &mut Random, names: &[&str]) -> String {
    let name = names[random.below(names.len())];
    let other = names[random.below(names.len())];
    match random.below(6) {
        0 => format!("{name}.id {} {other}.k", ["=", "<", "<>", ">="][random.below(4)]),
        1 => format!("{name}.k = {other}.k"),
        2 => format!("{name}.s = {other}.s"),
        3 => format!("{name}.s like 'x%'"),
        4 => format!("{name}.k is {}null", ["", "not "][random.below(2)]),
        _ => format!("{name}.id {} {}", ["<", ">=", "="][random.below(3)], random.between(0, 6)),
    }
}

/// A condition, maybe with subqueries so deep, over these tables.
fn condition(random: &mut Random, names: &[&str], depth: usize) -> String {
    let deeper = depth > 0;
    match random.below(if deeper { 9 } else { 4 }) {
        0 | 1 => comparison(random, names),
        2 => format!("({} or {})", condition(random, names, depth.min(1) / 2), comparison(random, names)),
        3 => format!("({} and {})", comparison(random, names), comparison(random, names)),
        4 | 5 => {
            let (inner, table) = (inner_name(depth), ["a", "b"][random.below(2)]);
            // A query reads the one around it. DataFusion 54.1 goes wrong about those further out, which the corpus tries.
            let all = [inner.as_str(), names[0]];
            let not = ["", "not "][random.below(2)];
            let condition = condition(random, &all, depth - 1);
            format!("{not}exists (select 1 from {table} {inner} where {inner}.k = {}.k and {condition})", names[0])
        }
        6 => {
            let (inner, table) = (inner_name(depth), ["a", "b"][random.below(2)]);
            let own = comparison(random, &[inner.as_str()]);
            format!("{}.k in (select {inner}.k from {table} {inner} where {own})", names[0])
        }
        7 => {
            let (inner, table) = (inner_name(depth), ["a", "b"][random.below(2)]);
            let own = comparison(random, &[inner.as_str()]);
            format!(
                "{}.id not in (select {inner}.k from {table} {inner} where {own} and {inner}.k is not null)",
                names[0]
            )
        }
        _ => {
            let (inner, table) = (inner_name(depth), ["a", "b"][random.below(2)]);
            let aggregate = ["max(", "min(", "count(", "sum("][random.below(4)];
            let tied = if random.percent(60) { format!(" where {inner}.s = {}.s", names[0]) } else { String::new() };
            format!("{}.id > (select {aggregate}{inner}.k) from {table} {inner}{tied})", names[0])
        }
    }
}

fn inner_name(depth: usize) -> String {
    format!("c{depth}")
}

fn select(random: &mut Random) -> String {
    let (from, names): (&str, &[&str]) = match random.below(5) {
        0 => ("a", &["a"]),
        1 => ("b", &["b"]),
        2 => ("a, b where a.k = b.k and", &["a", "b"]),
        3 => ("a join b on a.s = b.s and a.id <> b.id", &["a", "b"]),
        _ => ("a left join b on a.k = b.k", &["a", "b"]),
    };
    let word = if from.ends_with("and") { "" } else { " where" };
    let condition = condition(random, names, 2);
    let rest = format!("from {from}{word} {condition}");
    let name = names[0];
    match random.below(4) {
        0 => format!("select {name}.k as x, count(*) as n, sum({name}.id) as m {rest} group by {name}.k"),
        1 => format!("select distinct {name}.s as x, {name}.k as n, {name}.k as m {rest}"),
        2 => format!(
            "select {name}.k as x, max({name}.id) as n, count({name}.s) as m {rest} group by {name}.k having count(*) > 1"
        ),
        _ => format!("select {name}.s as x, {name}.id as n, {name}.k as m {rest}"),
    }
}

/// Checks one query; false where DataFusion cannot plan it.
fn check(seed: u64) -> Result<bool, String> {
    let mut random = Random::new(seed);
    let query = select(&mut random);
    let told = |failure: Failure| format!("{failure}\n{query}");
    let feed = Feed::new();
    let setup = Setup {
        workers: 1 + (seed % 2) as usize,
        optimize: seed % 3 != 0,
        base: std::env::temp_dir(),
        sources: vec![feed.clone()],
    };
    let mut harness = Harness::start(setup).map_err(told)?;
    let mut outputs = harness.run("sql", &format!("{TABLES}a\nb\nsql \"{query}\"\n")).map_err(told)?;
    let mut held: [Vec<Row>; 2] = [Vec::new(), Vec::new()];
    for epoch in 0..4 {
        for (name, rows) in ["a", "b"].into_iter().zip(&mut held) {
            let new: Vec<Row> = (0..if epoch == 0 { 12 } else { 3 }).map(|_| row(&mut random)).collect();
            feed.send(name, ChangeBatch::inserts(batch(&new)));
            rows.extend(new);
            if epoch > 0 {
                let gone: Vec<Row> = (0..4).map(|_| rows.swap_remove(random.below(rows.len()))).collect();
                feed.send(name, ChangeBatch::inserts(batch(&gone)).negated());
            }
        }
        // To catch up means to look at a feed once; so until both tables are whole.
        loop {
            harness.settle(&mut outputs, CatchUp::Present).map_err(told)?;
            if outputs[..2].iter().zip(&held).all(|(output, rows)| output.contents().len() == rows.len() as i64) {
                harness.settle(&mut outputs, CatchUp::Present).map_err(told)?;
                break;
            }
        }
        let mut oracle = BatchSql::new().map_err(|error| error.to_string())?;
        for (name, rows) in ["a", "b"].into_iter().zip(&held) {
            oracle.table(name, vec![batch(rows)]).map_err(|error| error.to_string())?;
        }
        let Ok(expected) = oracle.query(&query) else { return Ok(false) };
        if *outputs[2].contents() != expected {
            let difference = outputs[2].contents().difference_from(&expected);
            return Err(format!("epoch {epoch}\n{query}\na = {:?}\nb = {:?}\n{difference}", held[0], held[1]));
        }
    }
    Ok(true)
}

#[test]
fn random_queries_agree_with_datafusion() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("TIDEBOOK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TIDEBOOK_QUERIES").unwrap_or(QUERIES),
    };
    let (mut answered, mut asked) = (0, 0);
    for seed in seeds {
        asked += 1;
        match check(seed) {
            Ok(planned) => answered += u64::from(planned),
            Err(fault) => panic!("seed {seed}: {fault}"),
        }
    }
    assert!(answered * 2 > asked, "DataFusion answers {answered} of {asked} queries");
}
