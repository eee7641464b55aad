//! A generated program as Tide text.

use std::fmt::Write;

use super::{
    Aggregate, AggregateFunction, Arithmetic, Column, Comparison, Definition, Expression, Input, JoinKind, Kind,
    LIBRARY, Order, Program, Step, Window, WindowFrame, WindowFunction,
};

/// Name of the table of a definition's errors, shown where the definition has exactly one step that can fail.
pub fn errors_name(definition: &Definition) -> String {
    format!("{}_failed", definition.name)
}

/// The step of a definition that can fail, if exactly one can and what fails there is all that its errors hold.
pub fn failing_step(definition: &Definition) -> Option<usize> {
    let mut fallible = definition
        .steps
        .iter()
        .enumerate()
        .filter(|(_, (step, _))| matches!(step, Step::Divide(..) | Step::Key(_) | Step::Update(..)))
        .map(|(i, _)| i);
    let first = fallible.next()?;
    (fallible.next().is_none() && matches!(definition.steps[first].0, Step::Divide(..))).then_some(first)
}

/// The program as text. Inputs are read from the connector `test.feed`; every definition is shown, and so are the
/// errors of those that have one failing step.
pub fn program(program: &Program) -> String {
    let mut out = String::new();
    for input in &program.inputs {
        let _ = writeln!(out, "{}", read(input));
    }
    for definition in &program.definitions {
        let (head, _) = program.table(definition.head);
        let mut line = format!("{} = {head}", definition.name);
        for (place, (step, _)) in definition.steps.iter().enumerate() {
            let before = program.columns_before(definition, place);
            let _ = write!(line, "\n  | {}", step_text(program, step, before));
        }
        let _ = writeln!(out, "{line}");
        if let Some(failing) = failing_step(definition) {
            let columns: Vec<&str> =
                program.columns_before(definition, failing).iter().map(|c| c.name.as_str()).collect();
            let (errors, name) = (errors_name(definition), &definition.name);
            let _ = writeln!(out, "{errors} = {name}.errors | select {}", columns.join(", "));
        }
    }
    out + &shown(program)
}

/// The names of all tables that the program shows, one a line.
pub fn shown(program: &Program) -> String {
    let mut out = String::new();
    for definition in &program.definitions {
        let _ = writeln!(out, "{}", definition.name);
        if failing_step(definition).is_some() {
            let _ = writeln!(out, "{}", errors_name(definition));
        }
    }
    out
}

fn read(input: &Input) -> String {
    let fields: Vec<String> = input
        .columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let ending = if i == 0 && input.keyed { " key" } else { "?" };
            format!("{}: {}{ending}", column.name, column.kind.name())
        })
        .collect();
    format!("{0} = read test.feed(\"{0}\") {{ {1} }}", input.name, fields.join(", "))
}

fn items<'a>(list: impl IntoIterator<Item = (&'a str, &'a Expression)>) -> String {
    let list: Vec<String> = list.into_iter().map(|(name, value)| format!("{name}: {}", text(value))).collect();
    list.join(", ")
}

/// `(table | select new: old, …) as name`
fn operand<'a>(program: &Program, table: usize, columns: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let (name, _) = program.table(table);
    let list: Vec<String> = columns.into_iter().map(|(new, old)| format!("{new}: {old}")).collect();
    format!("({name} | select {})", list.join(", "))
}

/// A name for the other table that no other join of the program has.
fn alias(renamed: &[(Column, String)]) -> String {
    renamed.first().map_or("other".to_string(), |(column, _)| format!("with_{}", column.name))
}

