//! Notebook files, format 4: read leniently, written as a front end would.
//!
//! The document is kept as it came; only what a run produces is replaced, so that nothing a later version of the format
//! adds is lost.

pub mod record;
pub mod source;

use serde_json::{Value, json};

use crate::language;

/// The tag of a cell that is not run without a front end.
const SKIP_TAG: &str = "skip-execution";

/// The tag of a cell that is meant to fail.
const RAISES_TAG: &str = "raises-exception";

/// Why a file is not a notebook.
#[derive(Debug, thiserror::Error)]
pub enum NotebookError {
    /// It is not JSON.
    #[error("the file is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It has no list of cells, as a notebook of format 4 has.
    #[error("the file is not a notebook of format 4")]
    Format,
    /// It is of an earlier format, which Jupyter's tools bring up to date.
    #[error("it is a notebook of format {0}; `jupyter nbconvert --to notebook` writes it in format 4")]
    Old(u64),
    /// It is of a format that came later than this program.
    #[error("it is a notebook of format {0}, and this version knows format 4")]
    New(u64),
}

/// A notebook.
#[derive(Clone, Debug)]
pub struct Notebook {
    root: Value,
}

/// A cell that is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeCell {
    /// Its place among all cells.
    pub index: usize,
    /// Its id in the file, or one made from its place.
    pub id: String,
    /// Its text.
    pub source: String,
    /// True if it may fail without failing the run.
    pub may_fail: bool,
}

impl Notebook {
    /// Reads the text of a notebook file.
    ///
    /// # Errors
    /// Where the text is not a notebook of format 4.
    pub fn parse(text: &str) -> Result<Self, NotebookError> {
        let root: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
        match root.get("nbformat").and_then(Value::as_u64) {
            Some(format) if format < 4 => Err(NotebookError::Old(format)),
            Some(format) if format > 4 => Err(NotebookError::New(format)),
            _ if root.get("cells").is_some_and(Value::is_array) => Ok(Notebook { root }),
            _ => Err(NotebookError::Format),
        }
    }

    /// The language that the notebook says it is in, if that is not Tide.
    pub fn foreign_language(&self) -> Option<String> {
        let said = ["/metadata/kernelspec/language", "/metadata/language_info/name", "/metadata/kernelspec/name"];
        let found = said.iter().find_map(|place| self.root.pointer(place).and_then(Value::as_str))?;
        (found != language::NAME).then(|| found.to_string())
    }

    /// A notebook whose one cell is a script.
    pub fn of_script(source: &str) -> Self {
        let cell = json!({
            "cell_type": "code",
            "execution_count": null,
            "id": "script",
            "metadata": {},
            "outputs": [],
            "source": source,
        });
        Notebook { root: json!({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}) }
    }

    /// The cells to run, in order: code that is not empty and not tagged to be skipped.
    pub fn code_cells(&self) -> Vec<CodeCell> {
        let cells = self.root.get("cells").and_then(Value::as_array);
        let mut found = Vec::new();
        for (index, cell) in cells.into_iter().flatten().enumerate() {
            let source = joined(cell.get("source"));
            let tags = cell.pointer("/metadata/tags").and_then(Value::as_array);
            let tagged = |tag: &str| tags.is_some_and(|tags| tags.iter().any(|found| found == tag));
            let is_code = cell.get("cell_type").and_then(Value::as_str) == Some("code");
            if !is_code || source.trim().is_empty() || tagged(SKIP_TAG) {
                continue;
            }
            let id = cell.get("id").and_then(Value::as_str).map_or_else(|| format!("cell-{index}"), str::to_string);
            found.push(CodeCell { index, id, source, may_fail: tagged(RAISES_TAG) });
        }
        found
    }

    /// Removes the outputs of all code cells: those that are not run have none.
    pub fn clear_outputs(&mut self) {
        for cell in self.root.get_mut("cells").and_then(Value::as_array_mut).into_iter().flatten() {
            if cell.get("cell_type").and_then(Value::as_str) == Some("code") {
                cell["outputs"] = json!([]);
                cell["execution_count"] = Value::Null;
            }
        }
    }

    /// Puts the outputs of a run into the cell at `index`.
    pub fn set_outputs(&mut self, index: usize, execution_count: usize, outputs: Vec<Value>) {
        if let Some(cell) = self.root.get_mut("cells").and_then(|cells| cells.get_mut(index)) {
            cell["outputs"] = Value::Array(outputs);
            cell["execution_count"] = json!(execution_count);
        }
    }

