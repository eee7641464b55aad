//! What the cells of a session have defined: tables, functions, parameters and settings.
//!
//! *Invariant:* every table of the catalog has a plan that once resolved. A table whose text no longer resolves keeps
//! its last plan and is marked as broken, so that its dependents can be resolved again when it is mended.

mod depend;
mod table;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion_common::ScalarValue;
use indexmap::IndexMap;
use tidebook_plan::connector::SourceField;
use tidebook_plan::flow::History;
use tidebook_plan::{ColumnType, Diagnostic, HistoryId, Schema, Type};

use crate::syntax::tree;

pub(crate) use depend::{affected, in_order, upstream};
pub(crate) use table::{ErrorStream, TableColumn, TablePlan};

/// Names that a definition was resolved with; a change of any of them means to resolve it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Uses {
    /// Tables, those that were missing included.
    pub tables: BTreeSet<String>,
    /// Functions of `fn`.
    pub functions: BTreeSet<String>,
    /// Parameters.
    pub params: BTreeSet<String>,
    /// How much of what they stand for went into it.
    pub extent: Extent,
}

impl Uses {
    /// All names, of whatever kind.
    pub fn names(&self) -> impl Iterator<Item = &String> + Clone {
        self.tables.iter().chain(&self.functions).chain(&self.params)
    }
}

/// How much a table consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Steps and heads, those of a table as often as it is read (as many as can be counted).
    pub nodes: usize,
    /// Its own steps and heads.
    pub own: usize,
    /// Its own steps.
    pub steps: usize,
    /// Steps to the tables that it reads, the longest way.
    pub below: usize,
}

impl Extent {
    /// Steps from a source, at most.
    pub fn depth(self) -> usize {
        self.steps + self.below
    }

    /// Takes in a further part.
    pub fn add(&mut self, part: Extent) {
        self.nodes = self.nodes.saturating_add(part.nodes);
        self.own += part.own;
        self.steps += part.steps;
        self.below = self.below.max(part.below);
    }
}

/// A definition of a table.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    /// The cell that it stands in.
    pub cell: String,
    /// The text of that cell.
    pub text: Arc<str>,
    /// The table's name there.
    pub name: tree::Name,
    /// Its tree.
    pub pipeline: Arc<tree::Pipeline>,
    /// Its last plan that resolved.
    pub plan: Arc<TablePlan>,
    /// Why its text no longer resolves.
    pub broken: Option<Diagnostic>,
    /// What it was resolved with.
    pub uses: Uses,
    /// How often its statement has run before; part of the identity of its sources.
    pub generation: u64,
}

/// A definition of a function.
#[derive(Clone, Debug)]
pub(crate) struct FunctionDefinition {
    pub cell: String,
    pub params: Vec<(String, Option<ColumnType>)>,
    pub returns: Option<ColumnType>,
    pub body: Arc<tree::Expr>,
    /// True if an aggregate stands in its body, or in that of a function that it calls.
    pub aggregates: bool,
}

/// A parameter with the value that it has.
#[derive(Clone, Debug)]
pub(crate) struct ParamDefinition {
    pub cell: String,
    pub ty: ColumnType,
    /// The value that it has where none is given.
    pub default: Option<ScalarValue>,
    pub value: ScalarValue,
    pub shown: String,
}

/// A value that `%param` gives to a parameter, whether it is declared yet or not.
#[derive(Clone, Debug)]
pub(crate) struct GivenValue {
    /// The cell that gives it.
    pub cell: String,
    /// The expression as it is written there.
    pub text: String,
}

/// The definitions of a session.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub(crate) tables: IndexMap<String, Definition>,
    pub(crate) functions: IndexMap<String, FunctionDefinition>,
    pub(crate) params: IndexMap<String, ParamDefinition>,
    /// Values that `%param` gives, by the name of the parameter.
    pub(crate) given: IndexMap<String, GivenValue>,
    pub(crate) settings: IndexMap<String, ScalarValue>,
    /// The next number of a column id.
    pub(crate) next_id: u64,
    /// How often each statement that may read has run.
    pub(crate) generations: HashMap<String, u64>,
    /// What sources without a schema said of themselves, by the hash of their identity (which holds secrets): a plan
    /// that is made again must not read again.
    pub(crate) described: HashMap<u64, Vec<SourceField>>,
}

