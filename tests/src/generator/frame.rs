//! A generated program as DataFusion data frames: the second, independent reading.

mod windows;

use arrow_array::{ArrayRef, RecordBatch, new_empty_array};
use arrow_schema::DataType;
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::functions::expr_fn::{concat, isnan};
use datafusion::functions_aggregate::expr_fn::{avg, bool_or, count, max, min, sum};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, JoinType, Operator, SortExpr, binary_expr, cast, col, lit, not, when,
};

use crate::oracle::Oracle;

use super::change::data_type;
use super::grouping::{self, Seen};
use super::tide::{errors_name, failing_step};
use super::{
    Aggregate, AggregateFunction, Arithmetic, Column, Comparison, Expression, JoinKind, Kind, LIBRARY, Order, Program,
    Step,
};

/// The tables that the program shows, by name, over the given contents of its inputs.
///
/// # Errors
/// Where DataFusion refuses a plan or fails: a fault of this module.
pub fn program(oracle: &Oracle, program: &Program, inputs: &[RecordBatch]) -> Result<Vec<(String, DataFrame)>> {
    let mut tables = Vec::new();
    for batch in inputs {
        tables.push(oracle.context().read_batch(batch.clone())?);
    }
    let mut shown = Vec::new();
    for definition in &program.definitions {
        let mut frame = tables[definition.head].clone();
        let failing = failing_step(definition);
        let mut failed = None;
        for (i, (step, after)) in definition.steps.iter().enumerate() {
            if let (true, Step::Divide(_, above, below)) = (failing == Some(i), step) {
                failed = Some((errors_name(definition), frame.clone().filter(fails(above, below))?));
            }
            let before = program.columns_before(definition, i);
            let result = apply(oracle, frame, &tables, before, step)?;
            frame = oracle.computed(result.select(after.iter().map(|column| col(&column.name)))?)?;
        }
        tables.push(frame.clone());
        shown.push((definition.name.clone(), frame));
        shown.extend(failed);
    }
    Ok(shown)
}

/// True where the division fails: a null on either side gives null instead.
fn fails(above: &Expression, below: &Expression) -> Expr {
    expr(below).eq(lit(0_i64)).and(expr(above).is_not_null())
}

