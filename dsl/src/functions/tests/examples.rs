//! The examples of the documentation give what they say, through the language itself.

use std::path::Path;

use tidebook_plan::connector::{ConnectorError, ConnectorSpec, Options, SourceField};

use super::super::functions;
use crate::compile::evaluate;
use crate::reference::{OPERATORS, TYPES};
use crate::{Catalog, Environment};

/// No connectors, nothing given.
struct Bare;

impl Environment for Bare {
    fn connectors(&self) -> Vec<&ConnectorSpec> {
        vec![]
    }

    fn describe(&self, connector: &str, _: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        Err(ConnectorError::Missing { what: connector.to_string() })
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn parameter(&self, _: &str) -> Option<String> {
        None
    }

    fn base(&self) -> &Path {
        Path::new("")
    }
}

#[test]
fn examples_give_what_they_say() {
    let catalog = Catalog::default();
    let mut wrong = Vec::new();
    let of_functions = functions().flat_map(|function| function.examples);
    let of_expressions = TYPES.iter().chain(OPERATORS).flat_map(|doc| doc.examples);
    for (expression, expected) in of_functions.chain(of_expressions) {
        let found = evaluate(&format!("text({expression})"), &catalog, &Bare);
        let found = found.unwrap_or_else(|faults| format!("{faults:?}"));
        let expected = if *expected == "null" { "null".to_string() } else { format!("{expected:?}") };
        let expected = evaluate(&expected, &catalog, &Bare).unwrap();
        if found != expected {
            wrong.push(format!("{expression} gives {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
