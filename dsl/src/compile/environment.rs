//! What compiling needs from outside of the text.

use std::path::Path;

use tidebook_plan::connector::{ConnectorError, ConnectorSpec, Options, SourceField};

/// Connectors, variables, parameters from outside and the notebook's folder.
pub trait Environment {
    /// The specs of all connectors, sources and sinks.
    fn connectors(&self) -> Vec<&ConnectorSpec>;

    /// The columns that a source declares of itself or that a sample shows.
    ///
    /// # Errors
    /// Where the input is missing, unreadable or does not say.
    fn describe(&self, connector: &str, options: &Options) -> Result<Vec<SourceField>, ConnectorError>;

    /// True if the source reads less where a plan needs less.
    fn selects(&self, _connector: &str, _options: &Options) -> bool {
        false
    }

    /// The variable that `env("NAME")` reads.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text given from outside for a parameter.
    fn parameter(&self, name: &str) -> Option<String>;

    /// The folder that relative paths start from.
    fn base(&self) -> &Path;

    /// Whether plans are optimised. Only tests that compare both say no.
    fn optimizes(&self) -> bool {
        true
    }
}

/// No connectors, nothing given: enough for what is already resolved.
pub(crate) struct Nothing;

impl Environment for Nothing {
    fn connectors(&self) -> Vec<&ConnectorSpec> {
        Vec::new()
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
