//! Outputs that run: each is a program in the engine, what follows it, and the view that a front end draws.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow_schema::ArrowError;
use tidebook_dsl::compile::{ExpectProgram, OutputText, ShowProgram, StatementKind, TableProgram, WriteProgram};
use tidebook_engine::Program;
use tidebook_plan::connector::{ConnectorError, SinkRequest};
use tidebook_plan::flow::OrderKey;
use tidebook_plan::{Fingerprint, History, Schema, Span};

use crate::environment::World;
use crate::expectation::{Patience, WaitEnd, Watch, WatchConsumer, WatchPages};
use crate::follow::{Consumer, Follower};
use crate::output::FailureKind;
use crate::session::Wanted;
use crate::shown::{Shown, ShownConsumer, ShownPages};
use crate::sink::{SinkConsumer, Written, WrittenPages};
use crate::table::OrderedTable;
use crate::view::{Closed, PageSource, View, ViewKind};

/// An output statement that is to run.
#[derive(Clone)]
pub(crate) enum OutputProgram {
    /// Shows a table.
    Show(ShowProgram),
    /// Watches an expectation.
    Expect(ExpectProgram),
    /// Writes a sink.
    Write(WriteProgram),
}

impl OutputProgram {
    /// The output in a compiled statement, if it is one.
    pub(crate) fn from_statement(kind: StatementKind) -> Option<Self> {
        match kind {
            StatementKind::Show(show) => Some(OutputProgram::Show(show)),
            StatementKind::Expect(expect) => Some(OutputProgram::Expect(expect)),
            StatementKind::Write(write) => Some(OutputProgram::Write(write)),
            _ => None,
        }
    }

    /// The table that comes out.
    pub(crate) fn table(&self) -> &TableProgram {
        match self {
            OutputProgram::Show(show) => &show.table,
            OutputProgram::Expect(expect) => &expect.table,
            OutputProgram::Write(write) => &write.table,
        }
    }

    /// The statement it came from.
    pub(crate) fn source(&self) -> &OutputText {
        match self {
            OutputProgram::Show(show) => &show.source,
            OutputProgram::Expect(expect) => &expect.source,
            OutputProgram::Write(write) => &write.source,
        }
    }

    /// What makes two outputs the same work with the same appearance.
    pub(crate) fn identity(&self) -> OutputIdentity {
        let table = self.table();
        let nodes = table.plan.outputs.iter().map(|node| table.plan.nodes[*node].fingerprint).collect();
        let form = match self {
            OutputProgram::Show(show) => format!("show {:?} {:?} {}", show.limit, show.every, table.label),
            OutputProgram::Expect(expect) => format!("expect {:?} {}", expect.holds_when, expect.text),
            OutputProgram::Write(write) => {
                // Identity takes part in comparisons only and is never shown: it may hold secrets.
                format!("write {} {:?} {}", write.connector, write.mode, serde_json::json!(write.options))
            }
        };
        OutputIdentity { nodes, schema: table.schema.clone(), ordering: table.ordering.clone(), form }
    }
}

/// See [`OutputProgram::identity`].
#[derive(Clone, PartialEq)]
pub(crate) struct OutputIdentity {
    nodes: Vec<Fingerprint>,
    schema: Schema,
    ordering: Vec<OrderKey>,
    form: String,
}

/// What keeps an output's state.
#[derive(Clone)]
pub(crate) enum Body {
    /// A shown table.
    Table(Arc<Shown>),
    /// An expectation.
    Expectation(Arc<Watch>, Option<Duration>),
    /// A sink.
    Sink(Arc<Written>),
}

impl Body {
    fn attach(&self, view: &Arc<View>) {
        match self {
            Body::Table(shown) => shown.attach(Arc::clone(view)),
            Body::Expectation(watch, _) => watch.attach(Arc::clone(view)),
            Body::Sink(written) => written.attach(Arc::clone(view)),
        }
    }

    fn pages(&self) -> Box<dyn PageSource> {
        match self {
            Body::Table(shown) => Box::new(ShownPages(Arc::clone(shown))),
            Body::Expectation(watch, _) => Box::new(WatchPages(Arc::clone(watch))),
            Body::Sink(written) => Box::new(WrittenPages(Arc::clone(written))),
        }
    }

