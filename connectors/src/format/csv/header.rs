//! The first lines of an input: what is passed over, and the names of the columns.

use std::collections::HashSet;
use std::sync::Arc;

use tidebook_plan::limits;

use super::dialect::Dialect;
use super::scan::Field;
use crate::format::MARK;
use crate::format::shape::Shape;

/// How the records of one input map to columns, as its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each field of a record the position of its column.
    pub(super) columns: Arc<[Option<usize>]>,
    /// Columns that the records do not have.
    pub(super) absent: Arc<[usize]>,
    /// False if a column is missing that has to be there.
    pub(super) readable: bool,
}

/// The names of an input's columns.
pub struct Header {
    /// Each name once.
    pub names: Vec<String>,
    /// Where the header's record begins.
    pub start: usize,
    /// Where the first record of rows begins.
    pub next: usize,
    /// Lines before it.
    pub lines: i64,
}

impl Layout {
    /// The layout that names give, or why there is none.
    pub(super) fn new(names: &[String], shape: &Shape) -> Result<Layout, String> {
        if names.len() > limits::COLUMNS {
            return Err(too_many(names.len()));
        }
        let mut positions: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
        for (position, field) in shape.fields.iter().enumerate() {
            positions.entry(&field.name).or_insert(position);
        }
        let columns: Arc<[Option<usize>]> = names.iter().map(|name| positions.get(name.as_str()).copied()).collect();
        let present: HashSet<usize> = columns.iter().flatten().copied().collect();
        let absent: Arc<[usize]> = (0..shape.fields.len()).filter(|i| !present.contains(i)).collect();
        let needed = absent.iter().map(|i| &shape.fields[*i]).find(|f| f.default.is_none() && !f.ty.nullable);
        match needed {
            Some(field) => Err(format!("has no column `{}`", field.name)),
            None => Ok(Layout { columns, absent, readable: true }),
        }
    }

    /// The layout of records without a header. Columns go by their position in the schema; where one says `from "c3"`, all
    /// go by such names.
    pub(super) fn without_header(width: usize, shape: &Shape) -> Result<Layout, String> {
        if shape.fields.iter().any(|field| field.name != field.column) {
            return Layout::new(&(1..=width).map(|i| format!("c{i}")).collect::<Vec<_>>(), shape);
        }
        let columns = (0..shape.fields.len()).map(Some).collect();
        Ok(Layout { columns, absent: Arc::new([]), readable: true })
    }

    /// The layout of an input that is not read.
    pub(super) fn unreadable() -> Layout {
        Layout { columns: Arc::new([]), absent: Arc::new([]), readable: false }
    }
}

/// The first record of an input: its names, each of them once, or `c1`, `c2`, … where it has none. `None` where the
/// data ends before the record does.
pub(super) fn header(dialect: &Dialect, data: &[u8], at: usize, last: bool) -> Option<Header> {
    let mut start = at;
    let mut lines = 0;
    let line_end = |from: usize| match memchr::memchr(b'\n', &data[from..]) {
        Some(length) => Some(from + length + 1),
        None => last.then_some(data.len()),
    };
    for _ in 0..dialect.skip {
        start = line_end(start)?;
        lines += 1;
    }
    while start < data.len() && is_passed_over(dialect, data, start, last)? {
        start = line_end(start)?;
        lines += 1;
    }
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    let mut next = start;
    let mut scratch = Vec::new();
    lines += 1;
    loop {
        let field = Field::scan(dialect, data, next, last)?;
        next = field.next;
        lines += field.newlines();
        let text = String::from_utf8_lossy(field.text(dialect, &mut scratch));
        let base = match text.trim() {
            name if dialect.header && !name.is_empty() => name.to_string(),
            _ => format!("c{}", names.len() + 1),
        };
        let again = (1..).map(|count| format!("{base}_{count}"));
        if let Some(name) = std::iter::once(base.clone()).chain(again).find(|name| !seen.contains(name)) {
            seen.insert(name.clone());
            names.push(name);
        }
        if field.ends_record {
            break;
        }
    }
    if !dialect.header {
        (next, lines) = (start, lines - 1);
    }
    Some(Header { names, start, next, lines })
}

/// True if the line at `at` is a comment or a blank one that is no record; `None` where more data has to tell.
#[inline]
pub(super) fn is_passed_over(dialect: &Dialect, data: &[u8], at: usize, last: bool) -> Option<bool> {
    let rest = &data[at..];
    if dialect.skip_blank_lines && (rest.starts_with(b"\n") || rest.starts_with(b"\r\n") || (rest == b"\r" && last)) {
        return Some(true);
    }
    let Some(comment) = &dialect.comment else { return Some(false) };
    if !last && rest.len() < comment.len() && comment.starts_with(rest) {
        return None;
    }
    Some(rest.starts_with(comment))
}

/// Checks that the first record of `sample` has every column that has to be there.
///
/// # Errors
/// Names the first that is missing, or says that there are too many.
pub fn check_header(sample: &[u8], whole: bool, dialect: &Dialect, shape: &Shape) -> Result<(), String> {
    let sample = sample.strip_prefix(MARK).unwrap_or(sample);
    if sample.is_empty() {
        return Ok(());
    }
    let Some(header) = header(dialect, sample, 0, whole) else {
        return Ok(());
    };
    if !dialect.header {
        return Layout::without_header(header.names.len(), shape).map(|_| ());
    }
    match Layout::new(&header.names, shape) {
        Ok(_) => Ok(()),
        Err(missing) if header.names.len() > limits::COLUMNS => Err(missing),
        Err(missing) => {
            let names = list(&header.names);
            Err(match likely_delimiter(dialect, sample, &header) {
                Some(likely) => format!("{missing}; its header is one column {names}: is the delimiter {likely}?"),
                None => format!("{missing}; its header has {names}"),
            })
        }
    }
}

/// The names, the first of them where there are many.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// What rather seems to stand between fields, as it is written in an option, where the header is a single column that
/// contains it, as often as the next lines do.
pub(super) fn likely_delimiter(dialect: &Dialect, sample: &[u8], header: &Header) -> Option<&'static str> {
    if header.names.len() != 1 {
        return None;
    }
    let lines = sample[header.start..].split(|byte| *byte == b'\n').take(5);
    let lines: Vec<&[u8]> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
    let candidates = [(b';', "`\";\"`"), (b'\t', "a tab, `\"\\t\"`"), (b'|', "`\"|\"`"), (b',', "`\",\"`")];
    candidates
        .into_iter()
        .find(|(byte, _)| {
            let count = |line: &[u8]| memchr::memchr_iter(*byte, line).count();
            let first = lines.first().map_or(0, |line| count(line));
            // The last line of a sample may be cut.
            let whole = if lines.len() > 2 { &lines[..lines.len() - 1] } else { &lines };
            dialect.delimiter != [*byte] && first > 0 && whole.iter().all(|line| count(line) == first)
        })
        .map(|(_, shown)| shown)
}

/// What is said of more columns than a table may have.
pub(super) fn too_many(columns: usize) -> String {
    format!("has {columns} columns, more than {}", limits::COLUMNS)
}