fn step_text(program: &Program, step: &Step, before: &[Column]) -> String {
    match step {
        Step::Where(condition) => format!("where {}", text(condition)),
        Step::Select(list) => format!("select {}", items(list.iter().map(|(c, e)| (c.name.as_str(), e)))),
        Step::Derive(list) => format!("derive {}", items(list.iter().map(|(c, e)| (c.name.as_str(), e)))),
        Step::Divide(column, above, below) => format!("derive {}: {} / {}", column.name, text(above), text(below)),
        Step::Join { kind, table, renamed, keys, residual } => {
            let word = match kind {
                JoinKind::Inner => "join",
                JoinKind::Left => "left join",
                JoinKind::Semi => "semi join",
                JoinKind::Anti => "anti join",
                JoinKind::Right => "right join",
                JoinKind::Full => "full join",
                JoinKind::Cross => "cross join",
            };
            let other = operand(program, *table, renamed.iter().map(|(new, old)| (new.name.as_str(), old.as_str())));
            if *kind == JoinKind::Cross {
                return format!("{word} {other} as {}", alias(renamed));
            }
            let mut conditions: Vec<String> =
                keys.iter().map(|(ours, theirs)| format!("{} == {}", text(ours), text(theirs))).collect();
            conditions.extend(residual.iter().map(text));
            format!("{word} {other} as {} on {}", alias(renamed), conditions.join(" and "))
        }
        Step::JoinUsing { left, table, key, other_key, renamed } => {
            let columns = renamed.iter().map(|(new, old)| (new.name.as_str(), old.as_str()));
            let other = operand(program, *table, columns.chain([(key.name.as_str(), other_key.as_str())]));
            let word = if *left { "left join" } else { "join" };
            format!("{word} {other} as {} using ({})", alias(renamed), key.name)
        }
        Step::Summarize(keys, aggregates) => {
            let list: Vec<String> = aggregates.iter().map(aggregate).collect();
            if keys.is_empty() {
                format!("summarize {}", list.join(", "))
            } else {
                let by: Vec<String> = keys
                    .iter()
                    .map(|(column, value)| match value {
                        Expression::Column(name, _) if *name == column.name => name.clone(),
                        value => format!("{}: {}", column.name, text(value)),
                    })
                    .collect();
                format!("summarize {} by {}", list.join(", "), by.join(", "))
            }
        }
        Step::Union(table, list) => format!("union {}", projected(program, *table, list)),
        Step::Subset(true, table, list) => format!("except {}", projected(program, *table, list)),
        Step::Subset(false, table, list) => format!("intersect {}", projected(program, *table, list)),
        Step::Distinct => "distinct".to_string(),
        Step::DedupeWhen(key) => format!("dedupe by {key} when {}", larger(before, key)),
        Step::Changes(count) => {
            let names: Vec<&str> = before.iter().map(|column| column.name.as_str()).collect();
            let names = names.join(", ");
            format!(
                "changes | summarize {count}: sum(_diff) by {names} | where {count} != 0 \
                 | flatten {count}: range(0, {count}) | drop {count}"
            )
        }
        Step::Limit(order, limit) if order.is_empty() => format!("limit {limit}"),
        Step::Limit(order, limit) => format!("sort {} | limit {limit}", order_text(order)),
        Step::Top(count, order, per) if per.is_empty() => format!("top {count} by {}", order_text(order)),
        Step::Top(count, order, per) => format!("top {count} by {} per {}", order_text(order), per.join(", ")),
        Step::Key(columns) => format!("key by {}", columns.join(", ")),
        Step::Flatten(column, condition, elements) => {
            let list: Vec<String> = elements.iter().map(text).collect();
            let list = format!("[{}]", list.join(", "));
            let list = match condition {
                Some(condition) => format!("case {{ {} => {list} }}", text(condition)),
                None => list,
            };
            format!("derive {0}: {list} | flatten {0}", column.name)
        }
        Step::Dedupe(keys, last, of) => {
            let end = if *last { "last" } else { "first" };
            let of = of.as_ref().map_or(String::new(), |of| format!(" of {of}"));
            format!("dedupe by {} keep {end}{of}", keys.join(", "))
        }
        Step::Update(patch, key, table, list) => {
            let word = if *patch { "patch" } else { "update" };
            let (name, _) = program.table(*table);
            let list = items(list.iter().map(|(c, e)| (c.name.as_str(), e)));
            format!("key by {key} | {word} ({name} | select {list} | key by {key})")
        }
        Step::Windows(true, windows) => {
            let list: Vec<String> = windows.iter().map(|one| format!("{}: {}", one.column.name, window(one))).collect();
            format!("derive {}", list.join(", "))
        }
        Step::Windows(false, windows) => {
            let list: Vec<String> = windows.iter().map(|one| format!("{}: {}", one.column.name, window(one))).collect();
            format!("select *, {}", list.join(", "))
        }
        Step::WindowWhere(one, most) => format!("where {} <= {most}", window(one)),
        Step::Rename(renamed) => {
            let list: Vec<String> = renamed.iter().map(|(new, old)| format!("{}: {old}", new.name)).collect();
            format!("rename {}", list.join(", "))
        }
        Step::Drop(names) => format!("drop {}", names.join(", ")),
    }
}

