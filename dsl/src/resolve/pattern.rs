//! `match`: event patterns.

use std::cell::RefCell;
use std::collections::HashMap;

use tidebook_plan::{ColumnType, Span, Type};

use crate::diagnostics::windows;
use crate::functions::{self, Typed};
use crate::logical::{Element, MatchRows, SortColumn, Told, Wanted};
use crate::resolve::columns::item_name;
use crate::resolve::expression::{Local, call_fault};
use crate::resolve::fault::{self, Resolved};
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{Call, Expr, ExprKind, Match, MatchElement, Quantifier, SelectItem, Step};

/// The elements of a match, for aggregates over their rows in its `select`.
pub(crate) struct Matched {
    elements: Vec<String>,
    columns: Vec<ScopeColumn>,
    wanted: RefCell<Vec<Told>>,
}

impl Resolver<'_> {
    pub(crate) fn match_rows(&self, mut input: Relation, pattern: &Match, step: &Step) -> Resolved<Relation> {
        // Ties go by the columns that are seen, whatever the table was sorted by.
        input.forget_hidden();
        if let Some((first, second)) = input.scope.twice() {
            return Err(fault::two_columns(first, second, step.span).into());
        }
        let origin = self.origin(step.span);
        let names = self.elements(&input, &pattern.pattern)?;
        let mut added = Vec::new();
        let by = self.all(pattern.by.iter().map(|key| self.expression(key, Reach::columns(&input.scope))))?;
        let partition: Vec<String> =
            by.into_iter().map(|typed| self.as_column(&input, functions::of_equals(typed), &mut added)).collect();
        let within = pattern.within.as_ref().map(|within| self.within(&input, pattern, within)).transpose()?;
        let mut order = Vec::new();
        for (index, key) in pattern.sort.iter().enumerate() {
            let mut typed = self.expression(&key.expr, Reach::columns(&input.scope))?;
            self.refuse_unordered(&typed, key.expr.span)?;
            if index == 0 && within.is_some() && typed.ty.ty == Type::Date {
                typed = functions::coerce(typed.clone(), &Type::Timestamp).unwrap_or(typed);
            }
            order.push(SortColumn { column: self.as_column(&input, typed, &mut added), descending: key.descending });
        }
        let mut input = self.extend(input, added, origin.clone());
        input.narrow();
        let seen: Vec<ScopeColumn> = input.scope.visible().cloned().collect();
        // What conditions read of the rows before: of each element its last row so far.
        let mut reads: Vec<Told> = Vec::new();
        let mut elements: Vec<Element> = Vec::new();
        let mut locals: HashMap<String, Local> = HashMap::new();
        for (index, element) in pattern.pattern.iter().enumerate() {
            let (least, most) = self.how_many(element)?;
            locals.insert(names[index].clone(), self.last_row(index, &names[index], &seen, true, &mut reads));
            let reach = Reach { locals: Some(&locals), ..Reach::columns(&input.scope) };
            let condition = self.condition(&element.condition, reach)?;
            elements.push(Element { least, most, condition: condition.expr });
            // From the next element on it is known whether there is such a row.
            if least > 0 {
                let begin = reads.len() - seen.len();
                let own = reads.split_off(begin);
                locals.insert(names[index].clone(), local_of(&seen, &own, false));
                reads.extend(own);
            }
        }
        let used = |told: &Told| {
            elements.iter().any(|element| element.condition.column_refs().iter().any(|name| name.name == told.name))
        };
        reads.retain(used);
        // What is told of a match.
        let mut lasts: Vec<Told> = Vec::new();
        let mut locals: HashMap<String, Local> = HashMap::new();
        for (index, element) in pattern.pattern.iter().enumerate() {
            let nullable = self.how_many(element)?.0 == 0;
            let local = self.last_row(index, &names[index], &seen, nullable, &mut lasts);
            locals.insert(names[index].clone(), local);
        }
        let keys = input.scope.columns.iter().filter(|column| partition.contains(&column.id));
        let keys = Scope { columns: keys.cloned().collect(), head: input.scope.head.clone() };
        let matched = Matched { elements: names, columns: seen, wanted: RefCell::default() };
        let reach = Reach { locals: Some(&locals), matched: Some(&matched), ..Reach::columns(&keys) };
        let mut columns: Vec<(ScopeColumn, Typed)> = Vec::new();
        for item in &pattern.select {
            let SelectItem::Item(item) = item else {
                return Err(windows::WRONG_PATTERN
                    .error("a match has no columns of its own, so `*` stands for none", step.span)
                    .with_help("say what is told of it: `select first: a.at, n: count(b)`")
                    .into());
            };
            let typed = self.expression(&item.expr, reach)?;
            let name = item_name(self, item)?;
            if columns.iter().any(|(column, _)| column.name == name) {
                return Err(fault::named_twice(name, item.span).into());
            }
            columns.push((ScopeColumn::new(name, self.fresh(name), typed.ty.clone()), typed));
        }
        let read = |told: &Told| {
            columns.iter().any(|(_, typed)| typed.expr.column_refs().iter().any(|name| name.name == told.name))
        };
        let mut gives: Vec<Told> = lasts.into_iter().filter(|told| read(told)).collect();
        gives.extend(matched.wanted.into_inner().into_iter().filter(|told| read(told)));
        let schema = std::sync::Arc::clone(input.plan.schema());
        let plan = build::match_rows_of(MatchRows {
            input: input.plan,
            partition,
            order,
            within,
            elements,
            reads,
            gives,
            schema,
            origin: origin.clone(),
        });
        let mut errors = input.errors;
        errors.extend(self.errors_of(&plan, &input.scope));
        let relation = Relation { plan, scope: keys, key: Vec::new(), ordering: Vec::new(), retracts: true, errors };
        Ok(self.project(relation, columns, origin))
    }

    /// The names of the elements, each of which stands once and is no column's.
    fn elements(&self, input: &Relation, pattern: &[MatchElement]) -> Resolved<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for element in pattern {
            let name = &element.name.text;
            if names.contains(name) {
                return Err(windows::WRONG_PATTERN
                    .error(format!("two elements of the pattern are called `{name}`"), element.name.span)
                    .into());
            }
            if input.scope.visible().any(|column| column.name == *name) {
                return Err(windows::WRONG_PATTERN
                    .error(format!("`{name}` is an element and a column as well"), element.name.span)
                    .with_help("give the element another name")
                    .into());
            }
            names.push(name.clone());
        }
        Ok(names)
    }

    fn how_many(&self, element: &MatchElement) -> Resolved<(u64, Option<u64>)> {
        match element.quantifier {
            Quantifier::One => Ok((1, Some(1))),
            Quantifier::Optional => Ok((0, Some(1))),
            Quantifier::Any => Ok((0, None)),
            Quantifier::Many => Ok((1, None)),
            Quantifier::Counted(least, Some(most)) if most == 0 || most < least => {
                let message = format!("an element of {least} to {most} rows matches nothing");
                Err(windows::WRONG_PATTERN
                    .error(message, element.span)
                    .with_help("write `{2}`, `{2,}`, `{,3}` or `{2,3}`")
                    .into())
            }
            Quantifier::Counted(least, most) => Ok((least, most)),
        }
    }

    /// How far the first row and the last lie apart at most.
    fn within(&self, input: &Relation, pattern: &Match, within: &Expr) -> Resolved<i64> {
        let (value, _) = self.constant(within, "`within`")?;
        let Some(key) = pattern.sort.first() else { unreachable!("the grammar wants an order") };
        let typed = self.expression(&key.expr, Reach::columns(&input.scope))?;
        use datafusion_common::ScalarValue;
        match (&typed.ty.ty, value) {
            (Type::Timestamp | Type::Date | Type::Duration, ScalarValue::DurationMicrosecond(Some(far)))
            | (Type::Int, ScalarValue::Int64(Some(far)))
                if far >= 0 =>
            {
                Ok(far)
            }
            (ty, _) => Err(windows::WRONG_PATTERN
                .error(format!("`within` is no distance by {ty}"), within.span)
                .with_help("the first key of `sort` is a timestamp or date, and `within` a duration; or both are ints")
                .into()),
        }
    }

    /// The last row of an element as a record; adds what that reads.
    fn last_row(
        &self,
        element: usize,
        name: &str,
        columns: &[ScopeColumn],
        nullable: bool,
        told: &mut Vec<Told>,
    ) -> Local {
        let own: Vec<Told> = columns
            .iter()
            .map(|column| Told {
                name: self.fresh(&format!("{name}.{}", column.name)),
                element,
                column: column.id.clone(),
                wanted: Wanted::Last,
            })
            .collect();
        let local = local_of(columns, &own, nullable);
        told.extend(own);
        local
    }
}