fn apply(oracle: &Oracle, frame: DataFrame, tables: &[DataFrame], before: &[Column], step: &Step) -> Result<DataFrame> {
    match step {
        Step::Where(condition) => frame.filter(expr(condition)),
        Step::Select(items) => frame.select(items.iter().map(|(column, value)| expr(value).alias(&column.name))),
        Step::Derive(items) => {
            let replaced = |name: &str| items.iter().find(|(column, _)| column.name == name);
            let kept = before.iter().map(|column| match replaced(&column.name) {
                Some((_, value)) => expr(value).alias(&column.name),
                None => col(&column.name),
            });
            let is_new = |name: &str| before.iter().all(|column| column.name != name);
            let new = items.iter().filter(|(column, _)| is_new(&column.name));
            frame.select(kept.chain(new.map(|(column, value)| expr(value).alias(&column.name))).collect::<Vec<_>>())
        }
        Step::Divide(column, above, below) => {
            let works = not(fails(above, below)).is_not_false();
            let divisor = when(expr(below).eq(lit(0_i64)), lit(ScalarValue::Int64(None))).otherwise(expr(below))?;
            let all = before.iter().map(|column| col(&column.name)).collect::<Vec<_>>();
            let quotient = binary_expr(expr(above), Operator::Divide, divisor).alias(&column.name);
            frame.filter(works)?.select(all.into_iter().chain([quotient]).collect::<Vec<_>>())
        }
        Step::Flatten(column, condition, elements) => {
            let chosen = match condition {
                Some(condition) => frame.filter(expr(condition))?,
                None => frame,
            };
            let mut all: Option<DataFrame> = None;
            for element in elements {
                let columns = before.iter().map(|column| col(&column.name));
                let one = columns.chain([expr(element).alias(&column.name)]).collect::<Vec<_>>();
                let one = chosen.clone().select(one)?;
                all = Some(match all {
                    Some(all) => all.union(one)?,
                    None => one,
                });
            }
            all.map_or_else(|| unreachable!("a list has an element"), Ok)
        }
        Step::Dedupe(keys, last, of) => {
            // A row without a value is kept only where there is no other; `last` goes by all columns backwards.
            let mut order: Vec<SortExpr> = of.iter().map(|of| col(of).sort(!last, false)).collect();
            let rest = before.iter().filter(|column| of.as_ref() != Some(&column.name) && !keys.contains(&column.name));
            order.extend(rest.map(|column| col(&column.name).sort(!last, *last)));
            if order.is_empty() {
                // DataFusion wants an order where there is nothing left to order.
                order.extend(keys.iter().map(|key| col(key).sort(true, false)));
            }
            let number = row_number().partition_by(keys.iter().map(col).collect()).order_by(order).build()?;
            frame.window(vec![number.alias("place")])?.filter(col("place").eq(lit(1_u64)))
        }
        Step::DedupeWhen(key) => apply(oracle, frame, tables, before, &Step::Dedupe(vec![key.clone()], true, None)),
        Step::Changes(_) => Ok(frame),
        Step::Update(patch, key, table, items) => update(oracle, frame, tables, before, (*patch, key, *table, items)),
        Step::Windows(_, list) => windows::derive(oracle, frame, before, list),
        Step::WindowWhere(window, most) => {
            let told = windows::derive(oracle, frame, before, std::slice::from_ref(window.as_ref()))?;
            told.filter(col(&window.column.name).lt_eq(lit(*most)))
        }
        Step::Rename(renamed) => {
            let named = before.iter().map(|column| match renamed.iter().find(|(_, old)| *old == column.name) {
                Some((new, old)) => col(old).alias(&new.name),
                None => col(&column.name),
            });
            frame.select(named.collect::<Vec<_>>())
        }
        // The columns that are left are selected after every step.
        Step::Drop(_) => Ok(frame),
        Step::Join { kind, table, renamed, keys, residual } => {
            let other = rename(&tables[*table], renamed)?;
            let equal = keys.iter().map(|(ours, theirs)| expr(ours).eq(expr(theirs)));
            let kind = match kind {
                JoinKind::Inner | JoinKind::Cross => JoinType::Inner,
                JoinKind::Left => JoinType::Left,
                JoinKind::Semi => JoinType::LeftSemi,
                JoinKind::Anti => JoinType::LeftAnti,
                JoinKind::Right => JoinType::Right,
                JoinKind::Full => JoinType::Full,
            };
            frame.join_on(other, kind, equal.chain(residual.iter().map(expr)).collect::<Vec<_>>())
        }
        Step::JoinUsing { left, table, key, other_key, renamed } => {
            let their_key = Column { name: format!("{}_theirs", key.name), kind: key.kind };
            let mut columns = renamed.clone();
            columns.push((their_key.clone(), other_key.clone()));
            let other = rename(&tables[*table], &columns)?;
            let kind = if *left { JoinType::Left } else { JoinType::Inner };
            frame.join_on(other, kind, [col(&key.name).eq(col(&their_key.name))])
        }
        Step::Summarize(keys, aggregates) if aggregates.iter().any(|one| !one.is_plain()) => {
            by_hand(oracle, frame, keys, aggregates)
        }
        Step::Summarize(keys, aggregates) => {
            let by = keys.iter().map(|(column, value)| expr(value).alias(&column.name)).collect::<Vec<_>>();
            let names: Vec<Expr> = keys.iter().map(|(column, _)| col(&column.name)).collect();
            let (mut raw, mut results) = (Vec::new(), names);
            for one in aggregates {
                results.push(aggregate(one, &mut raw)?.alias(&one.column.name));
            }
            frame.aggregate(by, raw)?.select(results)
        }
        Step::Union(table, items) => frame.union(projected(&tables[*table], before, items)?),
        Step::Subset(except, table, items) => {
            let theirs = |column: &Column| format!("{}_theirs", column.name);
            let renamed = before.iter().map(|column| col(&column.name).alias(theirs(column))).collect::<Vec<_>>();
            let other = projected(&tables[*table], before, items)?.select(renamed)?;
            let same = before
                .iter()
                .map(|column| binary_expr(col(&column.name), Operator::IsNotDistinctFrom, col(theirs(column))));
            let once = frame.aggregate(before.iter().map(|column| col(&column.name)).collect(), Vec::new())?;
            let kind = if *except { JoinType::LeftAnti } else { JoinType::LeftSemi };
            once.join_on(other, kind, same.collect::<Vec<_>>())
        }
        Step::Distinct => frame.aggregate(before.iter().map(|column| col(&column.name)).collect(), Vec::new()),
        // DataFusion panics on a limit of zero.
        Step::Limit(_, 0) => frame.filter(lit(false)),
        Step::Limit(order, limit) => {
            let keys = whole_order(before, order);
            frame.sort(keys)?.limit(0, Some(*limit))
        }
        Step::Top(count, order, per) => {
            let number = row_number()
                .partition_by(per.iter().map(col).collect())
                .order_by(whole_order(before, order))
                .build()?
                .alias("place");
            frame.window(vec![number])?.filter(col("place").lt_eq(lit(*count as u64)))
        }
        Step::Key(names) => {
            let key = |name: &String| format!("{name}_key");
            let counts = frame
                .clone()
                .aggregate(
                    names.iter().map(|name| col(name).alias(key(name))).collect(),
                    vec![count(lit(1_i64)).alias("key_rows")],
                )?
                .filter(col("key_rows").eq(lit(1_i64)))?;
            let same = names.iter().map(|name| binary_expr(col(name), Operator::IsNotDistinctFrom, col(key(name))));
            frame.join_on(counts, JoinType::LeftSemi, same.collect::<Vec<_>>())
        }
    }
}

