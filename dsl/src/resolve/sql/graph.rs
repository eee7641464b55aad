//! The order in which the tables of a query are joined.
//!
//! Tables that commas separate are every pair of rows, of which `where` keeps some. Built so, a plan of three tables is
//! hopeless. So an equality between two tables is the key of their join, and a table is joined once a key leads to it: by
//! its own key, if there is one, since then no row has more than one partner; filtered tables first.

use std::collections::BTreeSet;

use datafusion_sql::sqlparser::ast::{BinaryOperator, Expr as SqlExpr};

use super::Sql;
use super::block::{Block, Domain, Own, given, link, own};
use crate::functions::{self, Comparison, Typed};
use crate::logical::Origin;
use crate::resolve::fault::Resolved;
use crate::resolve::join::equal_values;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};

/// An equality between tables.
struct Edge {
    sides: [(BTreeSet<usize>, Typed); 2],
    used: bool,
}

/// What is known of the order so far.
struct Graph {
    items: Vec<Option<Relation>>,
    /// How much a filter leaves: 2 for an equality, 1 for another.
    filtered: Vec<u8>,
    keys: Vec<Vec<String>>,
    edges: Vec<Edge>,
    /// Conditions on several tables.
    conditions: Vec<(BTreeSet<usize>, Typed)>,
    /// Conditions that can fail, and those of no table.
    last: Vec<Typed>,
}

impl Sql<'_, '_> {
    /// The rows of all items together for which the conditions hold. No subquery stands in these.
    pub(super) fn connect(
        &self,
        items: Vec<Relation>,
        conditions: &[SqlExpr],
        domain: Option<&Domain<'_>>,
        origin: &Origin,
    ) -> Resolved<Relation> {
        let columns: Vec<ScopeColumn> = items.iter().flat_map(|item| item.scope.columns.iter().cloned()).collect();
        let order: Vec<String> = columns.iter().map(|column| column.id.clone()).collect();
        let block = Block::new(self.names_only(Scope { columns, head: None }), domain);
        let mut graph = self.graph(items, conditions, &block, origin)?;
        let mut joined = Vec::new();
        let mut whole: Option<Relation> = None;
        while let Some(next) = graph.best(&joined) {
            let Some(item) = graph.items[next].take() else { unreachable!("an item is joined once") };
            let before: BTreeSet<usize> = joined.iter().copied().collect();
            joined.push(next);
            let relation = match whole.take() {
                None => item,
                Some(left) => {
                    let pairs = graph.keys_to(&before, next);
                    self.resolver.inner_join(left, item, pairs, origin.clone())
                }
            };
            let reached: BTreeSet<usize> = joined.iter().copied().collect();
            whole = Some(self.with_conditions(relation, graph.ready(&reached), origin));
        }
        let Some(whole) = whole else { unreachable!("a query without a table has a row") };
        let mut whole = self.with_conditions(whole, graph.last, origin);
        whole.scope.columns.sort_by_key(|column| order.iter().position(|id| *id == column.id));
        Ok(whole)
    }

    /// The relation, each condition a filter; what can fail is asked last, of what the others have left.
    fn with_conditions(&self, relation: Relation, conditions: Vec<Typed>, origin: &Origin) -> Relation {
        let (fallible, safe): (Vec<Typed>, Vec<Typed>) = conditions.into_iter().partition(|c| c.fallible);
        let mut relation = relation;
        for part in [safe, fallible] {
            if let Some(condition) = part.into_iter().reduce(|a, b| self.both(a, b)) {
                relation = self.resolver.filter(relation, condition, origin.clone());
            }
        }
        relation
    }