    /// Why the output no longer moves, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        match self {
            Body::Table(shown) => shown.failure(),
            Body::Expectation(watch, _) => watch.failure(),
            Body::Sink(written) => written.failure(),
        }
    }

    /// Bytes that it holds outside of the engine, about.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Body::Table(shown) => shown.bytes(),
            Body::Expectation(watch, _) => watch.bytes(),
            Body::Sink(written) => written.bytes(),
        }
    }

    /// Lets go of what it holds.
    pub(crate) fn clear(&self) {
        match self {
            Body::Table(shown) => shown.clear(),
            Body::Expectation(watch, _) => watch.clear(),
            Body::Sink(_) => {}
        }
    }

    /// Says that the output no longer moves, and why.
    pub(crate) fn fail(&self, message: String) {
        match self {
            Body::Table(shown) => shown.fail(message),
            Body::Expectation(watch, _) => watch.fail(message),
            Body::Sink(written) => written.fail(message),
        }
    }
}

/// A running output.
pub(crate) struct Running {
    /// The statement it came from.
    pub(crate) source: OutputText,
    /// Where in its cell the statement stands that a failure of it is told at: `source` may be a text of its own.
    pub(crate) place: Span,
    /// The table's name or the pipeline's text.
    pub(crate) label: String,
    /// All definitions that it depends on.
    pub(crate) tables: Vec<String>,
    /// What it reads that is bound to history.
    pub(crate) histories: Vec<Arc<History>>,
    /// What it computes and how that looks.
    pub(crate) identity: OutputIdentity,
    /// What it writes to, if nobody else may.
    pub(crate) target: Option<String>,
    /// Its state.
    pub(crate) body: Body,
    /// What a front end draws.
    pub(crate) view: Arc<View>,
    /// Its program and the thread that follows it; `None` once it was stopped.
    pub(crate) follower: Option<Follower>,
}

/// Why an output could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    #[error("its rows cannot be kept in order: {0}")]
    Arrow(#[from] ArrowError),
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    #[error("there is no sink connector called `{0}`")]
    UnknownSink(String),
    #[error("{sink} is written by `{label}` already; give this table a target of its own, or `%stop` the other one")]
    TargetTaken { sink: String, label: String },
}

impl Running {
    /// Starts to follow `program`, which computes `output`. With `view`, an existing view is to go on with it (after
    /// [`Running::take_over`]); else there will be a new one called `id`. `others` run already.
    pub(crate) fn start(
        wanted: Wanted,
        program: Program,
        view: Option<Arc<View>>,
        id: u64,
        world: &World,
        others: &BTreeMap<u64, Running>,
    ) -> Result<Running, StartError> {
        let Wanted { output, place, .. } = wanted;
        let identity = output.identity();
        let table = output.table();
        let (label, tables, source) = (table.label.clone(), table.tables.clone(), output.source().clone());
        let histories = table.histories.clone();
        let mut target = None;
        let (body, consumer, kind, label): (Body, Box<dyn Consumer>, ViewKind, String) = match &output {
            OutputProgram::Show(show) => {
                let shown = Shown::new(OrderedTable::of(&show.table)?);
                let consumer = Box::new(ShownConsumer::new(Arc::clone(&shown)));
                (Body::Table(shown), consumer, ViewKind::Table, label)
            }
            OutputProgram::Expect(expect) => {
                let rows = OrderedTable::of(&expect.table)?;
                let watch = Watch::new(expect.text.clone(), expect.holds_when, rows);
                let consumer = Box::new(WatchConsumer::new(Arc::clone(&watch)));
                (Body::Expectation(watch, expect.within), consumer, ViewKind::Expectation, expect.text.clone())
            }
            OutputProgram::Write(write) => {
                let (written, consumer, own) = open_sink(write, world, others)?;
                target = own;
                (Body::Sink(written), consumer, ViewKind::Sink, label)
            }
        };
        let view = view.unwrap_or_else(|| {
            let (limit, every) = match &output {
                OutputProgram::Show(show) => (show.limit, show.every),
                _ => (None, None),
            };
            let view = Arc::new(View::new(id, kind, label.clone(), body.pages()).with_limits(limit, every));
            body.attach(&view);
            view
        });
        let follower = Some(Follower::start(program, consumer)?);
        Ok(Running { source, place, label, tables, histories, identity, target, body, view, follower })
    }

