//! Columns that a file gives to each of its rows: its path, when it was written, where in it the row stands.
//!
//! They are named by wire names that begin with `_`, so that a schema can call them anything: `file: text from "_path"`.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use tidebook_plan::connector::{ConnectorError, Options, SourceField};
use tidebook_plan::{ColumnType, Type};

/// What is known of a file when it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Its path as messages show it: relative to the notebook where it is below its folder.
    pub path: String,
    /// When it was last written, in microseconds since 1970.
    pub modified: i64,
    /// Bytes.
    pub size: i64,
}

impl FileFacts {
    /// The facts of a file of `size` bytes that was written `modified` nanoseconds after 1970.
    pub fn new(path: String, modified: i64, size: u64) -> FileFacts {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        FileFacts { path, modified: modified.div_euclid(1_000), size }
    }
}

/// One thing that a file gives to each of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Path,
    Line,
    Modified,
    Size,
}

const FACTS: [(&str, Fact, Type); 4] = [
    ("_path", Fact::Path, Type::Text),
    ("_line", Fact::Line, Type::Int),
    ("_modified", Fact::Modified, Type::Timestamp),
    ("_size", Fact::Size, Type::Int),
];

/// Where the columns of a source's rows come from, and what the rows being collected have of their files.
pub struct MetadataColumns {
    /// For each column of a row its fact, or `None` for the next column of the data.
    columns: Vec<Option<Fact>>,
    /// Rows that were collected of each file, in order.
    runs: Vec<(usize, Arc<FileFacts>)>,
    /// The line of each row, if somebody wants it.
    lines: Vec<i64>,
    wants_lines: bool,
}

impl MetadataColumns {
    /// Tells the columns of a source that come from its files from those of the data, which are given as well.
    ///
    /// # Errors
    /// Where a column has another type than the file gives it.
    pub fn split(
        fields: &[SourceField],
        options: &Options,
    ) -> Result<(MetadataColumns, Vec<SourceField>), ConnectorError> {
        let off = options.get("metadata").is_some() && !options.flag("metadata");
        let mut columns = Vec::with_capacity(fields.len());
        let mut data = Vec::new();
        for field in fields {
            let known = FACTS.iter().find(|(name, _, _)| !off && *name == field.wire_name());
            let Some((name, fact, ty)) = known else {
                columns.push(None);
                data.push(field.clone());
                continue;
            };
            if field.ty.ty != *ty {
                let message = format!("`{name}` is {ty}, the column `{}` is {}", field.name, field.ty.ty);
                return Err(ConnectorError::Option { option: "metadata", message });
            }
            columns.push(Some(*fact));
        }
        let wants_lines = columns.contains(&Some(Fact::Line));
        Ok((MetadataColumns { columns, runs: Vec::new(), lines: Vec::new(), wants_lines }, data))
    }

    /// No metadata, for rows of so many columns.
    pub fn none(columns: usize) -> MetadataColumns {
        MetadataColumns { columns: vec![None; columns], runs: Vec::new(), lines: Vec::new(), wants_lines: false }
    }

    /// The columns that `metadata: true` adds to those of the data.
    pub fn fields() -> impl Iterator<Item = SourceField> {
        FACTS.into_iter().map(|(name, _, ty)| SourceField {
            name: name.to_string(),
            ty: ColumnType::required(ty),
            wire_name: None,
            default: None,
        })
    }

    /// True if rows that were given change when their file only grows.
    pub fn change_with_the_file(&self) -> bool {
        self.columns.iter().any(|column| matches!(column, Some(Fact::Modified | Fact::Size)))
    }

    /// The next rows are of another file.
    pub(super) fn begin_file(&mut self, facts: &Arc<FileFacts>) {
        self.runs.push((0, Arc::clone(facts)));
    }

    /// Counts a row that begins at `line`.
    #[inline]
    pub(super) fn row(&mut self, line: i64) {
        if self.wants_lines {
            self.lines.push(line);
        }
    }

    /// Counts the rows of a batch that a format has made itself; the first is number `first` in its file.
    pub(super) fn batch(&mut self, first: i64, rows: usize) {
        if self.wants_lines {
            self.lines.extend((first..).take(rows));
        }
    }

    /// All columns of a batch of `rows` rows, of which the data has `columns`; what comes next is of the same file.
    pub(super) fn finish(&mut self, columns: Vec<ArrayRef>, rows: usize) -> Vec<ArrayRef> {
        let runs = std::mem::take(&mut self.runs);
        self.runs.extend(runs.last().map(|(_, facts)| (0, Arc::clone(facts))));
        let lines = std::mem::take(&mut self.lines);
        let mut data = columns.into_iter();
        let each = || runs.iter().flat_map(|(count, facts)| std::iter::repeat_n(facts, *count));
        let all = self.columns.iter().map(|column| -> ArrayRef {
            match column {
                None => match data.next() {
                    Some(array) => array,
                    None => panic!("invariant: the data has every column that is no metadata"),
                },
                Some(Fact::Line) => Arc::new(Int64Array::from(lines.clone())),
                Some(Fact::Path) => {
                    let paths: Vec<&str> = each().map(|facts| facts.path.as_str()).collect();
                    Arc::new(StringArray::from(paths))
                }
                Some(Fact::Size) => Arc::new(Int64Array::from_iter_values(each().map(|facts| facts.size))),
                Some(Fact::Modified) => {
                    Arc::new(TimestampMicrosecondArray::from_iter_values(each().map(|facts| facts.modified)))
                }
            }
        });
        let all: Vec<_> = all.collect();
        debug_assert!(all.iter().all(|array| array.len() == rows), "every column has every row");
        all
    }

    /// Adds rows to the file that is being read.
    #[inline]
    pub(super) fn count(&mut self, rows: usize) {
        if let Some((count, _)) = self.runs.last_mut() {
            *count += rows;
        }
    }
}