/// `(table | select name: expression, …)`
fn projected(program: &Program, table: usize, list: &[(Column, Expression)]) -> String {
    let (name, _) = program.table(table);
    format!("({name} | select {})", items(list.iter().map(|(c, e)| (c.name.as_str(), e))))
}

fn order_text(order: &Order) -> String {
    let list: Vec<String> =
        order.iter().map(|(key, down)| format!("{}{}", text(key), if *down { " desc" } else { "" })).collect();
    list.join(", ")
}

/// True of a row that is larger than the previous one of its key: by the other columns one after the other, where null is
/// larger than every value.
fn larger(before: &[Column], key: &str) -> String {
    let others: Vec<&Column> = before.iter().filter(|column| column.name != key).collect();
    others.iter().rev().fold("false".to_string(), |rest, Column { name, .. }| {
        let more = format!(
            "case {{ previous.{name} is null => false, {name} is null => true, else => {name} > previous.{name} }}"
        );
        let same = format!("(({name} == previous.{name}) ?? ({name} is null and previous.{name} is null))");
        format!("({more} or ({same} and {rest}))")
    })
}

/// A window function in parentheses.
fn window(window: &Window) -> String {
    let shifted = |name: &str, value: &Expression, far: usize, default: &Option<Expression>| match default {
        Some(default) => format!("{name}({}, {far}, {})", text(value), text(default)),
        None if far == 1 => format!("{name}({})", text(value)),
        None => format!("{name}({}, {far})", text(value)),
    };
    let (call, after) = match &window.function {
        WindowFunction::RowNumber => ("row_number()".to_string(), String::new()),
        WindowFunction::Rank => ("rank()".to_string(), String::new()),
        WindowFunction::DenseRank => ("dense_rank()".to_string(), String::new()),
        WindowFunction::Lag(value, far, default) => (shifted("lag", value, *far, default), String::new()),
        WindowFunction::Lead(value, far, default) => (shifted("lead", value, *far, default), String::new()),
        WindowFunction::FirstRow(value) => (format!("first({})", text(value)), String::new()),
        WindowFunction::LastRow(value) => (format!("last({})", text(value)), String::new()),
        WindowFunction::Aggregate(one) => {
            let (call, after) = aggregate_call(one);
            match &one.filter {
                Some(filter) => (format!("{call} filter (where {})", text(filter)), after),
                None => (call, after),
            }
        }
    };
    let mut over = Vec::new();
    if !window.partition.is_empty() {
        let by: Vec<String> = window.partition.iter().map(text).collect();
        over.push(format!("by {}", by.join(", ")));
    }
    if !window.order.is_empty() {
        let keys = window.order.iter().map(|(key, down)| format!("{}{}", text(key), if *down { " desc" } else { "" }));
        over.push(format!("sort {}", keys.collect::<Vec<_>>().join(", ")));
    }
    match window.frame {
        WindowFrame::Default => {}
        WindowFrame::Rows(count) => over.push(format!("last {count} rows")),
        WindowFrame::Ints(far) => over.push(format!("last {far}")),
        WindowFrame::Floats(far) => over.push(format!("last {far:?}")),
        WindowFrame::Durations(far) => over.push(format!("last {}ms", far / 1_000)),
    }
    format!("({call} over ({})){after}", over.join(" "))
}

fn aggregate(aggregate: &Aggregate) -> String {
    let (call, after) = aggregate_call(aggregate);
    match &aggregate.filter {
        Some(filter) => format!("{}: ({call} filter (where {})){after}", aggregate.column.name, text(filter)),
        None => format!("{}: {call}{after}", aggregate.column.name),
    }
}

