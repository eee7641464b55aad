//! Questions about text that is being written: answered from the last catalog, also while a cell runs.

use tidebook_dsl::assist::{self, FileName, FunctionDoc, Scope, Surroundings, TableDoc};
use tidebook_dsl::{Environment, TableInfo, functions};
use tidebook_plan::{ColumnType, Schema};

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
        let found = assist::complete(text, offset, &self.scope(), self);
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
        let found = assist::inspect(text, offset, &self.scope(), self, detailed)?;
        let (html, text) = (markdown::to_html(&found.markdown), markdown::to_text(&found.markdown));
        Some(Inspected { html, text, markdown: found.markdown })
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
            is_aggregate: false,
        });
        let aggregates = functions::AGGREGATES.iter().map(|aggregate| FunctionDoc {
            name: aggregate.name.to_string(),
            signature: aggregate.signatures.join("\n"),
            doc: aggregate.doc.to_string(),
            examples: vec![aggregate.example.to_string()],
            is_aggregate: true,
        });
        let windows =
            [&functions::OVER, &functions::SESSION].into_iter().chain(functions::WINDOWS).map(|window| FunctionDoc {
                name: window.name.to_string(),
                signature: window.signatures.join("\n"),
                doc: window.doc.to_string(),
                examples: vec![window.example.to_string()],
                is_aggregate: false,
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
                doc: "Defined in this notebook.".to_string(),
                examples: Vec::new(),
                is_aggregate: false,
            }
        });
        Scope {
            tables: catalog.tables().into_iter().map(described).collect(),
            functions: library.chain(aggregates).chain(windows).chain(own).collect(),
            connectors: self.world.connectors().into_iter().cloned().collect(),
            params: catalog.params().into_iter().map(|param| (param.name, ColumnType::required(param.ty))).collect(),
        }
    }
}

fn described(table: TableInfo) -> TableDoc {
    TableDoc {
        name: table.name,
        schema: table.schema,
        definition: table.definition,
        reads: table.reads.into_iter().chain(table.sources).collect(),
    }
}

/// Names of a folder that are offered at most.
const MOST_NAMES: usize = 1_000;

/// Text that is compiled for the sake of a completion at most, in bytes: a person waits for it.
const MOST_TEXT: usize = 64 << 10;

/// What the pipeline before the cursor is called while it is compiled; not a name that a person would choose.
const COMPLETED: &str = "__before_the_cursor";

impl Surroundings for Session {
    fn folder(&self, path: &str) -> Vec<FileName> {
        let Ok(entries) = std::fs::read_dir(self.world.base().join(path)) else { return Vec::new() };
        let mut names: Vec<FileName> = entries
            .flatten()
            .take(MOST_NAMES)
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                // Follows links, so that one to a folder is a folder.
                let is_folder = entry.path().is_dir();
                (!name.starts_with('.')).then_some(FileName { name, is_folder })
            })
            .collect();
        names.sort_by(|a, b| a.name.cmp(&b.name));
        names
    }

    fn schema(&self, statements: &str, pipeline: &str) -> Option<Schema> {
        if statements.len() + pipeline.len() > MOST_TEXT {
            return None;
        }
        // In a copy: what is being written has not been run.
        let mut catalog = (*self.catalog()).clone();
        let text = format!("{statements}\n{COMPLETED} = {pipeline}\n");
        tidebook_dsl::compile::compile(COMPLETED, &text, &mut catalog, &self.world);
        let table = catalog.table(COMPLETED)?;
        table.broken.is_none().then_some(table.schema)
    }
}
