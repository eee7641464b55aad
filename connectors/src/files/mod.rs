//! Files as sources: which files, in what order, and how they are followed. The formats know nothing of this.

#[macro_use]
mod documentation;

mod bounded;
pub mod csv;
mod input;
pub mod json;
pub mod jsonl;
mod known;
mod layers;
mod listing;
mod notices;
mod opening;
mod pattern;
mod sampling;
mod stamp;
pub mod text;
mod watched;
pub mod whole;

use std::path::Path;

use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Contents, OpenRequest, OptionKind, OptionSpec, OptionValue, Options, Source,
    SourceConnector, SourceField,
};

pub(crate) use bounded::BoundedFiles;
pub(crate) use opening::{FileFormat, NamedFile, ReadError, ReadRows, WholeFormat};
pub(crate) use pattern::FilePattern;
pub(crate) use sampling::describe;
pub(crate) use stamp::Stamp;
pub(crate) use watched::WatchedFiles;

/// A connector that reads files of one format.
pub struct FileSource {
    spec: ConnectorSpec,
    format: FileFormat,
}

impl SourceConnector for FileSource {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn describe(&self, options: &Options, base: &Path) -> Result<Vec<SourceField>, ConnectorError> {
        let pattern = pattern(options, base)?;
        if options.flag("watch") && pattern.is_wild() && pattern.list().is_empty() {
            let message =
                "there is no such file yet to take the columns from: declare them, `{ name: type, … }`".to_string();
            return Err(ConnectorError::Format { what: pattern.text().to_string(), message });
        }
        describe(self.format, &pattern, options)
    }

    fn contents(&self, options: &Options) -> Contents {
        if options.flag("watch") { Contents::Held } else { Contents::Reread }
    }

    fn only_adds(&self, options: &Options) -> bool {
        !options.flag("watch")
    }

    fn is_bounded(&self, options: &Options) -> bool {
        !options.flag("watch")
    }

    fn open(&self, request: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
        let pattern = pattern(&request.spec.options, &request.spec.base)?;
        Ok(if request.spec.options.flag("watch") {
            Box::new(WatchedFiles::open(&request.spec, self.format, pattern)?)
        } else {
            Box::new(BoundedFiles::open(request, self.format, pattern)?)
        })
    }
}

pub(crate) fn pattern(options: &Options, base: &Path) -> Result<FilePattern, ConnectorError> {
    FilePattern::new(options.text("path").unwrap_or_default(), base)
}

/// The options of every file source, the format's own ones behind.
pub(crate) fn options(own: impl IntoIterator<Item = OptionSpec>) -> Vec<OptionSpec> {
    let path = OptionSpec {
        positional: true,
        required: true,
        ..OptionSpec::optional(
            "path",
            OptionKind::Text,
            "A file, or files by wildcards: `*`, `?`, `**` over folders, `[…]`, `{a,b}`. Relative to the notebook.",
        )
    };
    let watch = OptionSpec::optional(
        "watch",
        OptionKind::Bool,
        "Follow the files: new ones insert their rows, changed ones replace them, removed ones take them back.",
    );
    let metadata = OptionSpec::optional(
        "metadata",
        OptionKind::Bool,
        "Whether each row has columns of its file: `_path`, `_line`, `_modified`, `_size`.",
    );
    [path, watch.or(OptionValue::Bool(false)), metadata].into_iter().chain(own).collect()
}
