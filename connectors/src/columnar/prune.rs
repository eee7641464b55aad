//! Which parts of a Parquet file have to be read, from what its footer and its indexes say.

use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryType, Decimal128Type, Int64Type, Utf8Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Scalar, UInt64Array, new_null_array};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};
use parquet::basic::Type as PhysicalType;
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use tidebook_plan::Comparison;

use super::bind::{Binding, Origin};
use super::bytes::FileBytes;
use super::file::Unit;
use super::judge::{Bounds, Verdict};
use super::types::Risk;
use super::wanted::Check;

type Result<T> = std::result::Result<T, ParquetError>;

/// The row groups that have to be read.
pub fn units(bytes: &FileBytes, metadata: &ArrowReaderMetadata, binding: &Binding) -> Result<Vec<Unit>> {
    let groups = metadata.metadata().row_groups();
    let mut checked = vec![false; groups.len()];
    for field in 0..binding.origins.len() {
        for (group, sound) in soundness(metadata, binding, field)?.into_iter().enumerate() {
            checked[group] |= !sound;
        }
    }
    let conditions = &binding.wanted.conditions;
    let verdicts = (0..conditions.len()).map(|condition| verdicts(metadata, binding, condition));
    let verdicts = verdicts.collect::<Result<Vec<_>>>()?;
    let mut units = Vec::new();
    let mut first = 0;
    for (group, own) in groups.iter().enumerate() {
        let together = verdicts.iter().fold(Verdict::Always, |all, one| all.and(one[group]));
        let open = (0..conditions.len()).filter(|condition| verdicts[*condition][group] == Verdict::Maybe);
        let unit = Unit { group, first, checked: checked[group], conditions: open.collect() };
        first += own.num_rows();
        let never = together == Verdict::Never && !unit.checked;
        if own.num_rows() > 0 && !never && (unit.checked || may_contain(bytes, metadata, binding, &unit)?) {
            units.push(unit);
        }
    }
    Ok(units)
}

/// For each row group whether all values of a field are sound, as its statistics tell.
fn soundness(metadata: &ArrowReaderMetadata, binding: &Binding, field: usize) -> Result<Vec<bool>> {
    let groups = metadata.metadata().row_groups();
    let Origin::Column { column, risk, required, .. } = &binding.origins[field] else {
        return Ok(vec![true; groups.len()]);
    };
    if *risk == Risk::None && !*required {
        return Ok(vec![true; groups.len()]);
    }
    let Some(statistics) = Statistics::new(metadata, *column)? else {
        let whole = |group| matches!(risk, Risk::None | Risk::Nulls) && !has_nulls_within(group, metadata, *column);
        return Ok(groups.iter().map(whole).collect());
    };
    let nulls = statistics.nulls()?;
    let (least, most) = (statistics.least()?, statistics.most()?);
    let sound = (0..groups.len()).map(|group| {
        let none_null = nulls.is_valid(group) && nulls.value(group) == 0;
        let within = match risk {
            Risk::None => true,
            Risk::Nulls | Risk::Unknown => false,
            Risk::Outside(low, high) => {
                let all_null = nulls.is_valid(group) && nulls.value(group) as i64 == groups[group].num_rows();
                let bounds = (number(&least, group), number(&most, group));
                all_null || matches!(bounds, (Some(a), Some(b)) if a >= *low && b <= *high)
            }
        };
        within && (!*required || none_null)
    });
    Ok(sound.collect())
}

/// True unless no leaf of a nested column has a null, which the levels of its values count as well.
fn has_nulls_within(group: &RowGroupMetaData, metadata: &ArrowReaderMetadata, column: usize) -> bool {
    let schema = metadata.parquet_schema();
    let mut leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == column);
    leaves.any(|leaf| group.column(leaf).statistics().and_then(|statistics| statistics.null_count_opt()) != Some(0))
}

/// A whole number of statistics.
fn number(array: &ArrayRef, place: usize) -> Option<i128> {
    let wide = arrow_cast::cast(&array.slice(place, 1), &DataType::Decimal128(38, 0)).ok()?;
    let wide = wide.as_primitive::<Decimal128Type>();
    wide.is_valid(0).then(|| wide.value(0))
}