/// A table as people see it.
#[derive(Clone, Debug)]
pub struct TableInfo {
    /// Its name.
    pub name: String,
    /// Its columns and key, those of its last plan if it is broken.
    pub schema: Schema,
    /// The cell that defines it.
    pub cell: String,
    /// Its definition as written: name and pipeline.
    pub definition: String,
    /// Tables that it reads directly.
    pub reads: Vec<String>,
    /// The sources that it reads directly, without secrets: `csv("data/orders.csv")`.
    pub sources: Vec<String>,
    /// Why its text no longer resolves, if it does not.
    pub broken: Option<String>,
}

/// A function as people see it.
#[derive(Clone, Debug)]
pub struct FunctionInfo {
    /// Its name.
    pub name: String,
    /// Its parameters; `None` takes every type.
    pub params: Vec<(String, Option<ColumnType>)>,
    /// The type that it gives, where it is declared.
    pub returns: Option<ColumnType>,
    /// The cell that defines it.
    pub cell: String,
}

/// A parameter as people see it.
#[derive(Clone, Debug)]
pub struct ParamInfo {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its value as text.
    pub value: String,
    /// The cell that declares it.
    pub cell: String,
}

impl Catalog {
    /// All tables, in the order of their first definition.
    pub fn tables(&self) -> Vec<TableInfo> {
        self.tables.iter().map(|(name, definition)| info(name, definition)).collect()
    }

    /// The table called `name`.
    pub fn table(&self, name: &str) -> Option<TableInfo> {
        self.tables.get(name).map(|definition| info(name, definition))
    }

    /// All functions of `fn`.
    pub fn functions(&self) -> Vec<FunctionInfo> {
        let one = |(name, f): (&String, &FunctionDefinition)| FunctionInfo {
            name: name.clone(),
            params: f.params.clone(),
            returns: f.returns.clone(),
            cell: f.cell.clone(),
        };
        self.functions.iter().map(one).collect()
    }

    /// All parameters.
    pub fn params(&self) -> Vec<ParamInfo> {
        let one = |(name, p): (&String, &ParamDefinition)| ParamInfo {
            name: name.clone(),
            ty: p.ty.ty.clone(),
            value: p.shown.clone(),
            cell: p.cell.clone(),
        };
        self.params.iter().map(one).collect()
    }

    /// What each definition keeps that is bound to history, in it and below it: these programs run as long as it stands.
    /// Each comes after those that it reads itself.
    pub fn histories(&self) -> impl Iterator<Item = (&str, &[Arc<History>])> {
        let held = self.tables.iter().map(|(name, definition)| (name.as_str(), definition.plan.histories.as_slice()));
        held.filter(|(_, histories)| !histories.is_empty())
    }

    /// What a definition keeps itself, without what the tables keep that it reads.
    pub(crate) fn own_histories(&self, name: &str) -> Vec<HistoryId> {
        let Some(definition) = self.tables.get(name) else { return Vec::new() };
        let read = definition.uses.tables.iter().filter(|read| *read != name).filter_map(|read| self.tables.get(read));
        let read: BTreeSet<HistoryId> =
            read.flat_map(|table| &table.plan.histories).map(|history| history.id).collect();
        definition.plan.histories.iter().map(|history| history.id).filter(|id| !read.contains(id)).collect()
    }

    /// Names that `%param` gives a value, whether a `param` declares them or not.
    pub fn given_parameters(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// The value of a setting, if a cell has set it.
    pub fn setting(&self, name: &str) -> Option<&ScalarValue> {
        self.settings.get(name)
    }
}

fn info(name: &str, definition: &Definition) -> TableInfo {
    TableInfo {
        name: name.to_string(),
        schema: definition.plan.schema(),
        cell: definition.cell.clone(),
        definition: definition.name.span.to(definition.pipeline.span).of(&definition.text).to_string(),
        reads: definition.uses.tables.iter().cloned().collect(),
        sources: definition.plan.sources.clone(),
        broken: definition.broken.as_ref().map(|diagnostic| diagnostic.message.clone()),
    }
}
