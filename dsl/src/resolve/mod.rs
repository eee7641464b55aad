//! Names and types: from the syntax tree to a logical plan whose columns have ids.
//!
//! A pipeline is resolved from its head to its last step; what is known between two steps is a
//! [`Relation`](relation::Relation): the plan so far, the user's names for its columns, the key, the order. Every fault
//! of the text is found here, before any data flows, and is a diagnostic with a span.

mod aggregate;
mod asof;
mod budget;
mod build;
mod call;
mod closing;
mod columns;
mod computed;
mod constants;
mod dedupe;
mod errors;
mod expect;
mod expression;
pub(crate) mod fault;
mod flatten;
mod function;
mod head;
mod interval;
mod iterate;
mod join;
mod names;
mod options;
mod order;
pub(crate) mod param;
mod pattern;
mod pipeline;
mod pivot;
mod read;
mod relation;
mod rows;
mod sample;
mod scope;
mod session;
mod sets;
mod settings;
mod sql;
mod summarize;
mod types;
mod update;
mod watermark;
mod window;
mod write;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};

use tidebook_plan::connector::SourceField;
use tidebook_plan::{Diagnostic, Span};

use crate::catalog::{Catalog, Uses};
use crate::compile::Environment;
use crate::functions::Typed;
use crate::logical::Origin;

pub(crate) use errors::{errors_table, late_table};
pub(crate) use expression::Reach;
pub(crate) use fault::{Fault, Resolved};
pub(crate) use function::holds_aggregates;
pub(crate) use param::show;
pub(crate) use scope::Scope;
pub(crate) use watermark::Mark;

/// What one statement is resolved with, and what it notes on the way.
pub(crate) struct Resolver<'a> {
    /// Everything that is defined.
    pub catalog: &'a Catalog,
    /// Connectors, variables, the notebook's folder.
    pub env: &'a dyn Environment,
    /// The text of the statement's cell.
    pub text: &'a str,
    /// Names of this cell whose definition failed and that have no earlier one.
    pub failed: &'a BTreeSet<String>,
    /// Names that the statement's cell defines, before it or after it.
    pub named: Option<&'a BTreeSet<String>>,
    /// The table that is being defined.
    pub defining: Option<&'a str>,
    /// How often the statement has run before.
    pub generation: u64,
    /// Identity of the statement: that of what it holds, if it is bound to history.
    pub statement: String,
    /// True once a part of it is bound to history, or of a table that it reads.
    pub holds: Cell<bool>,
    /// The next number of a column id.
    pub next_id: Cell<u64>,
    /// What the statement uses.
    pub uses: RefCell<Uses>,
    /// What sources said of themselves.
    pub described: RefCell<HashMap<u64, Vec<SourceField>>>,
    /// Summaries of the sources that the statement reads.
    pub sources: RefCell<Vec<String>>,
    /// True while an option is evaluated, in which `env` may stand.
    pub env_allowed: Cell<bool>,
    /// True if `env` was used since this was last cleared.
    pub env_used: Cell<bool>,
    /// Loops whose body is being resolved, the outermost first.
    pub loops: RefCell<Vec<iterate::LoopTable>>,
    /// Functions that are being expanded, the outermost first.
    pub expanding: RefCell<Vec<String>>,
    /// What else is wrong with the statement, where one fault does not follow from another.
    pub also: RefCell<Vec<Diagnostic>>,
    /// What is likely not meant, though it is right.
    pub warnings: RefCell<Vec<Diagnostic>>,
    /// How many expressions the one that is being resolved stands in.
    pub depth: Cell<usize>,
}

impl<'a> Resolver<'a> {
    /// A resolver of a statement of `text`.
    pub fn new(catalog: &'a Catalog, env: &'a dyn Environment, text: &'a str, failed: &'a BTreeSet<String>) -> Self {
        Resolver {
            catalog,
            env,
            text,
            failed,
            named: None,
            defining: None,
            generation: 0,
            statement: String::new(),
            holds: Cell::new(false),
            next_id: Cell::new(catalog.next_id),
            uses: RefCell::default(),
            described: RefCell::new(HashMap::new()),
            sources: RefCell::default(),
            env_allowed: Cell::new(false),
            env_used: Cell::new(false),
            loops: RefCell::default(),
            expanding: RefCell::default(),
            also: RefCell::default(),
            warnings: RefCell::default(),
            depth: Cell::new(0),
        }
    }

    /// True for an unknown name that the cell defines further down.
    pub(crate) fn is_later(&self, name: &str) -> bool {
        self.defining != Some(name) && self.named.is_some_and(|named| named.contains(name))
    }

    /// All results of parts that do not depend on each other; where some are faults, the first of them, the others being
    /// told beside it.
    pub(crate) fn all<T>(&self, parts: impl IntoIterator<Item = Resolved<T>>) -> Resolved<Vec<T>> {
        let mut good = Vec::new();
        let mut fault: Option<Fault> = None;
        for part in parts {
            match (part, &fault) {
                (Ok(value), _) => good.push(value),
                (Err(Fault::Said(diagnostic)), Some(Fault::Said(_))) => self.also.borrow_mut().push(*diagnostic),
                (Err(said @ Fault::Said(_)), _) => fault = Some(said),
                (Err(Fault::Quiet), None) => fault = Some(Fault::Quiet),
                (Err(Fault::Quiet), Some(_)) => {}
            }
        }
        fault.map_or(Ok(good), Err)
    }

    /// Both results, as [`Resolver::all`].
    pub(crate) fn both(&self, one: Resolved<Typed>, other: Resolved<Typed>) -> Resolved<(Typed, Typed)> {
        let mut both = self.all([one, other])?.into_iter();
        match (both.next(), both.next()) {
            (Some(one), Some(other)) => Ok((one, other)),
            _ => unreachable!("two parts give two results"),
        }
    }

    /// A new column id for a column called `name`.
    pub(crate) fn fresh(&self, name: &str) -> String {
        let number = self.next_id.get();
        self.next_id.set(number + 1);
        format!("{name}#{number}")
    }

    /// The place and the text of a step.
    pub(crate) fn origin(&self, span: Span) -> Origin {
        Origin { span, step: collapse(span.of(self.text)) }
    }
}

/// Text without comments, each run of white space outside of quotes made one blank.
pub(crate) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match quote {
            Some(open) => {
                out.push(c);
                if c == '\\' {
                    out.extend(chars.next());
                } else if c == open {
                    quote = None;
                }
            }
            None if c == '#' => while chars.next_if(|next| *next != '\n').is_some() {},
            None if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            None => {
                if matches!(c, '"' | '\'' | '`') {
                    quote = Some(c);
                }
                out.push(c);
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// The user's part of a column id.
pub(crate) fn base_name(id: &str) -> &str {
    id.rsplit_once('#').map_or(id, |(name, _)| name)
}