fn local_of(columns: &[ScopeColumn], told: &[Told], nullable: bool) -> Local {
    let fields = columns.iter().zip(told).map(|(column, told)| {
        let ty = ColumnType { ty: column.ty.ty.clone(), nullable: nullable || column.ty.nullable };
        (column.name.clone(), Typed::column(told.name.clone(), ty))
    });
    Local::new(functions::record(fields.collect()))
}

impl Matched {
    /// What an aggregate over the rows of an element is.
    pub fn call(&self, resolver: &Resolver<'_>, name: &str, call: &Call, span: Span) -> Resolved<Typed> {
        let wrong = |message: String| {
            windows::WRONG_PATTERN.error(message, span).with_help(
                "write `count(b)`, or `first`, `last`, `sum`, `avg`, `min`, `max`, `any`, `all` or `list` of a column of an element: `sum(b.x)`",
            )
        };
        let plain = call.by.is_empty() && call.sort.is_empty() && call.filter.is_none();
        let [argument] = call.arguments.positional.as_slice() else {
            return Err(wrong(format!("`{name}` of a match takes one argument")).into());
        };
        if !plain {
            return Err(wrong(format!("`{name}` of a match goes by the order of its rows, and counts them all")).into());
        }
        let element = |expr: &Expr| match &expr.kind {
            ExprKind::Name(name) => self.elements.iter().position(|element| *element == name.text),
            _ => None,
        };
        if name == "count"
            && let Some(element) = element(argument)
        {
            let ty = ColumnType::required(Type::Int);
            return Ok(self.told(resolver, element, String::new(), Wanted::Count, ty));
        }
        let ExprKind::Field { base, field } = &argument.kind else {
            return Err(wrong(format!("`{name}` of a match is of a column of an element")).into());
        };
        let Some(element) = element(base) else {
            return Err(wrong(format!("`{}` is no element of the pattern", base.span.of(resolver.text))).into());
        };
        let Some(column) = self.columns.iter().find(|column| column.name == field.text) else {
            let candidates = self.columns.iter().map(|column| column.name.as_str()).collect();
            return Err(fault::unknown_column(&field.text, None, candidates, field.span).into());
        };
        let ty = ColumnType::required(Type::List(Box::new(column.ty.clone())));
        let list = self.told(resolver, element, column.id.clone(), Wanted::All, ty);
        let int = |value: i64| {
            let value = datafusion_common::ScalarValue::Int64(Some(value));
            Typed::literal(value, ColumnType::required(Type::Int))
        };
        let found = match name {
            "list" => Ok(list),
            "first" => functions::index(list, int(0)),
            "last" => functions::call("list_last", vec![list]),
            "sum" | "avg" | "min" | "max" | "any" | "all" => functions::call(&format!("list_{name}"), vec![list]),
            _ => return Err(wrong(format!("`{name}` is no aggregate of a match")).into()),
        };
        found.map_err(|f| call_fault(f, span, &[argument.span]))
    }

    fn told(&self, resolver: &Resolver<'_>, element: usize, column: String, wanted: Wanted, ty: ColumnType) -> Typed {
        let mut all = self.wanted.borrow_mut();
        let same = |told: &&Told| told.element == element && told.column == column && told.wanted == wanted;
        if let Some(told) = all.iter().find(same) {
            return Typed::column(told.name.clone(), ty);
        }
        let name = resolver.fresh(&self.elements[element]);
        all.push(Told { name: name.clone(), element, column, wanted });
        Typed::column(name, ty)
    }
}
