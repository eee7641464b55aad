//! Questions about text that is being written: answered from the last catalog, also while a cell runs.

use tidebook_dsl::assist::{self, FunctionDoc, Scope};
use tidebook_dsl::{Environment, functions};
use tidebook_plan::ColumnType;

use crate::compile;
use crate::markdown;
use crate::output::{CellFailure, CellRequest, FailureKind, Inspected};
use crate::session::{Faults, Session};

pub use tidebook_dsl::syntax::Completeness;

/// One thing that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletionItem {
    /// The text to insert.
    pub label: String,
    /// `table`, `column`, `step`, `function`, `connector`, `option`, `keyword`, …
    pub kind: String,
    /// A few words beside it: a type, a signature.
    pub detail: String,
    /// What it does, in Markdown; may be empty.
    pub doc: String,
}

/// What could stand at the cursor, and the text that it would replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Byte offset at which the replaced text begins.
    pub start: usize,
    /// Byte offset one past its end.
    pub end: usize,
    /// The choices, best first.
    pub items: Vec<CompletionItem>,
}

impl Session {
    /// Whether a cell can be run as it stands.
    pub fn is_complete(&self, text: &str) -> Completeness {
        tidebook_dsl::syntax::is_complete(text)
    }

    /// What could stand at byte `offset` of `text`.
    pub fn complete(&self, text: &str, offset: usize) -> Completion {
        let found = assist::complete(text, offset, &self.scope());
        let items = found.items.into_iter().map(|item| CompletionItem {
            label: item.label,
            kind: item.kind.word().to_string(),
            detail: item.detail,
            doc: item.doc,
        });
        Completion { start: found.start, end: found.end, items: items.collect() }
    }

    /// What is known about the word at byte `offset` of `text`; with `detailed`, all of it.
    pub fn inspect(&self, text: &str, offset: usize, detailed: bool) -> Option<Inspected> {
        let found = assist::inspect(text, offset, &self.scope(), detailed)?;
        Some(Inspected { html: markdown::to_html(&found.markdown), text: found.text, markdown: found.markdown })
    }

    /// The value of an expression over what is defined, as text.
    ///
    /// # Errors
    /// Where the expression is wrong or fails.
    pub fn evaluate(&self, expression: &str) -> Result<String, CellFailure> {
        compile::evaluate(expression, &self.catalog(), &self.world).map_err(|diagnostics| {
            let request = CellRequest { cell: String::new(), name: "expression".into(), text: expression.to_string() };
            let mut faults = Faults::default();
            diagnostics.into_iter().for_each(|diagnostic| faults.diagnostic(diagnostic, &request));
            faults.add_if_none(FailureKind::Diagnostic, "this expression has no value".to_string());
            faults.into_failure()
        })
    }

    /// All that has a name.
    fn scope(&self) -> Scope {
        let catalog = self.catalog();
        let library = functions::functions().map(|function| FunctionDoc {
            name: function.name.to_string(),
            signature: function.signatures().join("\n"),
            doc: function.doc.to_string(),
            examples: function.examples.iter().map(|(expression, result)| format!("{expression} → {result}")).collect(),
        });
        let aggregates = functions::AGGREGATES.iter().map(|aggregate| FunctionDoc {
            name: aggregate.name.to_string(),
            signature: aggregate.signatures.join("\n"),
            doc: aggregate.doc.to_string(),
            examples: vec![aggregate.example.to_string()],
        });
        let own = catalog.functions().into_iter().map(|function| {
            let parameters: Vec<String> = function
                .params
                .iter()
                .map(|(name, ty)| format!("{name}: {}", ty.as_ref().map_or("any".to_string(), ColumnType::to_string)))
                .collect();
            let returns = function.returns.map_or_else(String::new, |ty| format!(" -> {ty}"));
            FunctionDoc {
                signature: format!("{}({}){returns}", function.name, parameters.join(", ")),
                name: function.name,
                doc: "defined in this notebook".to_string(),
                examples: Vec::new(),
            }
        });
        Scope {
            tables: catalog.tables().into_iter().map(|table| (table.name, table.schema)).collect(),
            functions: library.chain(aggregates).chain(own).collect(),
            connectors: self.world.connectors().into_iter().cloned().collect(),
            params: catalog.params().into_iter().map(|param| (param.name, ColumnType::required(param.ty))).collect(),
        }
    }
}
