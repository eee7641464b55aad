//! An environment with one source, `toy`, and one sink, `toysink`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Direction, OptionKind, OptionSpec, OptionValue, Options, SourceField,
};
use tidebook_plan::{ColumnType, Type};

use crate::compile::Environment;

pub struct Toy {
    specs: Vec<ConnectorSpec>,
    /// How often the source was asked for its columns.
    pub described: RefCell<usize>,
    pub parameters: BTreeMap<String, String>,
}

fn option(name: &'static str, kind: OptionKind) -> OptionSpec {
    OptionSpec { name, kind, doc: "an option", default: None, required: false, positional: false, secret: false }
}

impl Default for Toy {
    fn default() -> Self {
        let path = || OptionSpec {
            required: true,
            positional: true,
            doc: "where the toy lies",
            ..option("path", OptionKind::Text)
        };
        let spec =
            |name, direction, options| ConnectorSpec { name, direction, summary: "", doc: "", options, examples: &[] };
        let source = vec![
            path(),
            OptionSpec { default: Some(OptionValue::Int(7)), ..option("speed", OptionKind::Int) },
            option("watch", OptionKind::Bool),
            option("time", OptionKind::Column),
            option("every", OptionKind::Duration),
            option("format", OptionKind::OneOf(&["json", "csv"])),
            OptionSpec { secret: true, ..option("password", OptionKind::Text) },
        ];
        let specs = vec![
            spec("toy", Direction::Source, source),
            spec("demo.toy", Direction::Source, vec![option("rate", OptionKind::Float)]),
            spec("toysink", Direction::Sink, vec![path()]),
        ];
        Toy { specs, described: RefCell::new(0), parameters: BTreeMap::new() }
    }
}

impl Environment for Toy {
    fn connectors(&self) -> Vec<&ConnectorSpec> {
        self.specs.iter().collect()
    }

    fn describe(&self, _: &str, options: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        *self.described.borrow_mut() += 1;
        if options.text("path") == Some("missing") {
            return Err(ConnectorError::Missing { what: "missing".to_string() });
        }
        let field = |name: &str, ty| SourceField { name: name.to_string(), ty, wire_name: None, default: None };
        Ok(vec![field("id", ColumnType::required(Type::Int)), field("name", ColumnType::nullable(Type::Text))])
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "TOY_PATH").then(|| "secret/place".to_string())
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.parameters.get(name).cloned()
    }

    fn base(&self) -> &Path {
        Path::new("/notebook")
    }
}