    fn graph(
        &self,
        mut items: Vec<Relation>,
        conditions: &[SqlExpr],
        block: &Block<'_>,
        origin: &Origin,
    ) -> Resolved<Graph> {
        let scopes: Vec<Scope> = items.iter().map(|item| item.scope.clone()).collect();
        let mut filtered = vec![0u8; items.len()];
        let (mut edges, mut several, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for condition in conditions {
            let typed = self.condition(condition, block)?;
            if let SqlExpr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition {
                let (left, right) = (self.value(left, block)?, self.value(right, block)?);
                let owners = [owners(&left, &scopes), owners(&right, &scopes)];
                if owners.iter().all(|owners| !owners.is_empty()) && owners[0].is_disjoint(&owners[1]) {
                    let (left, right) = equal_values(left, right);
                    let [a, b] = owners;
                    edges.push(Edge { sides: [(a, left), (b, right)], used: false });
                    continue;
                }
            }
            let read = owners(&typed, &scopes);
            match (typed.fallible, read.len()) {
                (false, 1) => {
                    let Some(only) = read.first().copied() else { unreachable!("one item is the first") };
                    let exact = matches!(condition, SqlExpr::BinaryOp { op: BinaryOperator::Eq, .. });
                    filtered[only] = filtered[only].max(if exact { 2 } else { 1 });
                    let item = items[only].clone();
                    items[only] = self.resolver.filter(item, typed, origin.clone());
                }
                (false, 2..) => several.push((read, typed)),
                _ => last.push(typed),
            }
        }
        let keys = items.iter().map(|item| item.key.clone()).collect();
        let items = items.into_iter().map(Some).collect();
        Ok(Graph { items, filtered, keys, edges, conditions: several, last })
    }

    /// Makes the columns that the query around gives ones of the query's own tables, where a condition says that they are
    /// equal: `where o_custkey = c_custkey` is the same customer on both sides. Tells whether that could be done for all.
    ///
    /// The conditions that said so are taken out.
    pub(super) fn pulled_up(
        &self,
        items: &mut [Relation],
        conditions: &mut Vec<SqlExpr>,
        domain: &Domain<'_>,
        origin: &Origin,
    ) -> bool {
        let columns: Vec<ScopeColumn> = items.iter().flat_map(|item| item.scope.columns.iter().cloned()).collect();
        let scope = Scope { columns, head: None };
        let scopes: Vec<Scope> = items.iter().map(|item| item.scope.clone()).collect();
        let block = Block::new(self.names_only(scope.clone()), None);
        let mut bound: Vec<(usize, usize, &ScopeColumn, Typed)> = Vec::new();
        for column in &domain.columns {
            let found = conditions.iter().enumerate().find_map(|(place, condition)| {
                let SqlExpr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return None };
                [(left, right), (right, left)].into_iter().find_map(|(outer, inner)| {
                    let path = match &**outer {
                        SqlExpr::Identifier(ident) => std::slice::from_ref(ident),
                        SqlExpr::CompoundIdentifier(path) => path.as_slice(),
                        _ => return None,
                    };
                    if !matches!(own(&scope, path), Own::Nothing) || domain.find(path)? != column.id {
                        return None;
                    }
                    let typed = self.quietly(|| self.value(inner, &block)).ok()?;
                    let owners = owners(&typed, &scopes);
                    let item = owners.first().copied().filter(|_| owners.len() == 1 && !typed.fallible)?;
                    let around = Typed::column(column.id.clone(), column.ty.clone());
                    let (_, typed) = functions::equal_values(around, typed)?;
                    Some((place, item, typed))
                })
            });
            match found {
                Some((place, item, typed)) if bound.iter().all(|(other, ..)| *other != place) => {
                    bound.push((place, item, column, typed));
                }
                _ => return false,
            }
        }
        for (_, item, column, typed) in &bound {
            let linked = link(&column.id, self.resolver.fresh(&column.name), typed);
            let there = functions::is_null(typed.clone(), true);
            let mut relation = items[*item].clone();
            if typed.ty.nullable {
                relation = self.resolver.filter(relation, there, origin.clone());
            }
            items[*item] = self.resolver.extend(relation, vec![(linked, typed.clone())], origin.clone());
        }
        let mut place = 0;
        conditions.retain(|_| {
            place += 1;
            bound.iter().all(|(used, ..)| *used != place - 1)
        });
        true
    }

    /// A relation for its names alone.
    pub(super) fn names_only(&self, scope: Scope) -> Relation {
        let mut relation = self.one_row();
        relation.scope = scope;
        relation
    }