/// `update` and `patch`, both sides cut down to keys that stand once.
fn update(
    oracle: &Oracle,
    frame: DataFrame,
    tables: &[DataFrame],
    before: &[Column],
    (patch, key, table, items): (bool, &String, usize, &[(Column, Expression)]),
) -> Result<DataFrame> {
    let theirs = |name: &str| format!("{name}_theirs");
    let base = apply(oracle, frame, tables, before, &Step::Key(vec![key.clone()]))?;
    let values = items.iter().map(|(column, value)| expr(value).alias(theirs(&column.name)));
    let other = tables[table].clone().select(values.collect::<Vec<_>>())?;
    let other = apply(oracle, other, tables, &[], &Step::Key(vec![theirs(key)]))?;
    let same = binary_expr(col(key), Operator::IsNotDistinctFrom, col(theirs(key)));
    let is_given = |name: &str| items.iter().any(|(column, _)| column.name == name);
    let found = other.clone().with_column("found", lit(true))?;
    let merged = before.iter().map(|Column { name, .. }| match (is_given(name), patch) {
        (true, true) => either(col(theirs(name)), col(name)).alias(name),
        (true, false) => choose(col("found").is_not_null(), col(theirs(name)), col(name)).alias(name),
        (false, _) => col(name),
    });
    let rows = base.clone().join_on(found, JoinType::Left, [same.clone()])?.select(merged.collect::<Vec<_>>())?;
    if patch {
        return Ok(rows);
    }
    let new = before.iter().map(|Column { name, kind }| match is_given(name) {
        true => col(theirs(name)).alias(name),
        false => cast(lit(ScalarValue::Null), data_type(*kind)).alias(name),
    });
    let new = other.join_on(base, JoinType::LeftAnti, [same])?.select(new.collect::<Vec<_>>())?;
    rows.union(new)
}

/// The other table's rows in our columns and our order: this reading has no need to match by name.
fn projected(table: &DataFrame, before: &[Column], items: &[(Column, Expression)]) -> Result<DataFrame> {
    let value = |column: &Column| {
        let found = items.iter().find(|(other, _)| other.name == column.name);
        found.map(|(_, value)| expr(value).alias(&column.name))
    };
    table.clone().select(before.iter().filter_map(value).collect::<Vec<_>>())
}

/// The given order and then all other columns; nulls are largest.
fn whole_order(before: &[Column], order: &Order) -> Vec<SortExpr> {
    let mut keys: Vec<SortExpr> = order.iter().map(|(key, down)| expr(key).sort(!*down, *down)).collect();
    let is_key = |column: &Column| {
        order.iter().any(|(key, _)| matches!(key, Expression::Column(name, _) if *name == column.name))
    };
    let rest = before.iter().filter(|column| !is_key(column));
    keys.extend(rest.map(|column| col(&column.name).sort(true, false)));
    keys
}

fn rename(table: &DataFrame, renamed: &[(Column, String)]) -> Result<DataFrame> {
    table.clone().select(renamed.iter().map(|(new, old)| col(old).alias(&new.name)).collect::<Vec<_>>())
}

