//! The columns of a table at a step, as far as they show without resolving the whole cell.

use tidebook_plan::{ColumnType, Schema, Type};

use super::complete::quoted;
use super::{Scope, Surroundings};
use crate::syntax::tree::{
    BinaryOperator, Expr, ExprKind, FieldDecl, HeadKind, Join, JoinKind, Literal, NamedExpr, OperandTable, Path,
    Pipeline, RowLiteral, SelectItem, Statement, StatementKind, Step, StepKind, TableOperand, TypeExpr, TypeExprKind,
};

/// A column, with its type where that is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Option<ColumnType>,
}

/// What names a step can use.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Visible {
    /// The columns in order.
    pub columns: Vec<Known>,
    /// Tables by the names that they have here, with their columns.
    pub tables: Vec<(String, Vec<Known>)>,
}

impl Visible {
    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Known> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn set(&mut self, column: Known) {
        match self.columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => *known = column,
            None => self.columns.push(column),
        }
    }
}

/// Finds columns among what the session holds and what the cell defines before the cursor.
pub(super) struct Finder<'a> {
    /// What the session holds.
    pub scope: &'a Scope,
    /// The text of the cell before the statement at the cursor.
    pub before: &'a str,
    /// The statements in it.
    pub local: &'a [Statement],
    /// Knows what compiles.
    pub surroundings: &'a dyn Surroundings,
}

/// How many tables of a cell are followed into each other.
const MAX_DEPTH: usize = 16;

