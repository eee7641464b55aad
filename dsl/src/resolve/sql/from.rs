//! `from`: tables, joins that are written out, queries as tables.

use datafusion_sql::sqlparser::ast::{
    BinaryOperator as SqlOperator, Expr as SqlExpr, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart,
    TableAlias, TableFactor, TableWithJoins,
};
use tidebook_plan::Span;

use super::Sql;
use super::block::Block;
use super::conditions::{conjuncts, has_subquery};
use crate::diagnostics::{names, sql as codes};
use crate::functions;
use crate::resolve::fault::Resolved;
use crate::resolve::join::{Matching, equal_values, reads_only};
use crate::resolve::pipeline::renamed;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, quoted};
use crate::syntax::tree::{JoinKind, Name, Path};

impl Sql<'_, '_> {
    /// The tables that commas separate, each with the joins that are written behind it.
    pub(super) fn items(&self, from: &[TableWithJoins]) -> Resolved<Vec<Relation>> {
        let mut items: Vec<Relation> = Vec::with_capacity(from.len());
        for written in from {
            let item = self.joined(written)?;
            for earlier in &items {
                self.refuse_same_name(&earlier.scope, &item.scope, self.span(written))?;
            }
            items.push(item);
        }
        Ok(items)
    }

    fn joined(&self, written: &TableWithJoins) -> Resolved<Relation> {
        let mut left = self.factor(&written.relation)?;
        for join in &written.joins {
            let right = self.factor(&join.relation)?;
            let span = self.span(&join.relation);
            self.refuse_same_name(&left.scope, &right.scope, span)?;
            let (kind, constraint) = match &join.join_operator {
                JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (JoinKind::Inner, constraint),
                JoinOperator::StraightJoin(constraint) => (JoinKind::Inner, constraint),
                JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (JoinKind::Left, constraint),
                JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (JoinKind::Right, constraint),
                JoinOperator::FullOuter(constraint) => (JoinKind::Full, constraint),
                JoinOperator::CrossJoin(constraint) => (JoinKind::Cross, constraint),
                JoinOperator::Semi(constraint) | JoinOperator::LeftSemi(constraint) => (JoinKind::Semi, constraint),
                JoinOperator::Anti(constraint) | JoinOperator::LeftAnti(constraint) => (JoinKind::Anti, constraint),
                JoinOperator::AsOf { .. } => {
                    return Err(self.unsupported("an as-of join", "write it as a step: `| asof join …`", span));
                }
                _ => return Err(self.unsupported("this kind of join", "", span)),
            };
            let matching = self.matching(&left.scope, &right.scope, constraint, kind, span)?;
            self.resolver.count_step(span)?;
            left = self.resolver.join_on(left, right, matching, kind, self.origin(span));
        }
        Ok(left)
    }

    fn matching(
        &self,
        left: &Scope,
        right: &Scope,
        constraint: &JoinConstraint,
        kind: JoinKind,
        span: Span,
    ) -> Resolved<Matching> {
        match constraint {
            JoinConstraint::On(condition) => self.on(left, right, condition),
            JoinConstraint::Using(columns) => {
                let columns = columns.iter().map(|name| self.single(name)).collect::<Resolved<Vec<Name>>>()?;
                self.resolver.using(left, right, &columns)
            }
            JoinConstraint::Natural => {
                let shared = left.visible().filter(|column| right.visible().any(|other| other.name == column.name));
                let shared: Vec<Name> = shared.map(|column| Name { text: column.name.clone(), span }).collect();
                self.resolver.using(left, right, &shared)
            }
            JoinConstraint::None if kind == JoinKind::Cross => Ok(Matching::default()),
            JoinConstraint::None => Err(names::JOIN_CONDITION
                .error("the join has no condition", span)
                .with_help("write `on …` or `using (…)`; `cross join` gives every pair")
                .into()),
        }
    }

    fn on(&self, left: &Scope, right: &Scope, condition: &SqlExpr) -> Resolved<Matching> {
        let columns = left.columns.iter().chain(&right.columns).cloned().collect();
        let block = Block::new(self.names_only(Scope { columns, head: None }), None);
        let mut matching = Matching::default();
        for part in conjuncts(condition) {
            if has_subquery(&part) {
                let help = "ask it in `where`, or of one side before: `from (select … where …) as side`";
                return Err(self.unsupported("a subquery in `on`", help, self.span(&part)));
            }
            if let SqlExpr::BinaryOp { left: a, op: SqlOperator::Eq, right: b } = &part {
                let (a, b) = (self.value(a, &block)?, self.value(b, &block)?);
                self.condition(&part, &block)?;
                let pair = if reads_only(&a, left) && reads_only(&b, right) {
                    Some((a, b))
                } else if reads_only(&a, right) && reads_only(&b, left) {
                    Some((b, a))
                } else {
                    None
                };
                if let Some((a, b)) = pair {
                    matching.pairs.push(equal_values(a, b));
                    continue;
                }
            }
            let typed = self.condition(&part, &block)?;
            matching.residual = Some(match matching.residual.take() {
                None => typed,
                Some(before) => self.both(before, typed),
            });
        }
        Ok(matching)
    }