    /// True if it runs, is what `identity` says and has not failed: one that has failed is started anew when its cell
    /// runs again.
    pub(crate) fn goes_on(&self, identity: &OutputIdentity) -> bool {
        self.follower.is_some() && self.identity == *identity && self.body.failure().is_none()
    }

    /// Puts this output's state behind its view, where another one's stood until now.
    pub(crate) fn take_over(&self) {
        self.body.attach(&self.view);
        self.view.replace(self.body.pages());
    }

    /// A fresh view on the same state, for a cell that runs again unchanged. The old view is closed.
    pub(crate) fn renew_view(&mut self, id: u64) {
        self.view.close(Closed::RunAgain);
        let view = View::new(id, self.view.kind, self.view.label.clone(), self.body.pages());
        self.view = Arc::new(view.with_limits(self.view.limit, self.view.every));
        self.body.attach(&self.view);
    }

    /// Takes in all that its program has said.
    pub(crate) fn drain(&self) {
        if let Some(follower) = &self.follower {
            follower.drain();
        }
    }

    /// Why it failed, as the cell that holds it should say: an expectation that does not hold (waiting `within` for
    /// it, as long as `patience` lasts), a sink that cannot write, a source that broke off.
    pub(crate) fn verdict(&self, patience: &mut Patience<'_>) -> Result<(), (FailureKind, String)> {
        let failure = match &self.body {
            Body::Table(shown) => shown.failure().map(|why| (FailureKind::Runtime, format!("`{}`: {why}", self.label))),
            Body::Sink(written) => {
                written.held_up().map(|why| (FailureKind::Runtime, format!("writing `{}` failed: {why}", self.label)))
            }
            Body::Expectation(watch, within) => patience.check(watch, *within).map(|(why, ended)| {
                let label = &self.view.label;
                match ended {
                    Some(WaitEnd::Interrupted) => {
                        (FailureKind::Interrupted, format!("the wait for `{label}` was interrupted"))
                    }
                    Some(WaitEnd::TimeUp) => {
                        (FailureKind::Expectation, format!("the time is up and `{label}` does not hold: {why}"))
                    }
                    Some(WaitEnd::Judged) | None => {
                        (FailureKind::Expectation, format!("`{label}` does not hold: {why}"))
                    }
                }
            }),
        };
        failure.map_or(Ok(()), Err)
    }
}

type OpenSink = (Arc<Written>, Box<dyn Consumer>, Option<String>);

fn open_sink(write: &WriteProgram, world: &World, others: &BTreeMap<u64, Running>) -> Result<OpenSink, StartError> {
    let connector = world.sink(&write.connector).ok_or_else(|| StartError::UnknownSink(write.connector.clone()))?;
    let place = connector.spec().options.iter().find(|option| option.positional && !option.secret);
    let place = place.and_then(|option| match write.options.get(option.name) {
        Some(tidebook_plan::connector::OptionValue::Text(text)) => Some(format!(" `{text}`")),
        _ => None,
    });
    let sink = format!("{}{}", write.connector, place.unwrap_or_default());
    let request = SinkRequest {
        connector: write.connector.clone(),
        options: write.options.clone(),
        schema: write.table.schema.clone(),
        mode: write.mode,
        base: tidebook_dsl::Environment::base(world).to_path_buf(),
    };
    let target = connector.target(&request);
    let runs = |other: &&Running| other.follower.is_some() && other.body.failure().is_none();
    let writes = |other: &&Running| runs(other) && other.target.is_some() && other.target == target;
    if let Some(other) = others.values().find(writes) {
        return Err(StartError::TargetTaken { sink, label: other.label.clone() });
    }
    let written = Written::new(sink);
    let consumer = SinkConsumer::new(connector.open(request)?, &write.table.schema, Arc::clone(&written))?;
    Ok((written, Box::new(consumer), target))
}