/// The aggregate over columns that are added to `raw`.
fn aggregate(aggregate: &Aggregate, raw: &mut Vec<Expr>) -> Result<Expr> {
    let argument = expr(&aggregate.argument);
    let is_float = aggregate.argument.kind() == Kind::Float;
    let mut add = |call: Expr| {
        let call = match &aggregate.filter {
            Some(filter) => call.filter(expr(filter)).build()?,
            None => call,
        };
        let name = format!("raw{}", raw.len());
        raw.push(call.alias(&name));
        Ok(col(name))
    };
    let nan_or = |otherwise: Expr, any: Expr| choose(any, lit(f64::NAN), otherwise);
    let numbers = when(not(isnan(argument.clone())), argument.clone()).end();
    match aggregate.function {
        AggregateFunction::CountRows => add(count(lit(1_i64))),
        AggregateFunction::Count => add(count(argument)),
        AggregateFunction::Sum => add(sum(argument)),
        AggregateFunction::Average => add(avg(cast(argument, DataType::Float64))),
        // DataFusion's least and largest of NaN depend on the order of rows: NaN is put in its place by hand.
        AggregateFunction::Least if is_float => {
            let (least, any) = (add(min(numbers?))?, add(bool_or(isnan(argument)))?);
            Ok(either(least, nan_or(lit(ScalarValue::Float64(None)), any)))
        }
        AggregateFunction::Most if is_float => {
            let (most, any) = (add(max(numbers?))?, add(bool_or(isnan(argument)))?);
            Ok(nan_or(most, any))
        }
        AggregateFunction::Least => add(min(argument)),
        AggregateFunction::Most => add(max(argument)),
        other => unreachable!("{other:?} is computed by hand"),
    }
}

/// Groups and aggregates row by row; DataFusion only evaluates what the rows are asked for.
fn by_hand(
    oracle: &Oracle,
    frame: DataFrame,
    keys: &[(Column, Expression)],
    aggregates: &[Aggregate],
) -> Result<DataFrame> {
    let mut asked: Vec<Expr> = keys.iter().map(|(_, value)| expr(value)).collect();
    for one in aggregates {
        asked.push(expr(&one.argument));
        asked.push(one.filter.as_ref().map_or(lit(true), expr));
        asked.extend(one.order.iter().map(|(key, _)| expr(key)));
    }
    let named = asked.into_iter().enumerate().map(|(i, asked)| asked.alias(format!("asked{i}")));
    let mut groups: Vec<(Vec<ScalarValue>, Vec<Vec<ScalarValue>>)> = Vec::new();
    if keys.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    for batch in oracle.batches(frame.select(named.collect::<Vec<_>>())?)? {
        for i in 0..batch.num_rows() {
            let mut row = batch.columns().iter().map(|column| plain_value(column, i)).collect::<Result<Vec<_>>>()?;
            let rest = row.split_off(keys.len());
            let same = |known: &[ScalarValue]| known.iter().zip(&row).all(|(a, b)| grouping::compare(a, b).is_eq());
            match groups.iter_mut().find(|(known, _)| same(known)) {
                Some((_, rows)) => rows.push(rest),
                None => groups.push((row, vec![rest])),
            }
        }
    }
    let columns: Vec<&Column> = keys.iter().map(|(c, _)| c).chain(aggregates.iter().map(|one| &one.column)).collect();
    let mut cells: Vec<Vec<ScalarValue>> = vec![Vec::new(); columns.len()];
    for (key, rows) in groups {
        let results = aggregates_of(aggregates, &rows)?;
        cells.iter_mut().zip(key.into_iter().chain(results)).for_each(|(cells, cell)| cells.push(cell));
    }
    frame_of(oracle, &columns, cells)
}

/// A value, texts in the one form that we have.
fn plain_value(column: &ArrayRef, row: usize) -> Result<ScalarValue> {
    match ScalarValue::try_from_array(column, row)? {
        ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => Ok(ScalarValue::Utf8(text)),
        value => Ok(value),
    }
}

/// A frame of these columns.
fn frame_of(oracle: &Oracle, columns: &[&Column], cells: Vec<Vec<ScalarValue>>) -> Result<DataFrame> {
    let mut arrays = Vec::with_capacity(columns.len());
    for (column, cells) in columns.iter().zip(cells) {
        let ty = data_type(column.kind);
        let array = if cells.is_empty() { new_empty_array(&ty) } else { ScalarValue::iter_to_array(cells)? };
        arrays.push((column.name.as_str(), array, true));
    }
    oracle.context().read_batch(RecordBatch::try_from_iter_with_nullable(arrays)?)
}

/// The values of the aggregates over a group, of whose rows each has what all aggregates ask for, one after the other.
fn aggregates_of(aggregates: &[Aggregate], rows: &[Vec<ScalarValue>]) -> Result<Vec<ScalarValue>> {
    let mut place = 0;
    let mut results = Vec::with_capacity(aggregates.len());
    for one in aggregates {
        let order: Vec<bool> = one.order.iter().map(|(_, descending)| *descending).collect();
        let (argument, filter, first_key) = (place, place + 1, place + 2);
        place = first_key + order.len();
        let passes = rows.iter().filter(|row| row[filter] == ScalarValue::Boolean(Some(true)));
        let seen = passes.map(|row| Seen { argument: row[argument].clone(), keys: row[first_key..place].to_vec() });
        let null = ScalarValue::try_from(&data_type(one.column.kind))?;
        results.push(grouping::result(one.function, &seen.collect::<Vec<_>>(), &order, null));
    }
    Ok(results)
}

