//! `over (…)` in Tide's words.
//!
//! A frame here ends with the current row. `range` frames from the partition's start are the language's running ones;
//! `rows` frames hold the last so many rows.

use datafusion_sql::sqlparser::ast::{
    Expr as SqlExpr, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};
use tidebook_plan::Span;

use super::Sql;
use super::block::{Block, outer_path};
use super::expression::int;
use crate::resolve::fault::Resolved;
use crate::syntax::tree::{Call, Expr, ExprKind, Frame, Literal, Over};

/// Rows of a frame without a first one.
const ALL_ROWS: i64 = i64::MAX;

/// What of a frame the language writes.
enum Bounds {
    /// From the partition's start to the current row's peers.
    Running,
    /// The whole partition.
    Whole,
    /// From so far back to the current row.
    Last(Box<Frame>),
}

impl Sql<'_, '_> {
    /// Adds `over (…)` to a call.
    pub(super) fn over(&self, call: &mut Call, over: &WindowType, span: Span, block: &Block<'_>) -> Resolved<()> {
        let spec = match over {
            WindowType::WindowSpec(spec) if spec.window_name.is_none() => spec,
            WindowType::WindowSpec(_) | WindowType::NamedWindow(_) => {
                return Err(self.unsupported("a window by name", "write its `over (…)` out", span));
            }
        };
        let name = call.function.last().text.clone();
        let mut by = spec.partition_by.iter().map(|key| self.tree(key, block)).collect::<Resolved<Vec<Expr>>>()?;
        // A subquery is computed for all rows around it at once: each of them has its own partitions.
        by.extend(block.links().iter().map(|link| outer_path(&link.name, span)));
        let mut sort = self.sort_keys(&spec.order_by, block)?;
        let placed = matches!(name.as_str(), "row_number" | "rank" | "dense_rank" | "lag" | "lead");
        let edge = matches!(name.as_str(), "first" | "last");
        let bounds = match (&spec.window_frame, placed) {
            (Some(frame), false) => self.bounds(frame, spec, span, block)?,
            _ => Bounds::Running,
        };
        let mut frame = None;
        match bounds {
            Bounds::Running => {}
            Bounds::Last(last) => frame = Some(*last),
            Bounds::Whole if edge => {
                // The last row of all is the first of the order backwards.
                if name == "last" {
                    for key in &mut sort {
                        key.descending = !key.descending;
                    }
                    call.function.parts[0].text = "first".to_string();
                }
            }
            Bounds::Whole => sort.clear(),
        }
        call.over = Some(Over { by, sort, frame, span });
        Ok(())
    }

    fn bounds(&self, frame: &WindowFrame, spec: &WindowSpec, span: Span, block: &Block<'_>) -> Resolved<Bounds> {
        use WindowFrameBound::{CurrentRow, Following, Preceding};
        let end = frame.end_bound.as_ref().unwrap_or(&CurrentRow);
        let rows = match frame.units {
            WindowFrameUnits::Rows => true,
            WindowFrameUnits::Range => false,
            WindowFrameUnits::Groups => {
                let help = "a frame counts rows, or goes by a distance with `range`";
                return Err(self.unsupported("a frame of groups", help, span));
            }
        };
        let last = |extent: Expr| Ok(Bounds::Last(Box::new(Frame { extent, rows, span })));
        match (&frame.start_bound, end) {
            (Preceding(None), Following(None)) => Ok(Bounds::Whole),
            (Preceding(None), CurrentRow) if !rows || spec.order_by.is_empty() => Ok(Bounds::Running),
            (Preceding(None), CurrentRow) => last(int(ALL_ROWS, span)),
            (CurrentRow, CurrentRow) if rows => last(int(1, span)),
            (CurrentRow, CurrentRow) => Err(self.unsupported("a frame of peers", "", span)),
            (Preceding(Some(extent)), CurrentRow) => {
                let extent = self.extent(extent, block)?;
                match (&extent.kind, rows) {
                    // Ours counts the current row.
                    (ExprKind::Literal(Literal::Int(count)), true) => last(int(count.saturating_add(1), extent.span)),
                    _ => last(extent),
                }
            }
            _ => {
                let help = "a frame ends with the current row; to look ahead, order the other way round, or use `lead`";
                Err(self.unsupported("a frame that ends elsewhere than with the current row", help, span))
            }
        }
    }

    fn extent(&self, extent: &SqlExpr, block: &Block<'_>) -> Resolved<Expr> {
        self.tree(extent, block)
    }
}
