//! Functions of dates, timestamps and durations. Instants are in UTC; a zone is named where one is meant.

mod calendar;
mod moves;
mod parts;
mod unit;
pub mod windows;
mod written;
mod zone;

use datafusion_common::Result;

use super::entry::{Function, Overload, Parameters};
use super::group::Group;
use super::kernel::row_error;
use super::prepare::{Prepare, prepared};
use super::takes::{Gives, Simple, Takes};
use calendar::SECOND;
use zone::Zone;

/// The entries, file by file.
pub(super) const LIBRARY: [&[Function]; 4] = [parts::LIBRARY, moves::LIBRARY, windows::LIBRARY, written::LIBRARY];

const INT: Takes = Takes::Value(Simple::Int);
const TEXT: Takes = Takes::Value(Simple::Text);
const TIMESTAMP: Takes = Takes::Value(Simple::Timestamp);
const AT: Parameters = &[("at", TIMESTAMP)];
const AT_ZONE: Parameters = &[("at", TIMESTAMP), ("zone", TEXT)];
const ZONE_SECOND: &[Prepare] = &[Prepare { argument: 1, read: |text| prepared(Zone::read(text)) }];
const TO_INT: Gives = Gives::Value(Simple::Int);
const TO_TIMESTAMP: Gives = Gives::Value(Simple::Timestamp);

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Time, doc, examples, overloads }
}

/// Seconds as microseconds, to the nearest.
fn micros(seconds: f64, what: &str) -> Result<i64> {
    let micros = (seconds * SECOND as f64).round();
    // 2^63 is a float, and the first that does not fit.
    if micros >= -9_223_372_036_854_775_808.0 && micros < 9_223_372_036_854_775_808.0 {
        Ok(micros as i64)
    } else {
        Err(row_error(format!("{what} overflow: {seconds:?} seconds")))
    }
}
