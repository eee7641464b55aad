//! The checker, the optimiser and the lowering, over sources that are never read.

use std::path::Path;
use std::sync::Arc;

use tidebook_connectors::registry;
use tidebook_dsl::{Catalog, Environment, StatementKind, compile, explain, recompile};
use tidebook_plan::connector::{ConnectorError, ConnectorSpec, Options, SinkConnector, SourceConnector, SourceField};
use tidebook_plan::{ColumnType, Type};

/// Bytes of the stack that a session compiles on, and less.
const STACK_BYTES: usize = 256 << 20;

/// Any text compiles or gets diagnostics; what compiled can be explained and compiled again.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let done = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        builder.spawn_scoped(scope, || compiled(text)).map(|thread| thread.join())
    });
    match done {
        Ok(Ok(())) => {}
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => panic!("no thread: {error}"),
    }
}

fn compiled(text: &str) {
    let world = World::default();
    let mut catalog = Catalog::default();
    let compiled = compile("cell", text, &mut catalog, &world);
    for diagnostic in &compiled.diagnostics {
        assert!(text.get(diagnostic.span.start..diagnostic.span.end).is_some(), "{diagnostic:?}");
        assert!(!diagnostic.to_text(text, "cell").is_empty());
    }
    for table in catalog.tables() {
        assert!(explain(&table.name, &catalog).is_some(), "`{}` has a plan", table.name);
    }
    for statement in compiled.statements {
        let source = match statement.kind {
            StatementKind::Show(show) => show.source,
            StatementKind::Expect(expect) => expect.source,
            StatementKind::Write(write) => write.source,
            _ => continue,
        };
        let again = recompile(&source, &catalog, &world);
        assert!(again.is_ok(), "{again:?}");
    }
    // The same cell once more: it replaces what it has defined.
    compile("cell", text, &mut catalog, &world);
}

/// All connectors of the build, none of which is opened.
struct World {
    sources: Vec<Arc<dyn SourceConnector>>,
    sinks: Vec<Arc<dyn SinkConnector>>,
}

impl Default for World {
    fn default() -> Self {
        World { sources: registry::sources(), sinks: registry::sinks() }
    }
}

impl Environment for World {
    fn connectors(&self) -> Vec<&ConnectorSpec> {
        self.sources.iter().map(|source| source.spec()).chain(self.sinks.iter().map(|sink| sink.spec())).collect()
    }

    fn describe(&self, connector: &str, _: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        let field = |name: &str, ty| SourceField { name: name.to_string(), ty, wire_name: None, default: None };
        match connector {
            "jsonl" => Err(ConnectorError::Missing { what: connector.to_string() }),
            _ => Ok(vec![
                field("id", ColumnType::required(Type::Int)),
                field("name", ColumnType::nullable(Type::Text)),
                field("at", ColumnType::required(Type::Timestamp)),
                field("tags", ColumnType::nullable(Type::List(Box::new(ColumnType::required(Type::Text))))),
            ]),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "NAME").then(|| "value".to_string())
    }

    fn parameter(&self, _: &str) -> Option<String> {
        None
    }

    fn base(&self) -> &Path {
        Path::new("/notebook")
    }
}
