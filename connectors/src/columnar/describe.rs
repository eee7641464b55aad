//! The columns of columnar files, from the files themselves.

use arrow_schema::Field;
use tidebook_plan::ColumnType;
use tidebook_plan::connector::{ConnectorError, Options, SourceField};

use super::file::{ColumnarFormat, OpenFile};
use super::partition;
use super::types::{natural, widened};
use crate::files::FilePattern;

/// Files that are looked at. What a later one has beyond them needs a schema.
const MOST_FILES: usize = 1_000;

/// A column found so far, and the file that has it first.
struct Found {
    name: String,
    ty: ColumnType,
    file: String,
    /// Files that have it.
    count: usize,
}

/// The columns of all files together, by name, in the order in which they are found; those of the path come last.
///
/// # Errors
/// Where there is no file, one is not of the format, or two have columns of one name that have no type in common.
pub fn describe(
    format: ColumnarFormat,
    pattern: &FilePattern,
    options: &Options,
) -> Result<Vec<SourceField>, ConnectorError> {
    let files = pattern.list_some()?;
    let mut found: Vec<Found> = Vec::new();
    let mut partitions: Vec<(String, Vec<Option<String>>)> = Vec::new();
    let mut looked_at = 0;
    let mut first_error = None;
    for path in files.iter().take(MOST_FILES) {
        let shown = pattern.shown(path);
        let file = OpenFile::new(path, &shown, false)?;
        let schema = match format.schema(&file) {
            Ok(schema) => schema,
            // Of many files one may be damaged: reading says which.
            Err(error) if pattern.is_wild() => {
                first_error = first_error.or(Some(error));
                continue;
            }
            Err(error) => return Err(error),
        };
        looked_at += 1;
        for field in schema.fields() {
            add(&mut found, field, &file)?;
        }
        if options.flag("partitions") {
            for (name, value) in partition::of_path(path) {
                match partitions.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, values)) => values.push(value),
                    None => partitions.push((name, vec![value])),
                }
            }
        }
    }
    if let (0, Some(error)) = (looked_at, first_error) {
        return Err(error);
    }
    // A file that comes later may lack what all files have now.
    let open = options.flag("watch") || files.len() > MOST_FILES;
    let own = found.into_iter().filter(|column| !partitions.iter().any(|(name, _)| *name == column.name));
    let own = own.map(|Found { name, ty, count, .. }| {
        let nullable = ty.nullable || open || count < looked_at;
        (name, ColumnType { nullable, ..ty })
    });
    let folders = partitions
        .iter()
        .map(|(name, values)| (name.clone(), partition::infer(values.iter().filter_map(|value| value.as_deref()))));
    Ok(own.chain(folders).map(|(name, ty)| SourceField { name, ty, wire_name: None, default: None }).collect())
}

fn add(found: &mut Vec<Found>, field: &Field, file: &OpenFile) -> Result<(), ConnectorError> {
    let ty = natural(field).map_err(|message| {
        let help = "; a schema after the parentheses can leave it out";
        file.fault(format!("column `{}` {message}{help}", field.name()))
    })?;
    let shown = &file.known.path;
    match found.iter_mut().find(|column| column.name == *field.name()) {
        // Two columns of one name in one file: the resolver says so.
        None => found.push(Found { name: field.name().clone(), ty, file: shown.clone(), count: 1 }),
        Some(column) if column.file == *shown => {
            found.push(Found { name: field.name().clone(), ty, file: shown.clone(), count: 1 });
        }
        Some(column) => {
            let Some(both) = widened(&column.ty.ty, &ty.ty) else {
                return Err(file.fault(format!(
                    "column `{}` is {} here and {} in `{}`: declare the columns, and read as text or json what differs",
                    column.name, ty.ty, column.ty.ty, column.file
                )));
            };
            column.ty = ColumnType { ty: both, nullable: column.ty.nullable || ty.nullable };
            column.count += 1;
        }
    }
    Ok(())
}
