//! What the language asks of the world while it compiles a cell: connectors, samples of sources, variables, overrides.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidebook_dsl::Environment;
use tidebook_plan::connector::{ConnectorError, ConnectorSpec, Options, SinkConnector, SourceConnector, SourceField};

/// The connectors of this build, the notebook's folder and the parameters given from outside.
pub(crate) struct World {
    sources: Vec<Arc<dyn SourceConnector>>,
    sinks: Vec<Arc<dyn SinkConnector>>,
    base: PathBuf,
    parameters: HashMap<String, String>,
}

impl World {
    /// A world with the given folder for relative paths and the given overrides of parameters.
    pub(crate) fn new(base: PathBuf, parameters: impl IntoIterator<Item = (String, String)>) -> Self {
        World {
            sources: tidebook_connectors::registry::sources(),
            sinks: tidebook_connectors::registry::sinks(),
            base,
            parameters: parameters.into_iter().collect(),
        }
    }

    /// Adds a connector that only a test has.
    #[cfg(test)]
    pub(crate) fn add_source(&mut self, source: Arc<dyn SourceConnector>) {
        self.sources.push(source);
    }

    /// All source connectors.
    pub(crate) fn sources(&self) -> Vec<Arc<dyn SourceConnector>> {
        self.sources.clone()
    }

    /// Names of the parameters that were given from outside.
    pub(crate) fn parameter_names(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(String::as_str)
    }

    /// The sink connector called `name`.
    pub(crate) fn sink(&self, name: &str) -> Option<Arc<dyn SinkConnector>> {
        self.sinks.iter().find(|sink| sink.spec().name == name).cloned()
    }
}

impl Environment for World {
    fn connectors(&self) -> Vec<&ConnectorSpec> {
        self.sources.iter().map(|source| source.spec()).chain(self.sinks.iter().map(|sink| sink.spec())).collect()
    }

    fn describe(&self, connector: &str, options: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        match self.sources.iter().find(|source| source.spec().name == connector) {
            Some(source) => source.describe(options, &self.base),
            None => Err(ConnectorError::Missing { what: connector.to_string() }),
        }
    }

    fn selects(&self, connector: &str, options: &Options) -> bool {
        self.sources.iter().any(|source| source.spec().name == connector && source.selects(options))
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.parameters.get(name).cloned()
    }

    fn base(&self) -> &Path {
        &self.base
    }
}
