//! Every connector. To add one: its file, and one line here.

use std::sync::Arc;

use tidebook_plan::connector::{ConnectorSpec, SinkConnector, SourceConnector};

use crate::{columnar, demo, files, sink};

/// All that read.
pub fn sources() -> Vec<Arc<dyn SourceConnector>> {
    vec![
        Arc::new(files::csv::source()),
        Arc::new(files::csv::tab_separated()),
        Arc::new(files::jsonl::source()),
        Arc::new(files::json::source()),
        Arc::new(files::text::source()),
        Arc::new(files::whole::source()),
        Arc::new(columnar::sources::parquet()),
        Arc::new(columnar::sources::arrow()),
        Arc::new(demo::ticks::source()),
        Arc::new(demo::replay::source()),
    ]
}

/// All that write.
pub fn sinks() -> Vec<Arc<dyn SinkConnector>> {
    vec![
        Arc::new(sink::csv::sink()),
        Arc::new(sink::csv::tab_separated()),
        Arc::new(sink::jsonl::sink()),
        Arc::new(sink::columnar::parquet()),
        Arc::new(sink::columnar::arrow()),
    ]
}

/// What all of them are called, take and promise, sources first.
pub fn specs() -> Vec<ConnectorSpec> {
    let sources = sources().into_iter().map(|source| source.spec().clone());
    sources.chain(sinks().into_iter().map(|sink| sink.spec().clone())).collect()
}
