//! `sql "…"`: a query in SQL as a head like any other.
//!
//! DataFusion's SQL parser reads the text; its planner is not used, since it names columns by their text, chooses types by
//! DataFusion's rules and loses where things stand. Expressions become Tide's own tree ([`expression`]), so names, types,
//! coercions, checked arithmetic and diagnostics are those of the language; clauses become the relations that steps make.
//!
//! A subquery that reads columns of the query around it is computed for all values of these columns at once, and joined
//! back to the rows that it was asked for ([`subquery`]). Joins that are written with commas are put in an order in which
//! each table is found by a key ([`from`], [`graph`]).

mod aggregate;
mod block;
mod conditions;
mod data_type;
mod expression;
mod from;
mod functions;
mod graph;
mod literal;
mod places;
mod query;
mod select;
mod set;
mod subquery;
mod window;

use std::cell::RefCell;

use datafusion_sql::sqlparser::ast::{Query, Spanned, Statement};
use datafusion_sql::sqlparser::dialect::GenericDialect;
use datafusion_sql::sqlparser::parser::{Parser, ParserError};
use tidebook_plan::{Diagnostic, Span};

use crate::catalog::TablePlan;
use crate::diagnostics::sql as codes;
use crate::logical::Origin;
use crate::resolve::Resolver;
use crate::resolve::fault::{Fault, Resolved};
use crate::resolve::relation::Relation;
use crate::syntax::text_places;
use places::Places;

/// A query on its way to a relation.
pub(super) struct Sql<'r, 'a> {
    resolver: &'r Resolver<'a>,
    places: Places,
    /// Common table expressions in reach, the innermost last.
    common: RefCell<Vec<(String, TablePlan)>>,
    /// Names of recursive ones that are being planned.
    recursive: RefCell<Vec<String>>,
}

impl Resolver<'_> {
    /// The rows of the query `text`, which stands in the literal at `span`.
    pub(super) fn sql(&self, text: &str, span: Span) -> Resolved<Relation> {
        let places = Places::new(text, span, text_places(span.of(self.text)));
        let sql = Sql { resolver: self, places, common: RefCell::default(), recursive: RefCell::default() };
        let query = sql.parsed(text)?;
        let mut relation = sql.query(&query, None)?;
        relation.scope.head = None;
        for column in &mut relation.scope.columns {
            column.qualifiers.clear();
        }
        Ok(relation)
    }
}

impl Sql<'_, '_> {
    fn parsed(&self, text: &str) -> Resolved<Box<Query>> {
        let statements = Parser::parse_sql(&GenericDialect {}, text).map_err(|error| self.syntax_error(&error))?;
        let (first, rest) = match statements.split_first() {
            Some(split) => split,
            None => return Err(codes::SYNTAX.error("the query is empty", self.places.whole()).into()),
        };
        if let Some(second) = rest.first() {
            return Err(codes::NOT_A_QUERY
                .error("a head is one query, here is another statement", self.places.span(second.span()))
                .with_help("give each query a `sql \"…\"` of its own")
                .into());
        }
        match first {
            Statement::Query(query) => Ok(query.clone()),
            other => {
                let written = other.to_string();
                let word = written.split_whitespace().next().unwrap_or_default().to_lowercase();
                let help = match word.as_str() {
                    "insert" | "update" | "delete" | "merge" | "truncate" => {
                        "tables follow from their inputs and are not written into: define a table with the rows that it \
                         should have, and `write` it where they belong"
                    }
                    "create" => "a table is defined with `name = sql \"select …\"`",
                    "explain" => "`%explain name` shows the plan of a table",
                    _ => "write `select …`, `values …` or `with … select …`",
                };
                let span = self.places.span(other.span());
                Err(codes::NOT_A_QUERY.error(format!("`{word}` is not a query"), span).with_help(help).into())
            }
        }
    }

    fn syntax_error(&self, error: &ParserError) -> Fault {
        let message = match error {
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => message.clone(),
            ParserError::RecursionLimitExceeded => {
                return codes::SYNTAX
                    .error("the query is nested too deeply", self.places.whole())
                    .with_help("name the inner part: `with name as (…) select …`")
                    .into();
            }
        };
        let (said, place) = match message.rsplit_once(" at Line: ") {
            Some((said, place)) => (said.to_string(), self.places.read(place)),
            None => (message, None),
        };
        let span = place.unwrap_or_else(|| self.places.whole());
        codes::SYNTAX.error(said.replace("Expected:", "expected").replace("EOF", "the end"), span).into()
    }

    /// The place of a part of the query.
    fn span(&self, part: &impl Spanned) -> Span {
        self.places.span(part.span())
    }

    /// The place of a part, and its text as a step.
    fn origin(&self, span: Span) -> Origin {
        self.resolver.origin(span)
    }

    /// D0903: a part of SQL that is not had.
    fn unsupported(&self, what: &str, help: &str, span: Span) -> Fault {
        let diagnostic: Diagnostic = codes::UNSUPPORTED.error(format!("{what} is not available in `sql`"), span);
        if help.is_empty() { diagnostic.into() } else { diagnostic.with_help(help).into() }
    }
}