    /// Says which kernel ran the notebook, so that every tool finds it and the right lexer.
    pub fn set_language(&mut self, version: &str) {
        if !self.root.get("metadata").is_some_and(Value::is_object) {
            self.root["metadata"] = json!({});
        }
        self.root["metadata"]["kernelspec"] = language::kernelspec_metadata();
        self.root["metadata"]["language_info"] = language::language_info(version);
        for (field, value) in [("nbformat", 4), ("nbformat_minor", 5)] {
            if self.root.get(field).is_none() {
                self.root[field] = json!(value);
            }
        }
    }

    /// The text of the file: indented by one space, as notebooks are.
    ///
    /// # Errors
    /// Never in practice: a value that was parsed or built can be written.
    pub fn to_text(&self) -> Result<String, NotebookError> {
        let mut out = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
        serde::Serialize::serialize(&self.root, &mut serde_json::Serializer::with_formatter(&mut out, formatter))?;
        out.push(b'\n');
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

/// Text that may be split into lines.
fn joined(text: Option<&Value>) -> String {
    match text {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r##"{
      "cells": [
        {"cell_type": "markdown", "source": "# a = 1"},
        {"cell_type": "code", "id": "one", "source": ["a = rows [ {x: 1} ]\n", "a"], "metadata": {"tags": ["parameters"]}},
        {"cell_type": "raw", "source": "raw"},
        {"cell_type": "code", "source": "b", "metadata": {"tags": ["raises-exception"]}},
        {"cell_type": "code", "source": "c", "metadata": {"tags": ["skip-execution"]}, "outputs": [1]},
        {"cell_type": "code", "source": " \n", "new_field": true}
      ],
      "metadata": {"authors": ["x"]},
      "nbformat": 4
    }"##;

    #[test]
    fn only_code_is_run() {
        let cells = Notebook::parse(FILE).unwrap().code_cells();
        let seen: Vec<_> = cells.iter().map(|c| (c.index, c.id.as_str(), c.source.as_str(), c.may_fail)).collect();
        assert_eq!(seen, vec![(1, "one", "a = rows [ {x: 1} ]\na", false), (3, "cell-3", "b", true)]);
    }

    #[test]
    fn a_run_changes_outputs_and_language_and_nothing_else() {
        let mut notebook = Notebook::parse(FILE).unwrap();
        notebook.clear_outputs();
        notebook.set_outputs(1, 1, vec![json!({"output_type": "stream"})]);
        notebook.set_language("0.1");
        let text = notebook.to_text().unwrap();
        assert!(text.starts_with("{\n \"cells\": [\n") && text.ends_with("}\n"), "{text}");
        let root: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(root.pointer("/cells/1/outputs/0/output_type"), Some(&json!("stream")));
        assert_eq!(root.pointer("/cells/1/execution_count"), Some(&json!(1)));
        assert_eq!(root.pointer("/cells/4/outputs"), Some(&json!([])));
        assert_eq!(root.pointer("/cells/5/new_field"), Some(&json!(true)));
        assert_eq!(root.pointer("/metadata/authors/0"), Some(&json!("x")));
        assert_eq!(root.pointer("/metadata/kernelspec/name"), Some(&json!("tide")));
        assert_eq!(root.pointer("/metadata/language_info/pygments_lexer"), Some(&json!("tide")));
        assert_eq!(root.get("nbformat_minor"), Some(&json!(5)));
        assert!(root.pointer("/cells/0/outputs").is_none());
    }

    #[test]
    fn a_script_is_a_notebook_of_one_cell() {
        let script = "a = rows [ {x: 1} ]\na\n";
        let cells = Notebook::of_script(script).code_cells();
        assert_eq!(cells.len(), 1);
        assert_eq!(cells[0].source, script);
    }

    #[test]
    fn what_is_not_a_notebook_is_refused() {
        assert!(matches!(Notebook::parse("a = 1"), Err(NotebookError::Json(_))));
        assert!(matches!(Notebook::parse("{}"), Err(NotebookError::Format)));
        assert!(matches!(Notebook::parse(r#"{"worksheets": [], "nbformat": 3}"#), Err(NotebookError::Old(3))));
        assert!(matches!(Notebook::parse(r#"{"cells": [], "nbformat": 5}"#), Err(NotebookError::New(5))));
        assert!(Notebook::parse("\u{feff}{\"cells\": []}").is_ok());
    }
}