    /// Two conditions as one.
    pub(super) fn both(&self, one: functions::Typed, other: functions::Typed) -> functions::Typed {
        match functions::and(one, other) {
            Ok(both) => both,
            Err(fault) => unreachable!("conditions are bools: {}", fault.message),
        }
    }

    fn single(&self, name: &ObjectName) -> Resolved<Name> {
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => {
                Ok(Name { text: ident.value.clone(), span: self.places.span(ident.span) })
            }
            _ => Err(self.unsupported("a table's name in `using`", "name the column alone", self.span(name))),
        }
    }

    fn factor(&self, factor: &TableFactor) -> Resolved<Relation> {
        let span = self.span(factor);
        let (relation, alias) = match factor {
            TableFactor::Table { name, alias, args: None, sample: None, version: None, .. } => {
                (self.named_table(name)?, alias)
            }
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                (self.query(subquery, None)?, alias)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => (self.joined(table_with_joins)?, alias),
            TableFactor::Derived { lateral: true, .. } => {
                let help = "ask for a single value with a subquery in `select`, or join with the grouped table";
                return Err(self.unsupported("`lateral`", help, span));
            }
            TableFactor::UNNEST { .. } => {
                let help = "a list becomes rows with a step: `table | flatten column`";
                return Err(self.unsupported("`unnest`", help, span));
            }
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => {
                return Err(self.unsupported("`pivot`", "write one aggregate with `filter (where …)` a column", span));
            }
            TableFactor::MatchRecognize { .. } => {
                return Err(self.unsupported("`match_recognize`", "the step `| match by …` finds patterns", span));
            }
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                return Err(self.unsupported(
                    "`tablesample`",
                    "nothing in a table is random: `where hash(id) % 10 = 0` takes a tenth of the rows",
                    span,
                ));
            }
            TableFactor::Table { version: Some(_), .. } => {
                return Err(self.unsupported("an earlier version of a table", "a table is its present contents", span));
            }
            _ => {
                let help = "a table is defined before: `name = read …`";
                return Err(self.unsupported("a function as a table", help, span));
            }
        };
        let mut relation = relation;
        // Rows have no order inside of a query.
        relation.ordering.clear();
        relation.forget_hidden();
        match alias {
            None => Ok(relation),
            Some(alias) => self.aliased(relation, alias, span),
        }
    }

    fn named_table(&self, name: &ObjectName) -> Resolved<Relation> {
        let parts = name.0.iter().map(|part| match part {
            ObjectNamePart::Identifier(ident) => {
                Ok(Name { text: ident.value.clone(), span: self.places.span(ident.span) })
            }
            ObjectNamePart::Function(_) => {
                Err(self.unsupported("a function as a table", "a table is defined before", self.span(name)))
            }
        });
        let parts = parts.collect::<Resolved<Vec<Name>>>()?;
        if let [only] = parts.as_slice() {
            if let Some((_, table)) = self.common.borrow().iter().rev().find(|(name, _)| *name == only.text) {
                return Ok(self.resolver.use_table(table, Some(&only.text)));
            }
            if self.recursive.borrow().contains(&only.text) {
                return Err(codes::RECURSIVE
                    .error(format!("`{}` is defined by itself", only.text), only.span)
                    .with_help("a table that grows from itself is written with the step `| iterate r { … }`")
                    .into());
            }
        }
        let path = Path { parts, span: self.span(name) };
        self.resolver.table(&path)
    }

    /// The relation under another name, its columns too where names for them are given.
    pub(super) fn aliased(&self, mut relation: Relation, alias: &TableAlias, span: Span) -> Resolved<Relation> {
        let count = relation.scope.visible().count();
        if alias.columns.len() > count {
            let message = format!("the table has {count} columns, here are names for {}", alias.columns.len());
            return Err(names::DIFFERENT_COLUMNS.error(message, self.span(alias)).into());
        }
        let visible = relation.scope.columns.iter_mut().filter(|column| !column.hidden);
        for (column, name) in visible.zip(&alias.columns) {
            column.name.clone_from(&name.name.value);
        }
        relation.scope = renamed(relation.scope, &alias.name.value, span)?;
        Ok(relation)
    }

    fn refuse_same_name(&self, left: &Scope, right: &Scope, span: Span) -> Resolved<()> {
        let Some(name) = right.qualifiers().into_iter().find(|name| left.is_qualifier(name)) else { return Ok(()) };
        Err(names::JOIN_CONDITION
            .error(format!("two tables of the query are called `{name}`"), span)
            .with_help(format!("give this one another name: `… as {}`", quoted(&format!("other_{name}"))))
            .into())
    }
}