/// Adding zero turns -0.0 into 0.0 and changes nothing else.
fn unsigned_zero(value: Expr) -> Expr {
    binary_expr(value, Operator::Plus, lit(0.0_f64))
}

/// The first one, or the second where it is null. (DataFusion's `coalesce` needs a rewriting rule.)
fn either(first: Expr, second: Expr) -> Expr {
    choose(first.clone().is_not_null(), first, second)
}

fn choose(condition: Expr, value: Expr, otherwise: Expr) -> Expr {
    match when(condition, value).otherwise(otherwise) {
        Ok(case) => case,
        Err(error) => unreachable!("both branches have one type: {error}"),
    }
}

fn float(expression: &Expression) -> Expr {
    if expression.kind() == Kind::Float { expr(expression) } else { cast(expr(expression), DataType::Float64) }
}

fn expr(expression: &Expression) -> Expr {
    match expression {
        Expression::Column(name, _) => col(name),
        Expression::Int(value) => lit(*value),
        Expression::Float(value) => lit(*value),
        Expression::Text(value) => lit(*value),
        Expression::Bool(value) => lit(*value),
        Expression::NoDecimal => lit(ScalarValue::Decimal128(None, 6, 2)),
        Expression::NoMean => lit(ScalarValue::Float64(None)),
        Expression::Duration(micros) => lit(ScalarValue::DurationMicrosecond(Some(*micros))),
        Expression::Arithmetic(operator, left, right) => {
            let operator = match operator {
                Arithmetic::Add => Operator::Plus,
                Arithmetic::Subtract => Operator::Minus,
                Arithmetic::Multiply => Operator::Multiply,
                Arithmetic::Divide => Operator::Divide,
                Arithmetic::Remainder => Operator::Modulo,
            };
            match expression.kind() {
                Kind::Float => unsigned_zero(binary_expr(float(left), operator, float(right))),
                _ => binary_expr(expr(left), operator, expr(right)),
            }
        }
        Expression::Negate(inner) if inner.kind() == Kind::Float => {
            unsigned_zero(binary_expr(lit(0.0_f64), Operator::Minus, expr(inner)))
        }
        Expression::Negate(inner) => binary_expr(lit(0_i64), Operator::Minus, expr(inner)),
        Expression::ToFloat(inner) => cast(expr(inner), DataType::Float64),
        Expression::Concatenate(left, right) => binary_expr(expr(left), Operator::StringConcat, expr(right)),
        Expression::Format(left, right) => {
            let part = |value: &Expression| either(cast(expr(value), DataType::Utf8), lit(""));
            concat(vec![part(left), lit("-"), part(right)])
        }
        Expression::Compare(comparison, left, right) => {
            let operator = match comparison {
                Comparison::Equal => Operator::Eq,
                Comparison::Unequal => Operator::NotEq,
                Comparison::Less => Operator::Lt,
                Comparison::AtMost => Operator::LtEq,
                Comparison::Greater => Operator::Gt,
                Comparison::AtLeast => Operator::GtEq,
            };
            binary_expr(expr(left), operator, expr(right))
        }
        Expression::And(left, right) => expr(left).and(expr(right)),
        Expression::Or(left, right) => expr(left).or(expr(right)),
        Expression::Not(inner) => not(expr(inner)),
        Expression::IsNull(inner) => expr(inner).is_null(),
        Expression::In(inner, choices) => expr(inner).in_list(choices.iter().map(expr).collect(), false),
        Expression::Coalesce(left, right) => either(expr(left), expr(right)),
        Expression::Attempt(above, below, otherwise) => {
            let divisor = choose(expr(below).eq(lit(0_i64)), lit(ScalarValue::Int64(None)), expr(below));
            choose(fails(above, below), expr(otherwise), binary_expr(expr(above), Operator::Divide, divisor))
        }
        Expression::Element(elements, place) => {
            let element = usize::try_from(*place).ok().and_then(|place| elements.get(place));
            element.map_or_else(|| cast(lit(ScalarValue::Null), data_type(expression.kind())), expr)
        }
        Expression::Part(value, _) => expr(value),
        Expression::Call(place, arguments) => (LIBRARY[*place].oracle)(arguments.iter().map(expr).collect()),
        Expression::Case(condition, value, otherwise) => {
            let otherwise = match otherwise {
                Some(value) => expr(value),
                None => lit(ScalarValue::Null),
            };
            choose(expr(condition), expr(value), otherwise)
        }
    }
}