impl Finder<'_> {
    /// The columns of a table by name.
    pub fn table(&self, name: &str) -> Option<Vec<Known>> {
        self.table_at(name, MAX_DEPTH)
    }

    fn table_at(&self, name: &str, depth: usize) -> Option<Vec<Known>> {
        if depth == 0 {
            return None;
        }
        let local = self.local.iter().rev().find_map(|statement| match &statement.kind {
            StatementKind::Define { name: defined, pipeline } if defined.text == name => Some(pipeline),
            _ => None,
        });
        if let Some(pipeline) = local {
            let compiled = self.surroundings.schema(self.before, &quoted(name)).as_ref().map(known);
            return Some(compiled.unwrap_or_else(|| self.pipeline_at(pipeline, depth - 1).columns));
        }
        if let Some(table) = self.scope.table(name) {
            return Some(known(&table.schema));
        }
        let (base, side) = name.rsplit_once('.')?;
        let mut columns = self.table_at(base, depth - 1)?;
        if side == "errors" {
            for name in ["_error", "_step"] {
                columns.push(Known { name: name.to_string(), ty: Some(ColumnType::required(Type::Text)) });
            }
        }
        matches!(side, "errors" | "late").then_some(columns)
    }

    /// The names of the tables that the cell defines before the cursor.
    pub fn local_tables(&self) -> impl Iterator<Item = &str> {
        self.local.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Define { name, .. } => Some(name.text.as_str()),
            _ => None,
        })
    }

    /// What a step after this pipeline, whose text is `text`, can use.
    pub fn pipeline(&self, pipeline: &Pipeline, text: &str) -> Visible {
        let mut visible = self.pipeline_at(pipeline, MAX_DEPTH);
        if let Some(schema) = self.surroundings.schema(self.before, text) {
            visible.columns = known(&schema);
        }
        visible
    }

    fn pipeline_at(&self, pipeline: &Pipeline, depth: usize) -> Visible {
        let mut visible = Visible::default();
        match &pipeline.head.kind {
            HeadKind::Table(path) => {
                visible.columns = self.table_at(&path.text(), depth).unwrap_or_default();
                visible.tables.push((path.text(), visible.columns.clone()));
            }
            HeadKind::Read(connector) => visible.columns = declared(connector.schema.as_deref()),
            HeadKind::Serve(connector) => {
                visible.columns = declared(connector.schema.as_deref());
                visible.set(Known { name: "request".to_string(), ty: None });
            }
            HeadKind::Rows(lists) => visible.columns = literal_rows(lists),
            HeadKind::Sql { .. } => {}
            HeadKind::Nested(inner) if depth > 0 => visible = self.pipeline_at(inner, depth - 1),
            HeadKind::Nested(_) => {}
        }
        for step in &pipeline.steps {
            self.step(step, &mut visible, depth);
        }
        visible
    }

    fn step(&self, step: &Step, visible: &mut Visible, depth: usize) {
        match &step.kind {
            StepKind::Select(items) => *visible = self.selected(items, visible),
            StepKind::Derive(items) => {
                for column in items.iter().filter_map(|item| named(item, visible)).collect::<Vec<_>>() {
                    visible.set(column);
                }
            }
            StepKind::Drop(paths) => {
                visible.columns.retain(|column| !paths.iter().any(|path| path.last().text == column.name))
            }
            StepKind::Rename(renames) => {
                for rename in renames {
                    for column in visible.columns.iter_mut().filter(|column| column.name == rename.old.last().text) {
                        column.name.clone_from(&rename.new.text);
                    }
                }
            }
            StepKind::Summarize(summarize) => {
                let items = summarize.by.iter().chain(&summarize.aggregates);
                let columns = items.filter_map(|item| named(item, visible)).collect();
                *visible = Visible { columns, tables: Vec::new() };
            }
            StepKind::Pivot(pivot) => {
                let columns = pivot.by.iter().filter_map(|item| named(item, visible)).collect();
                *visible = Visible { columns, tables: Vec::new() };
            }
            StepKind::Join(join) => self.join(join, visible, depth),
            StepKind::Flatten(item) => {
                if let Some(Known { name, ty }) = named(item, visible) {
                    let ty = match ty.map(|ty| ty.ty) {
                        Some(Type::List(item)) => Some(*item),
                        _ => None,
                    };
                    visible.set(Known { name, ty });
                }
            }
            StepKind::Search(search) => {
                let alias = search.alias.as_ref().map_or("hit", |name| name.text.as_str()).to_string();
                visible.tables.push((alias.clone(), self.hit(&search.index, depth)));
                visible.set(Known { name: alias, ty: None });
            }
            StepKind::Match(pattern) => {
                let mut inside = visible.clone();
                inside.tables.extend(pattern.pattern.iter().map(|e| (e.name.text.clone(), visible.columns.clone())));
                *visible = self.selected(&pattern.select, &inside);
            }
            StepKind::Changes => {
                for name in ["_epoch", "_diff"] {
                    visible.set(Known { name: name.to_string(), ty: Some(ColumnType::required(Type::Int)) });
                }
            }
            _ => {}
        }
    }

    /// The columns of an entry that `search` finds.
    fn hit(&self, index: &Path, depth: usize) -> Vec<Known> {
        let mut columns = self.table_at(&index.text(), depth).unwrap_or_default();
        columns.push(Known { name: "score".to_string(), ty: Some(ColumnType::required(Type::Float)) });
        columns.push(Known { name: "rank".to_string(), ty: Some(ColumnType::required(Type::Int)) });
        columns
    }

    fn selected(&self, items: &[SelectItem], visible: &Visible) -> Visible {
        let mut columns = Visible::default();
        for item in items {
            match item {
                SelectItem::All { table, except, .. } => {
                    let of_table = table.as_ref().and_then(|table| {
                        let found = visible.tables.iter().find(|(name, _)| *name == table.text());
                        found.map(|(_, columns)| columns)
                    });
                    for column in of_table.unwrap_or(&visible.columns) {
                        if !except.iter().any(|path| path.last().text == column.name) {
                            columns.set(column.clone());
                        }
                    }
                }
                SelectItem::Item(item) => {
                    if let Some(column) = named(item, visible) {
                        columns.set(column);
                    }
                }
            }
        }
        columns
    }

    fn join(&self, join: &Join, visible: &mut Visible, depth: usize) {
        let Some((name, right)) = self.operand(&join.right, depth) else { return };
        if !matches!(join.kind, JoinKind::Semi | JoinKind::Anti) {
            for column in &right {
                if visible.column(&column.name).is_none() {
                    visible.columns.push(column.clone());
                }
            }
            visible.tables.extend(name.map(|name| (name, right)));
        }
    }

    /// The name and the columns of a step's further table.
    pub fn operand(&self, operand: &TableOperand, depth: usize) -> Option<(Option<String>, Vec<Known>)> {
        let (name, columns) = match &operand.table {
            OperandTable::Name(path) => (Some(path.text()), self.table_at(&path.text(), depth).unwrap_or_default()),
            OperandTable::Pipeline(pipeline) => (None, self.pipeline_at(pipeline, depth.checked_sub(1)?).columns),
        };
        Some((operand.alias.as_ref().map(|alias| alias.text.clone()).or(name), columns))
    }
}

fn known(schema: &Schema) -> Vec<Known> {
    schema.columns.iter().map(|column| Known { name: column.name.clone(), ty: Some(column.ty.clone()) }).collect()
}

fn declared(schema: Option<&[FieldDecl]>) -> Vec<Known> {
    let fields = schema.unwrap_or_default().iter();
    fields.map(|field| Known { name: field.name.text.clone(), ty: type_of_syntax(&field.ty) }).collect()
}

fn literal_rows(lists: &[Vec<RowLiteral>]) -> Vec<Known> {
    let mut visible = Visible::default();
    for field in lists.iter().flatten().flat_map(|row| &row.fields) {
        let ty = type_of(&field.value, &Visible::default());
        match visible.columns.iter_mut().find(|known| known.name == field.name.text) {
            Some(known) => known.ty = known.ty.take().or(ty),
            None => visible.columns.push(Known { name: field.name.text.clone(), ty }),
        }
    }
    visible.columns
}

/// The column that an item of a list gives.
fn named(item: &NamedExpr, visible: &Visible) -> Option<Known> {
    let name = match &item.name {
        Some(name) => name.text.clone(),
        None => item.expr.as_path()?.last().text.clone(),
    };
    Some(Known { name, ty: type_of(&item.expr, visible) })
}

