//! Rows as a columnar file.
//!
//! Every type is written so that it comes back: timestamps with the zone UTC, since they are instants; JSON as text that
//! is marked; vectors as lists of one size. Nullability is that of the table.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use tidebook_plan::connector::{ConnectorError, Options};
use tidebook_plan::{Column, ColumnType, Type};

use crate::columnar::{ColumnarFormat, JSON_EXTENSION, read_back};
use crate::sink::folder::{FileEncoding, Rows, Written};

/// Bytes of encoded rows that are kept in memory before they are a row group.
const GROUP_BYTES: usize = 128 << 20;

/// How the files of one sink are written.
#[derive(Clone, Debug)]
pub struct Encoding {
    format: ColumnarFormat,
    schema: SchemaRef,
    properties: WriterProperties,
    compression: Option<CompressionType>,
}

impl Encoding {
    /// The encoding of rows with these columns.
    ///
    /// # Errors
    /// Where an option makes no sense, or the format has no such column.
    pub fn new(format: ColumnarFormat, columns: &[Column], options: &Options) -> Result<Encoding, ConnectorError> {
        if format == ColumnarFormat::Parquet {
            for column in columns {
                writable(&column.ty.ty).map_err(|message| ConnectorError::Format {
                    what: "parquet".to_string(),
                    message: format!("column `{}` {message}", column.name),
                })?;
            }
        }
        let rows = options.int("row_group").unwrap_or(ROW_GROUP);
        let rows = usize::try_from(rows).ok().filter(|rows| *rows > 0).ok_or_else(|| ConnectorError::Option {
            option: "row_group",
            message: format!("{rows} rows, expected at least 1"),
        })?;
        let word = options.text("compression").unwrap_or("none");
        let compression = match word {
            "zstd" => Compression::ZSTD(ZstdLevel::default()),
            "snappy" => Compression::SNAPPY,
            "gzip" => Compression::GZIP(GzipLevel::default()),
            "lz4" => Compression::LZ4_RAW,
            _ => Compression::UNCOMPRESSED,
        };
        let fields = columns.iter().map(|column| stored(&column.name, &column.ty));
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_max_row_group_row_count(Some(rows))
            .set_created_by(format!("tidebook {}", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Encoding {
            format,
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            properties,
            compression: match word {
                "lz4" => Some(CompressionType::LZ4_FRAME),
                "zstd" => Some(CompressionType::ZSTD),
                _ => None,
            },
        })
    }

    fn to_stored(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| stored_array(column, field.data_type()));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns.collect::<Result<_, _>>()?, &options)
    }
}

impl FileEncoding for Encoding {
    fn extension(&self) -> &str {
        self.format.extension()
    }

    fn write(&self, out: &mut (dyn Write + Send), batches: &mut Rows<'_>) -> io::Result<()> {
        match self.format {
            ColumnarFormat::Parquet => {
                let properties = Some(self.properties.clone());
                let mut writer = ArrowWriter::try_new(out, self.schema.clone(), properties).map_err(of_parquet)?;
                for batch in batches {
                    writer.write(&self.to_stored(&batch?).map_err(of_arrow)?).map_err(of_parquet)?;
                    if writer.in_progress_size() > GROUP_BYTES {
                        writer.flush().map_err(of_parquet)?;
                    }
                }
                writer.close().map_err(of_parquet)?;
            }
            ColumnarFormat::Arrow => {
                let options = IpcWriteOptions::default().try_with_compression(self.compression).map_err(of_arrow)?;
                let mut writer = FileWriter::try_new_with_options(out, &self.schema, options).map_err(of_arrow)?;
                for batch in batches {
                    writer.write(&self.to_stored(&batch?).map_err(of_arrow)?).map_err(of_arrow)?;
                }
                writer.finish().map_err(of_arrow)?;
            }
        }
        Ok(())
    }

    fn extend(&self, former: &Written, out: &mut (dyn Write + Send), batches: &mut Rows<'_>) -> io::Result<()> {
        let mut left = former.rows;
        let before = read_back(self.format, &former.path, &former.path.to_string_lossy())
            .map_err(io::Error::other)?
            .map(|batch| {
                let batch = batch?;
                let count = left.min(batch.num_rows());
                left -= count;
                Ok(batch.slice(0, count))
            });
        self.write(out, &mut before.chain(batches))
    }
}

/// Rows of a row group.
pub const ROW_GROUP: i64 = 1_048_576;

/// Parquet has no group without fields.
fn writable(ty: &Type) -> Result<(), &'static str> {
    match ty {
        Type::Record(fields) if fields.is_empty() => Err("is a record without fields, which Parquet does not have"),
        Type::Record(fields) => fields.iter().try_for_each(|(_, ty)| writable(&ty.ty)),
        Type::List(item) => writable(&item.ty),
        _ => Ok(()),
    }
}

/// The field that a column is written as.
fn stored(name: &str, ty: &ColumnType) -> Field {
    let field = Field::new(name, stored_type(&ty.ty), ty.nullable || ty.ty == Type::Null);
    if ty.ty == Type::Json {
        let mark = [("ARROW:extension:name".to_string(), JSON_EXTENSION.to_string())];
        // The name alone is enough for us; other readers want the second entry as well.
        let mark = mark.into_iter().chain([("ARROW:extension:metadata".to_string(), String::new())]);
        return field.with_metadata(mark.collect());
    }
    field
}

fn stored_type(ty: &Type) -> DataType {
    match ty {
        // No other reader knows what to do with a column of which only null is known.
        Type::Null => DataType::Utf8,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::List(item) => DataType::List(Arc::new(stored("item", item))),
        Type::Record(fields) => {
            DataType::Struct(fields.iter().map(|(name, ty)| Arc::new(stored(name, ty)) as FieldRef).collect())
        }
        other => other.to_arrow(),
    }
}

/// An array with the type that it is written as. A zone is only put on timestamps: Arrow's cast would compute, and knows no
/// years beyond 262,143.
fn stored_array(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    Ok(match (array.data_type(), to) {
        (own, to) if own == to => array.clone(),
        (DataType::Timestamp(TimeUnit::Microsecond, _), DataType::Timestamp(TimeUnit::Microsecond, zone)) => {
            Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(zone.clone()))
        }
        (DataType::List(_), DataType::List(field)) => {
            let lists = array.as_list::<i32>();
            let items = stored_array(lists.values(), field.data_type())?;
            Arc::new(ListArray::try_new(field.clone(), lists.offsets().clone(), items, lists.nulls().cloned())?)
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let records = array.as_struct();
            let columns = records.columns().iter().zip(fields).map(|(column, to)| stored_array(column, to.data_type()));
            let columns = columns.collect::<Result<_, _>>()?;
            let (nulls, length) = (records.nulls().cloned(), records.len());
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, length)?)
        }
        _ => arrow_cast::cast(array, to)?,
    })
}

/// The error of the file system that is inside, if one is: a full disk should say so.
fn of_parquet(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

fn of_arrow(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    }
}