/// For each row group what its statistics say about a condition.
fn verdicts(metadata: &ArrowReaderMetadata, binding: &Binding, condition: usize) -> Result<Vec<Verdict>> {
    let groups = metadata.metadata().row_groups();
    let condition = &binding.wanted.conditions[condition];
    let unknown = vec![Verdict::Maybe; groups.len()];
    match &binding.origins[condition.field] {
        Origin::Row => Ok(unknown),
        Origin::Constant(value) => {
            let met = condition.check.of(value)?;
            let verdict = if met.is_valid(0) && met.value(0) { Verdict::Always } else { Verdict::Never };
            Ok(vec![verdict; groups.len()])
        }
        Origin::Column { column, risk, .. } => {
            let default = binding.wanted.fields[condition.field].default.is_some();
            let Some(statistics) = Statistics::new(metadata, *column)?.filter(|_| *risk != Risk::Unknown && !default)
            else {
                return Ok(unknown);
            };
            let rows = groups.iter().map(|group| group.num_rows().unsigned_abs()).collect();
            let bounds =
                bounds(binding, condition.field, statistics.least()?, statistics.most()?, statistics.nulls()?, rows)?;
            Ok(bounds.judge(&condition.check)?)
        }
    }
}

/// Bounds in the field's own type.
fn bounds(
    binding: &Binding,
    field: usize,
    least: ArrayRef,
    most: ArrayRef,
    nulls: UInt64Array,
    rows: Vec<u64>,
) -> Result<Bounds> {
    // Without a risk the conversion keeps the order. Bounds that fail to be converted are null: not known.
    let convert = |array: ArrayRef| {
        let count = array.len();
        binding.values(field, &|_| Some(array.clone()), count, 0, &mut Vec::new())
    };
    Ok(Bounds { least: convert(least)?, most: convert(most)?, nulls, rows })
}

/// Statistics of a column without parts.
struct Statistics<'a> {
    converter: StatisticsConverter<'a>,
    groups: &'a [RowGroupMetaData],
    /// False where a row group has them in the old form, whose order was not that of the type.
    ordered: Vec<bool>,
}

