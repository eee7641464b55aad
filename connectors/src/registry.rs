//! Every connector. To add one: its file, and one line here.

use std::sync::Arc;

use tidebook_plan::connector::{ConnectorSpec, SinkConnector, SourceConnector};

use crate::{columnar, demo, files, secrets, sink};

/// All that read.
pub fn sources() -> Vec<Arc<dyn SourceConnector>> {
    vec![
        secrets::source(files::csv::source()),
        secrets::source(files::csv::tab_separated()),
        secrets::source(files::jsonl::source()),
        secrets::source(files::json::source()),
        secrets::source(files::text::source()),
        secrets::source(files::whole::source()),
        secrets::source(columnar::sources::parquet()),
        secrets::source(columnar::sources::arrow()),
        secrets::source(demo::ticks::source()),
        secrets::source(demo::replay::source()),
    ]
}

/// All that write.
pub fn sinks() -> Vec<Arc<dyn SinkConnector>> {
    vec![
        secrets::sink(sink::csv::sink()),
        secrets::sink(sink::csv::tab_separated()),
        secrets::sink(sink::jsonl::sink()),
        secrets::sink(sink::columnar::parquet()),
        secrets::sink(sink::columnar::arrow()),
    ]
}

/// What all of them are called, take and promise, sources first.
pub fn specs() -> Vec<ConnectorSpec> {
    let sources = sources().into_iter().map(|source| source.spec().clone());
    sources.chain(sinks().into_iter().map(|sink| sink.spec().clone())).collect()
}