/// The type of an expression where it is plain to see.
fn type_of(expr: &Expr, visible: &Visible) -> Option<ColumnType> {
    let known = |ty: Type| Some(ColumnType::required(ty));
    match &expr.kind {
        ExprKind::Literal(literal) => match literal {
            Literal::Null => None,
            Literal::Bool(_) => known(Type::Bool),
            Literal::Int(_) => known(Type::Int),
            Literal::Float(_) => known(Type::Float),
            Literal::Text(_) => known(Type::Text),
            Literal::Duration(_) => known(Type::Duration),
            Literal::Date(_) => known(Type::Date),
            Literal::Timestamp(_) => known(Type::Timestamp),
        },
        ExprKind::FString(_) => known(Type::Text),
        ExprKind::Name(name) => visible.column(&name.text)?.ty.clone(),
        ExprKind::Field { base, field } => {
            let path = base.as_path();
            let table = path.as_ref().and_then(|path| visible.tables.iter().find(|(name, _)| *name == path.text()));
            match table {
                Some((_, columns)) => columns.iter().find(|column| column.name == field.text)?.ty.clone(),
                None => field_type(&type_of(base, visible)?, &field.text),
            }
        }
        ExprKind::Unary { operand, .. } => type_of(operand, visible),
        ExprKind::Binary { operator, left, right, .. } => {
            let (left, right) = (type_of(left, visible), type_of(right, visible));
            match operator {
                BinaryOperator::Coalesce => left.or(right),
                BinaryOperator::Add
                | BinaryOperator::Subtract
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
                | BinaryOperator::Remainder => (left == right).then_some(left?),
                _ => known(Type::Bool),
            }
        }
        ExprKind::Between { .. } | ExprKind::In { .. } | ExprKind::Like { .. } | ExprKind::IsNull { .. } => {
            known(Type::Bool)
        }
        ExprKind::Call(call) => match call.function.text().as_str() {
            "count" | "count_distinct" | "approx_count_distinct" | "row_number" | "rank" | "dense_rank" => {
                known(Type::Int)
            }
            "variance" => known(Type::Float),
            "avg" | "median" | "quantile" | "stddev" => {
                match type_of(call.arguments.positional.first()?, visible)?.ty {
                    ty @ (Type::Duration | Type::Timestamp) => known(ty),
                    Type::Date => known(Type::Timestamp),
                    _ => known(Type::Float),
                }
            }
            "any" | "all" => known(Type::Bool),
            "list" | "set" => {
                let item = type_of(call.arguments.positional.first()?, visible)?.ty;
                known(Type::List(Box::new(ColumnType::required(item))))
            }
            "join" => known(Type::Text),
            "tumble" | "hop" | "session" => {
                let end = |name: &str| (name.to_string(), ColumnType::required(Type::Timestamp));
                known(Type::Record(vec![end("start"), end("end")]))
            }
            "sum" | "min" | "max" | "first" | "last" | "arg_min" | "arg_max" | "lag" | "lead" => {
                type_of(call.arguments.positional.first()?, visible)
            }
            "int" => known(Type::Int),
            "float" => known(Type::Float),
            "text" => known(Type::Text),
            _ => None,
        },
        _ => None,
    }
}

/// The type of a field of a record.
pub(super) fn field_type(ty: &ColumnType, field: &str) -> Option<ColumnType> {
    match &ty.ty {
        Type::Record(fields) => fields.iter().find(|(name, _)| name == field).map(|(_, ty)| ty.clone()),
        _ => None,
    }
}

fn type_of_syntax(ty: &TypeExpr) -> Option<ColumnType> {
    let kind = match &ty.kind {
        TypeExprKind::Named { name, parameters } => match (name.text.as_str(), parameters.as_slice()) {
            ("bool", []) => Type::Bool,
            ("int", []) => Type::Int,
            ("float", []) => Type::Float,
            ("text", []) => Type::Text,
            ("bytes", []) => Type::Bytes,
            ("date", []) => Type::Date,
            ("timestamp", []) => Type::Timestamp,
            ("duration", []) => Type::Duration,
            ("json", []) => Type::Json,
            ("vector", [size]) => Type::Vector(i32::try_from(*size).ok()?),
            ("decimal", [precision, scale]) => {
                Type::Decimal { precision: u8::try_from(*precision).ok()?, scale: i8::try_from(*scale).ok()? }
            }
            _ => return None,
        },
        TypeExprKind::List(item) => Type::List(Box::new(type_of_syntax(item)?)),
        TypeExprKind::Record(fields) => Type::Record(
            fields
                .iter()
                .map(|field| Some((field.name.text.clone(), type_of_syntax(&field.ty)?)))
                .collect::<Option<_>>()?,
        ),
    };
    Some(ColumnType { ty: kind, nullable: ty.nullable })
}
