//! Lists as sets: what stands in one, in both, in neither. The order is that of the first occurrence.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow_row::Row;
use datafusion_common::Result;

use super::super::arguments::Arguments;
use super::super::entry::{Function, total};
use super::super::takes::{Gives, Takes};
use super::{LIST, LIST_AND_ITEM, Pool, TO_BOOL, TWO_LISTS, entry, index};

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "list_distinct",
        "The list with each element once, where it first stands.",
        &[("list_distinct([2, 1, 2])", "[2,1]")],
        &[total(LIST, Gives::Items, |args| {
            let pool = Pool::new(args, 1, 0)?.comparable()?;
            pool.lists(|row, picked| {
                let mut seen = HashSet::new();
                picked.extend(pool.list(0, row).filter(|element| seen.insert(pool.key(*element))).map(index));
                Ok(())
            })
        })],
    ),
    entry(
        "list_union",
        "The elements that stand in one of the lists, each once.",
        &[("list_union([1, 2], [2, 3])", "[1,2,3]")],
        &[total(TWO_LISTS, Gives::Items, |args| {
            let pool = Pool::new(args, 2, 0)?.comparable()?;
            pool.lists(|row, picked| {
                let mut seen = HashSet::new();
                let both = pool.list(0, row).chain(pool.list(1, row));
                picked.extend(both.filter(|element| seen.insert(pool.key(*element))).map(index));
                Ok(())
            })
        })],
    ),
    entry(
        "list_intersect",
        "The elements that stand in both lists, each once.",
        &[("list_intersect([1, 2, 2, 3], [3, 2])", "[2,3]")],
        &[total(TWO_LISTS, Gives::Items, |args| chosen(args, true))],
    ),
    entry(
        "list_except",
        "The elements of the first list that do not stand in the second, each once.",
        &[("list_except([1, 2, 3, 1], [2])", "[1,3]")],
        &[total(TWO_LISTS, Gives::Items, |args| chosen(args, false))],
    ),
    entry(
        "list_remove",
        "The list without the elements that equal the value.",
        &[("list_remove([1, 2, 1], 1)", "[2]")],
        &[total(LIST_AND_ITEM, Gives::Items, remove)],
    ),
    entry(
        "list_replace",
        "The list with the elements that equal `from` replaced by `to`.",
        &[("list_replace([1, 2, 1], 1, 9)", "[9,2,9]")],
        &[total(&[("x", Takes::Items), ("from", Takes::Same), ("to", Takes::Same)], Gives::Items, replace)],
    ),
    entry(
        "list_compact",
        "The list without its nulls.",
        &[("list_compact([1, null, 2])", "[1,2]")],
        &[total(LIST, Gives::Items, |args| {
            let pool = Pool::new(args, 1, 0)?;
            let nulls = pool.values().logical_nulls();
            pool.lists(|row, picked| {
                let valid = |element: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*element));
                picked.extend(pool.list(0, row).filter(valid).map(index));
                Ok(())
            })
        })],
    ),
    entry(
        "list_overlaps",
        "True if an element stands in both lists.",
        &[("list_overlaps([1, 2], [2, 3])", "true"), ("list_overlaps([1], [2])", "false")],
        &[total(TWO_LISTS, TO_BOOL, |args| {
            let pool = Pool::new(args, 2, 0)?.comparable()?;
            args.collect::<BooleanArray, _>(|row| {
                let other = keys(&pool, 1, row);
                Ok(pool.list(0, row).any(|element| other.contains(&pool.key(element))))
            })
        })],
    ),
    entry(
        "list_contains_all",
        "True if all elements of the second list stand in the first.",
        &[("list_contains_all([1, 2, 3], [3, 1])", "true"), ("list_contains_all([1], [1, 2])", "false")],
        &[total(TWO_LISTS, TO_BOOL, |args| {
            let pool = Pool::new(args, 2, 0)?.comparable()?;
            args.collect::<BooleanArray, _>(|row| {
                let own = keys(&pool, 0, row);
                Ok(pool.list(1, row).all(|element| own.contains(&pool.key(element))))
            })
        })],
    ),
];

fn keys(pool: &Pool, argument: usize, row: usize) -> HashSet<Row<'_>> {
    pool.list(argument, row).map(|element| pool.key(element)).collect()
}

/// Elements of the first list, each once: those that stand in the second, or those that do not.
fn chosen(args: &Arguments<'_>, in_both: bool) -> Result<ArrayRef> {
    let pool = Pool::new(args, 2, 0)?.comparable()?;
    pool.lists(|row, picked| {
        let other = keys(&pool, 1, row);
        let mut seen = HashSet::new();
        let chosen = pool.list(0, row).filter(|element| {
            let key = pool.key(*element);
            other.contains(&key) == in_both && seen.insert(key)
        });
        picked.extend(chosen.map(index));
        Ok(())
    })
}

fn replace(args: &Arguments<'_>) -> Result<ArrayRef> {
    let pool = Pool::new(args, 1, 2)?.comparable()?;
    let lists = pool.lists(|row, picked| {
        let (from, to) = (pool.item(1, row), pool.item(2, row));
        let replaced = |element| if pool.key(element) == pool.key(from) { to } else { element };
        picked.extend(pool.list(0, row).map(replaced).map(index));
        Ok(())
    })?;
    super::order::with_nulls(&lists, args.nulls()?)
}

fn remove(args: &Arguments<'_>) -> Result<ArrayRef> {
    let pool = Pool::new(args, 1, 1)?.comparable()?;
    let items = args.array(1)?.logical_nulls();
    let lists = pool.lists(|row, picked| {
        let item = pool.item(1, row);
        picked.extend(pool.list(0, row).filter(|element| pool.key(*element) != pool.key(item)).map(index));
        Ok(())
    })?;
    // Null where the value is: nothing equals it.
    match items {
        None => Ok(lists),
        Some(_) => super::order::with_nulls(&lists, args.nulls()?),
    }
}
