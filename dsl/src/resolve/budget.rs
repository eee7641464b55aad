//! How large a statement may become: tables that are read count with all that they consist of, functions with their bodies.
//!
//! A function that uses the one before it twice doubles with every line: without a bound, a screenful of text would keep the
//! compiler busy for ever. Tables are compiled once, whoever reads them ([`crate::logical::bounded`]).

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use tidebook_plan::Span;

use crate::catalog::{Extent, upstream};
use crate::diagnostics::syntax::LIMIT;
use crate::functions::Typed;
use crate::limits::{COLUMNS, EXPANDED_DEPTH, EXPANDED_OPERATIONS, PLAN_NODES, STEPS};
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::{Reach, Resolver};
use crate::syntax::tree::Expr;

impl Resolver<'_> {
    /// Counts a step.
    pub(super) fn count_step(&self, span: Span) -> Resolved<()> {
        self.grow(Extent { nodes: 1, own: 1, steps: 1, below: 0 }, span)
    }

    /// Counts a table that is read, with all that it consists of.
    pub(super) fn count_table(&self, table: Extent, span: Span) -> Resolved<()> {
        self.grow(Extent { nodes: table.nodes.saturating_add(1), own: 1, steps: 0, below: table.depth() }, span)
    }

    /// What the statement consists of. Tables are compiled once, however often they are read, so each counts once; that
    /// is only found out where a count of every reading is too much.
    fn size(&self) -> usize {
        let uses = self.uses.borrow();
        if uses.extent.nodes <= PLAN_NODES {
            return uses.extent.nodes;
        }
        let read = upstream(self.catalog, &uses.tables);
        let read = read.iter().filter_map(|name| self.catalog.tables.get(name));
        uses.extent.own + read.map(|definition| definition.uses.extent.own).sum::<usize>()
    }

    fn grow(&self, by: Extent, span: Span) -> Resolved<()> {
        self.uses.borrow_mut().extent.add(by);
        let depth = self.uses.borrow().extent.depth();
        let help = "write a table on the way to a file, and read that";
        if depth > STEPS {
            let message = format!("there are at most {STEPS} steps from a source to a table, here are more");
            return Err(LIMIT.error(message, span).with_help(help).into());
        }
        if self.size() > PLAN_NODES {
            let message = format!(
                "a table consists of at most {PLAN_NODES} steps, here are more: those of the tables that it reads count with it"
            );
            return Err(LIMIT.error(message, span).with_help(help).into());
        }
        Ok(())
    }

    /// Refuses a table that is too wide.
    pub(super) fn bounded(&self, relation: Relation, span: Span) -> Resolved<Relation> {
        match relation.scope.columns.len() {
            found if found > COLUMNS => {
                let message = format!("a table has at most {COLUMNS} columns, this one would have {found}");
                Err(LIMIT.error(message, span).with_help("keep some of them with `select`").into())
            }
            _ => Ok(relation),
        }
    }

    /// The expression with its type.
    pub(crate) fn expression(&self, expr: &Expr, reach: Reach<'_>) -> Resolved<Typed> {
        let depth = self.depth.replace(self.depth.get() + 1);
        let typed = self.typed(expr, reach);
        self.depth.set(depth);
        match depth {
            0 => self.measured(typed?, expr.span),
            _ => typed,
        }
    }

    /// Refuses an expression that functions have made too large.
    pub(super) fn measured(&self, typed: Typed, span: Span) -> Resolved<Typed> {
        let (mut operations, mut too_deep) = (0usize, false);
        let mut waiting = vec![(&typed.expr, 1usize)];
        while let Some((expr, depth)) = waiting.pop() {
            operations += 1;
            too_deep |= depth > EXPANDED_DEPTH;
            if too_deep || operations > EXPANDED_OPERATIONS {
                break;
            }
            let children = expr.apply_children(|child| {
                waiting.push((child, depth + 1));
                Ok(TreeNodeRecursion::Continue)
            });
            if let Err(error) = children {
                unreachable!("looking at the parts of an expression fails only where the visitor does: {error}");
            }
        }
        let message = if too_deep {
            format!("the expression has more than {EXPANDED_DEPTH} operations inside of each other")
        } else if operations > EXPANDED_OPERATIONS {
            format!("the expression has more than {EXPANDED_OPERATIONS} operations")
        } else {
            return Ok(typed);
        };
        let help = "compute a part of it in a `derive` before; a function counts as often as it is called";
        Err(LIMIT.error(message, span).with_help(help).into())
    }
}
