//! `… | write connector(…)`.

use tidebook_plan::connector::{Direction, Options, WriteMode};

use crate::catalog::TablePlan;
use crate::diagnostics::{names, sources};
use crate::resolve::Resolver;
use crate::resolve::fault::{self, Resolved};
use crate::resolve::options::check_columns;
use crate::resolve::scope::quoted;
use crate::syntax::tree::{ConnectorUse, Expr, ExprKind, Literal, NamedArgument, Pipeline, Step};

/// The words of `mode:`.
const MODES: &[(&str, WriteMode)] =
    &[("upsert", WriteMode::Upsert), ("append", WriteMode::Append), ("changes", WriteMode::Changes)];

/// A table with where it goes.
pub(crate) struct ResolvedWrite {
    pub table: TablePlan,
    pub connector: String,
    pub options: Options,
    pub mode: WriteMode,
}

impl Resolver<'_> {
    /// The pipeline, whose last step is the given `write`.
    pub(crate) fn write(
        &self,
        pipeline: &Pipeline,
        before: &[Step],
        sink: &ConnectorUse,
        step: &Step,
    ) -> Resolved<ResolvedWrite> {
        let mut relation = self.steps(pipeline, before)?;
        relation.forget_hidden();
        let table = self.finish(relation, pipeline.span)?;
        let spec = self.connector(&sink.connector, Direction::Sink)?;
        if let Some(schema) = &sink.schema {
            let span = schema.first().map_or(sink.span, |field| field.span);
            return Err(sources::UNKNOWN_OPTION
                .error("`write` takes no schema: the table has one", span)
                .with_help("choose and rename columns before: `| select a, b: c`")
                .into());
        }
        let is_mode = |argument: &&NamedArgument| argument.name.text == "mode";
        let wanted = sink.arguments.named.iter().find(is_mode).map(|argument| &argument.value);
        let named: Vec<_> = sink.arguments.named.iter().filter(|argument| !is_mode(argument)).collect();
        let checked = self.options(spec, &sink.arguments, &named)?;
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        check_columns(spec, &checked, &names)?;
        let mode = self.mode(&table, wanted, step)?;
        Ok(ResolvedWrite { table, connector: spec.name.to_string(), options: checked.options, mode })
    }

    fn mode(&self, table: &TablePlan, wanted: Option<&Expr>, step: &Step) -> Resolved<WriteMode> {
        let key_help = || {
            let column = table.columns.first().map_or("id".to_string(), |column| quoted(&column.name));
            format!("give the table a key (`| key by {column}`), or write every change with `mode: changes`")
        };
        let Some(expr) = wanted else {
            return match (table.key.is_empty(), table.retracts) {
                (false, _) => Ok(WriteMode::Upsert),
                (true, false) => Ok(WriteMode::Append),
                (true, true) => Err(sources::WRITE_MODE
                    .error(
                        "the table takes rows back and has no key, so it can neither be appended nor upserted",
                        step.span,
                    )
                    .with_help(key_help())
                    .into()),
            };
        };
        let word = match &expr.kind {
            ExprKind::Name(name) => name.text.as_str(),
            ExprKind::Literal(Literal::Text(text)) => text.as_str(),
            _ => {
                return Err(sources::WRITE_MODE
                    .error("`mode` is a word", expr.span)
                    .with_help("write `mode: upsert`, `mode: append` or `mode: changes`")
                    .into());
            }
        };
        let Some((_, mode)) = MODES.iter().find(|(name, _)| *name == word) else {
            let words: Vec<&str> = MODES.iter().map(|(name, _)| *name).collect();
            let diagnostic = sources::WRITE_MODE.error(format!("`mode` cannot be `{word}`"), expr.span);
            return Err(fault::suggest(diagnostic, word, &words, "it is one of").into());
        };
        match mode {
            WriteMode::Upsert if table.key.is_empty() => Err(sources::WRITE_MODE
                .error("`mode: upsert` needs a key, and the table has none", expr.span)
                .with_help(key_help())
                .into()),
            WriteMode::Append if table.retracts => Err(sources::WRITE_MODE
                .error("`mode: append` cannot take rows back, and this table may", expr.span)
                .with_help(if table.key.is_empty() {
                    key_help()
                } else {
                    "leave the mode out to upsert by the table's key, or write every change with `mode: changes`"
                        .to_string()
                })
                .into()),
            WriteMode::Changes if table.columns.iter().any(|c| c.name == "_epoch" || c.name == "_diff") => {
                Err(names::SAME_NAME
                    .error(
                        "`mode: changes` adds the columns `_epoch` and `_diff`, which the table already has",
                        expr.span,
                    )
                    .with_help("rename or drop them first")
                    .into())
            }
            mode => Ok(*mode),
        }
    }
}