impl<'a> Statistics<'a> {
    fn new(metadata: &'a ArrowReaderMetadata, column: usize) -> Result<Option<Statistics<'a>>> {
        let field = metadata.schema().field(column);
        if field.data_type().is_nested() || metadata.schema().index_of(field.name()).ok() != Some(column) {
            return Ok(None);
        }
        let schema = metadata.parquet_schema();
        let converter = StatisticsConverter::try_new(field.name(), metadata.schema(), schema)?;
        let Some(leaf) = converter.parquet_column_index() else { return Ok(None) };
        if schema.column(leaf).physical_type() == PhysicalType::INT96 {
            return Ok(None);
        }
        let groups = metadata.metadata().row_groups();
        let ordered = groups
            .iter()
            .map(|group| group.column(leaf).statistics().is_some_and(|statistics| !statistics.is_min_max_deprecated()));
        let converter = converter.with_missing_null_counts_as_zero(false);
        Ok(Some(Statistics { converter, groups, ordered: ordered.collect() }))
    }

    fn least(&self) -> Result<ArrayRef> {
        self.known(self.converter.row_group_mins(self.groups)?)
    }

    fn most(&self) -> Result<ArrayRef> {
        self.known(self.converter.row_group_maxes(self.groups)?)
    }

    fn nulls(&self) -> Result<UInt64Array> {
        self.converter.row_group_null_counts(self.groups)
    }

    fn known(&self, values: ArrayRef) -> Result<ArrayRef> {
        if self.ordered.iter().all(|ordered| *ordered) {
            return Ok(values);
        }
        let unknown = new_null_array(values.data_type(), 1);
        let known = BooleanArray::from(self.ordered.clone());
        Ok(arrow_select::zip::zip(&known, &values, &Scalar::new(unknown))?)
    }
}

/// The rows of a row group that its pages' index leaves, if there is one and it says something.
pub fn pages(metadata: &ArrowReaderMetadata, binding: &Binding, unit: &Unit) -> Result<Option<RowSelection>> {
    let file = metadata.metadata();
    let (Some(columns), Some(offsets)) = (file.column_index(), file.offset_index()) else { return Ok(None) };
    let mut selection: Option<RowSelection> = None;
    for condition in unit.conditions.iter().map(|condition| &binding.wanted.conditions[*condition]) {
        let Origin::Column { column, risk, .. } = &binding.origins[condition.field] else { continue };
        let default = binding.wanted.fields[condition.field].default.is_some();
        let Some(statistics) = Statistics::new(metadata, *column)?.filter(|_| *risk != Risk::Unknown && !default)
        else {
            continue;
        };
        let (converter, group) = (&statistics.converter, [unit.group]);
        let Some(counts) = converter.data_page_row_counts(offsets, file.row_groups(), &group)? else { continue };
        if counts.null_count() > 0 {
            continue;
        }
        let bounds = bounds(
            binding,
            condition.field,
            converter.data_page_mins(columns, offsets, &group)?,
            converter.data_page_maxes(columns, offsets, &group)?,
            converter.data_page_null_counts(columns, offsets, &group)?,
            counts.values().to_vec(),
        )?;
        let verdicts = bounds.judge(&condition.check)?;
        if !verdicts.contains(&Verdict::Never) {
            continue;
        }
        let selectors = verdicts.iter().zip(counts.values()).map(|(verdict, rows)| {
            let rows = usize::try_from(*rows).unwrap_or(usize::MAX);
            if *verdict == Verdict::Never { RowSelector::skip(rows) } else { RowSelector::select(rows) }
        });
        let own: RowSelection = selectors.collect::<Vec<_>>().into();
        selection = Some(match selection {
            Some(selection) => selection.intersection(&own),
            None => own,
        });
    }
    Ok(selection)
}

/// False if a bloom filter says that the row group has none of the values that a condition asks for.
fn may_contain(bytes: &FileBytes, metadata: &ArrowReaderMetadata, binding: &Binding, unit: &Unit) -> Result<bool> {
    for condition in unit.conditions.iter().map(|condition| &binding.wanted.conditions[*condition]) {
        let values = match &condition.check {
            Check::Is(Comparison::Equal, value) => std::slice::from_ref(value),
            Check::In(values) => values,
            _ => continue,
        };
        let Origin::Column { column, risk, .. } = &binding.origins[condition.field] else { continue };
        let default = binding.wanted.fields[condition.field].default.is_some();
        let own = metadata.schema().field(*column).data_type();
        let schema = metadata.parquet_schema();
        let leaf = (0..schema.num_columns()).find(|leaf| schema.get_column_root_idx(*leaf) == *column);
        let Some(leaf) = leaf.filter(|_| *risk != Risk::Unknown && !default && !own.is_nested()) else { continue };
        if metadata.metadata().row_group(unit.group).column(leaf).bloom_filter_offset().is_none() {
            continue;
        }
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata.clone());
        let Some(filter) = builder.get_row_group_column_bloom_filter(unit.group, leaf)? else { continue };
        let physical = schema.column(leaf).physical_type();
        if !values.iter().any(|value| may_hold(&filter, value, own, physical)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// False if a value is surely not in the filter. Only values whose bytes in the file are known are looked up.
fn may_hold(filter: &Sbbf, value: &ArrayRef, own: &DataType, physical: PhysicalType) -> bool {
    let own = if let DataType::Dictionary(_, values) = own { values } else { own };
    match (value.data_type(), physical) {
        (DataType::Int64, PhysicalType::INT64) if own.is_signed_integer() => {
            filter.check(&value.as_primitive::<Int64Type>().value(0))
        }
        (DataType::Int64, PhysicalType::INT32) if own.is_signed_integer() => {
            i32::try_from(value.as_primitive::<Int64Type>().value(0)).is_ok_and(|value| filter.check(&value))
        }
        (DataType::Utf8, PhysicalType::BYTE_ARRAY) if own.is_string() => {
            filter.check(value.as_bytes::<Utf8Type>().value(0))
        }
        (DataType::Binary, PhysicalType::BYTE_ARRAY) if own.is_binary() => {
            filter.check(value.as_bytes::<BinaryType>().value(0))
        }
        _ => true,
    }
}