/// The call, and what comes after it and its filter.
fn aggregate_call(aggregate: &Aggregate) -> (String, String) {
    let argument = text(&aggregate.argument);
    let keys: Vec<String> = aggregate
        .order
        .iter()
        .map(|(key, down)| format!("{}{}", text(key), if *down { " desc" } else { "" }))
        .collect();
    let keys = keys.join(", ");
    let sort = if keys.is_empty() { String::new() } else { format!(" sort by {keys}") };
    let mut after = String::new();
    let call = match aggregate.function {
        AggregateFunction::CountRows => "count()".to_string(),
        AggregateFunction::Count => format!("count({argument})"),
        AggregateFunction::CountDistinct(name) => format!("{name}({argument})"),
        AggregateFunction::Sum => format!("sum({argument})"),
        AggregateFunction::Average => format!("avg({argument})"),
        AggregateFunction::Variance => format!("variance({argument})"),
        AggregateFunction::Deviation => format!("stddev({argument})"),
        AggregateFunction::Least => format!("min({argument})"),
        AggregateFunction::Most => format!("max({argument})"),
        AggregateFunction::Any => format!("any({argument})"),
        AggregateFunction::All => format!("all({argument})"),
        AggregateFunction::First => format!("first({argument} by {keys})"),
        AggregateFunction::Last => format!("last({argument} by {keys})"),
        AggregateFunction::ArgMin => format!("arg_min({argument}, {keys})"),
        AggregateFunction::ArgMax => format!("arg_max({argument}, {keys})"),
        AggregateFunction::ListElement(place) => {
            after = format!("[{place}]");
            format!("list({argument}{sort})")
        }
        AggregateFunction::SetElement(place) => {
            after = format!("[{place}]");
            format!("set({argument}{sort})")
        }
        AggregateFunction::Join(separator) => format!("join({argument}, \"{separator}\"{sort})"),
        AggregateFunction::Median => format!("median({argument})"),
        AggregateFunction::Quantile(fraction) => format!("quantile({argument}, {fraction:?})"),
    };
    (call, after)
}

/// An expression, in parentheses wherever it is not a single word or call.
fn text(expression: &Expression) -> String {
    match expression {
        Expression::Column(name, _) => name.clone(),
        Expression::Int(value) if *value < 0 => format!("({value})"),
        Expression::Int(value) => value.to_string(),
        Expression::Float(value) if *value < 0.0 => format!("({value:?})"),
        Expression::Float(value) => format!("{value:?}"),
        Expression::Text(value) => format!("\"{value}\""),
        Expression::Bool(value) => value.to_string(),
        Expression::NoDecimal => "decimal(null, 6, 2)".to_string(),
        Expression::NoMean => "float(null)".to_string(),
        Expression::Duration(micros) => format!("{}ms", micros / 1_000),
        Expression::Arithmetic(operator, left, right) => {
            let operator = match operator {
                Arithmetic::Add => "+",
                Arithmetic::Subtract => "-",
                Arithmetic::Multiply => "*",
                Arithmetic::Divide => "/",
                Arithmetic::Remainder => "%",
            };
            format!("({} {operator} {})", text(left), text(right))
        }
        Expression::Negate(inner) => format!("(-({}))", text(inner)),
        Expression::ToFloat(inner) => format!("float({})", text(inner)),
        Expression::Concatenate(left, right) => format!("({} + {})", text(left), text(right)),
        Expression::Format(left, right) => format!("f\"{{{}}}-{{{}}}\"", text(left), text(right)),
        Expression::Compare(comparison, left, right) => {
            let comparison = match comparison {
                Comparison::Equal => "==",
                Comparison::Unequal => "!=",
                Comparison::Less => "<",
                Comparison::AtMost => "<=",
                Comparison::Greater => ">",
                Comparison::AtLeast => ">=",
            };
            format!("({} {comparison} {})", text(left), text(right))
        }
        Expression::And(left, right) => format!("({} and {})", text(left), text(right)),
        Expression::Or(left, right) => format!("({} or {})", text(left), text(right)),
        Expression::Not(inner) => format!("(not {})", text(inner)),
        Expression::IsNull(inner) => format!("({} is null)", text(inner)),
        Expression::In(inner, choices) => {
            let list: Vec<String> = choices.iter().map(text).collect();
            format!("({} in [{}])", text(inner), list.join(", "))
        }
        Expression::Coalesce(left, right) => format!("({} ?? {})", text(left), text(right)),
        Expression::Attempt(above, below, otherwise) => {
            format!("try({} / {}, {})", text(above), text(below), text(otherwise))
        }
        Expression::Element(elements, place) => {
            let list: Vec<String> = elements.iter().map(text).collect();
            format!("([{}][{place}])", list.join(", "))
        }
        Expression::Call(place, arguments) => {
            let list: Vec<String> = arguments.iter().map(text).collect();
            format!("{}({})", LIBRARY[*place].name, list.join(", "))
        }
        Expression::Part(value, beside) => format!("({{a: {}, b: {}}}.a)", text(value), text(beside)),
        Expression::Case(condition, value, otherwise) => {
            let otherwise = otherwise.as_ref().map_or("null".to_string(), |value| text(value));
            format!("case {{ {} => {}, else => {otherwise} }}", text(condition), text(value))
        }
    }
}

/// The kind's name, for messages.
impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