    /// One row, of a query without `from`.
    pub(super) fn one_row(&self) -> Relation {
        let id = self.resolver.fresh("one");
        let ty = tidebook_plan::ColumnType::required(tidebook_plan::Type::Bool);
        let row = crate::resolve::constants::LiteralRow {
            negated: false,
            values: vec![datafusion_common::ScalarValue::Boolean(Some(true))],
            failure: None,
        };
        let steps = crate::resolve::constants::steps_of(vec![vec![row]], &[ty.ty.to_arrow()]);
        let plan = crate::resolve::build::constant(&[(id.clone(), ty.clone())], steps, Origin::default());
        let scope = Scope { columns: vec![given(&id, ty)], head: None };
        Relation { plan, scope, key: Vec::new(), ordering: Vec::new(), retracts: false, errors: Vec::new() }
    }
}

impl Graph {
    /// The item to join next; `None` when all are.
    fn best(&self, joined: &[usize]) -> Option<usize> {
        let reached: BTreeSet<usize> = joined.iter().copied().collect();
        let waiting = (0..self.items.len()).filter(|item| self.items[*item].is_some());
        waiting.max_by_key(|item| {
            let (mut theirs, mut ours) = (Vec::new(), Vec::new());
            for (own, other) in self.leading(&reached, *item) {
                theirs.extend(plain(own));
                ours.extend(plain(other));
            }
            let covers =
                |key: &Vec<String>, ids: &[&str]| !key.is_empty() && key.iter().all(|id| ids.contains(&id.as_str()));
            let count = self.leading(&reached, *item).count();
            let unique = covers(&self.keys[*item], &theirs);
            let many = reached.iter().any(|one| covers(&self.keys[*one], &ours));
            (count > 0, unique, many, self.filtered[*item], count, std::cmp::Reverse(*item))
        })
    }

    /// The equalities by which `item` is found from what is joined: its side, and the other.
    fn leading<'g>(
        &'g self,
        reached: &'g BTreeSet<usize>,
        item: usize,
    ) -> impl Iterator<Item = (&'g Typed, &'g Typed)> + 'g {
        let only = BTreeSet::from([item]);
        self.edges.iter().filter_map(move |edge| {
            let [(a, left), (b, right)] = &edge.sides;
            if *a == only && b.is_subset(reached) {
                Some((left, right))
            } else if *b == only && a.is_subset(reached) {
                Some((right, left))
            } else {
                None
            }
        })
    }

    /// The pairs of equal values that `item` is joined by.
    fn keys_to(&mut self, reached: &BTreeSet<usize>, item: usize) -> Vec<(Typed, Typed)> {
        let only = BTreeSet::from([item]);
        let mut pairs = Vec::new();
        for edge in &mut self.edges {
            let [(a, left), (b, right)] = &edge.sides;
            let pair = if *a == only && b.is_subset(reached) {
                (right.clone(), left.clone())
            } else if *b == only && a.is_subset(reached) {
                (left.clone(), right.clone())
            } else {
                continue;
            };
            edge.used = true;
            pairs.push(pair);
        }
        pairs
    }

    /// The conditions that can be asked of what is joined, each once.
    fn ready(&mut self, reached: &BTreeSet<usize>) -> Vec<Typed> {
        let mut ready = Vec::new();
        self.conditions.retain(|(read, typed)| {
            let now = read.is_subset(reached);
            if now {
                ready.push(typed.clone());
            }
            !now
        });
        for edge in self.edges.iter_mut().filter(|edge| !edge.used) {
            let [(a, left), (b, right)] = &edge.sides;
            if a.is_subset(reached) && b.is_subset(reached) {
                edge.used = true;
                match functions::compare(Comparison::Equal, left.clone(), right.clone()) {
                    Ok(typed) => ready.push(typed),
                    Err(fault) => unreachable!("what was compared before compares: {}", fault.message),
                }
            }
        }
        ready
    }
}

/// The items whose columns an expression reads.
fn owners(typed: &Typed, scopes: &[Scope]) -> BTreeSet<usize> {
    let columns = typed.expr.column_refs();
    let owner = |id: &str| scopes.iter().position(|scope| scope.columns.iter().any(|column| column.id == id));
    columns.iter().filter_map(|column| owner(&column.name)).collect()
}

/// The column that an expression is, if it is no more.
fn plain(typed: &Typed) -> Option<&str> {
    match &typed.expr {
        datafusion_expr::Expr::Column(column) => Some(column.name.as_str()),
        _ => None,
    }
}
