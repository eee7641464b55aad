//! Values from the environment stay inside: what a connector says of its input or its target names no secret.
//!
//! A connector is used as it is; around a use with a secret among its options stands a guard, which goes over every
//! error, every row error and nothing else. So no connector has to think of it, and one without secrets pays nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Contents, OpenRequest, OptionValue, Options, Sink, SinkConnector, SinkRequest,
    Source, SourceConnector, SourceEvent, SourceField,
};

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// The secrets of one use of a connector.
#[derive(Clone)]
struct Secrets(Arc<[String]>);

impl Secrets {
    /// Those among the options; `None` without any.
    fn of(options: &Options) -> Option<Secrets> {
        let secret = |value: &OptionValue| match value {
            OptionValue::Secret(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let mut found: Vec<String> = options.0.values().filter_map(secret).collect();
        // A longer one may hold a shorter one.
        found.sort_by_key(|text| std::cmp::Reverse(text.len()));
        (!found.is_empty()).then(|| Secrets(found.into()))
    }

    fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_string(), |text, secret| text.replace(secret, HIDDEN))
    }

    /// Where something is may be made of a secret in ways that cannot be found in it, as a path is of a wildcard.
    fn error(&self, error: ConnectorError) -> ConnectorError {
        let what = HIDDEN.to_string();
        match error {
            ConnectorError::Missing { .. } => ConnectorError::Missing { what },
            ConnectorError::Io { action, source, .. } => {
                let source = match source.raw_os_error() {
                    Some(_) => source,
                    None => std::io::Error::new(source.kind(), self.hide(&source.to_string())),
                };
                ConnectorError::Io { action, what, source }
            }
            ConnectorError::Format { message, .. } => ConnectorError::Format { what, message: self.hide(&message) },
            ConnectorError::Option { option, message } => {
                ConnectorError::Option { option, message: self.hide(&message) }
            }
            ConnectorError::Changed { message, .. } => ConnectorError::Changed { what, message: self.hide(&message) },
        }
    }

    fn event(&self, mut event: SourceEvent) -> SourceEvent {
        if let SourceEvent::Batch(batch) = &mut event {
            for error in &mut batch.errors {
                error.origin = error.origin.take().map(|_| HIDDEN.to_string());
                error.message = self.hide(&error.message);
            }
        }
        event
    }
}

/// A connector that reads, with its secrets kept.
pub fn source(connector: impl SourceConnector + 'static) -> Arc<dyn SourceConnector> {
    Arc::new(Guarded(connector))
}

/// A connector that writes, with its secrets kept.
pub fn sink(connector: impl SinkConnector + 'static) -> Arc<dyn SinkConnector> {
    Arc::new(Guarded(connector))
}

struct Guarded<T>(T);

impl<T: SourceConnector> SourceConnector for Guarded<T> {
    fn spec(&self) -> &ConnectorSpec {
        self.0.spec()
    }

    fn describe(&self, options: &Options, base: &Path) -> Result<Vec<SourceField>, ConnectorError> {
        self.0.describe(options, base).map_err(|error| match Secrets::of(options) {
            Some(secrets) => secrets.error(error),
            None => error,
        })
    }

    fn contents(&self, options: &Options) -> Contents {
        self.0.contents(options)
    }

    fn selects(&self, options: &Options) -> bool {
        self.0.selects(options)
    }

    fn is_bounded(&self, options: &Options) -> bool {
        self.0.is_bounded(options)
    }

    fn has_history(&self, options: &Options) -> bool {
        self.0.has_history(options)
    }

    fn open(&self, request: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
        let Some(secrets) = Secrets::of(&request.spec.options) else { return self.0.open(request) };
        match self.0.open(request) {
            Ok(source) => Ok(Box::new(Keeping { inner: source, secrets })),
            Err(error) => Err(secrets.error(error)),
        }
    }
}

impl<T: SinkConnector> SinkConnector for Guarded<T> {
    fn spec(&self) -> &ConnectorSpec {
        self.0.spec()
    }

    fn target(&self, request: &SinkRequest) -> Option<String> {
        self.0.target(request)
    }

    fn open(&self, request: SinkRequest) -> Result<Box<dyn Sink>, ConnectorError> {
        let Some(secrets) = Secrets::of(&request.options) else { return self.0.open(request) };
        match self.0.open(request) {
            Ok(sink) => Ok(Box::new(Keeping { inner: sink, secrets })),
            Err(error) => Err(secrets.error(error)),
        }
    }
}

/// A running source or sink that keeps its secrets.
struct Keeping<T> {
    inner: T,
    secrets: Secrets,
}

impl Source for Keeping<Box<dyn Source>> {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent, ConnectorError> {
        match self.inner.next(wait) {
            Ok(event) => Ok(self.secrets.event(event)),
            Err(error) => Err(self.secrets.error(error)),
        }
    }

    fn refresh(&mut self) {
        self.inner.refresh();
    }
}

impl Sink for Keeping<Box<dyn Sink>> {
    fn write(&mut self, epoch: u64, changes: &ChangeBatch) -> Result<(), ConnectorError> {
        self.inner.write(epoch, changes).map_err(|error| self.secrets.error(error))
    }

    fn commit(&mut self, epoch: u64) -> Result<(), ConnectorError> {
        self.inner.commit(epoch).map_err(|error| self.secrets.error(error))
    }
}
