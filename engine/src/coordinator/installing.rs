//! Installing programs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, unbounded};
use tidebook_plan::connector::{Contents, Resume, SourceSpec};
use tidebook_plan::flow::{Fingerprint, FlowNode, FlowPlan, Operator};

use super::feeds::{ConstantFeed, Feed, Keep, Origin, Repeater, SourceFeed, Tap};
use super::{Coordinator, Dataflow};
use crate::command::{DataflowId, FeedId, Installation, Port, WorkerCommand};
use crate::engine::EngineError;
use crate::ingest::{Again, Held, StoredLog, read, read_again, replay};
use crate::output::{OutputEvent, Program, ProgramId};
use crate::sharing::{SharedPlan, share};

impl Coordinator {
    /// Installs programs at one epoch.
    pub(super) fn install(&mut self, plans: Vec<FlowPlan>) -> Result<Vec<Program>, EngineError> {
        plans.iter().try_for_each(|plan| self.check(plan))?;
        self.check_histories(&plans)?;
        if plans.is_empty() {
            return Ok(Vec::new());
        }
        let install = self.clock.next();
        let known: Vec<FeedId> = self.feeds.keys().copied().collect();
        let mut programs = Vec::new();
        for plan in plans {
            let (id, events) = self.install_one(plan, install)?;
            programs.push(Program { id: ProgramId(id), epoch: install, events });
        }
        // Constants that begin now play their first step at the epoch of installation.
        let new: Vec<FeedId> = self.feeds.keys().copied().filter(|feed| !known.contains(feed)).collect();
        self.close_installation(install, &new);
        for program in &programs {
            self.settle_taps(program.id.0);
        }
        Ok(programs)
    }

    fn check(&self, plan: &FlowPlan) -> Result<(), EngineError> {
        if plan.outputs.is_empty() {
            return Err(EngineError::Plan("there is no output".to_string()));
        }
        if let Some(output) = plan.outputs.iter().find(|output| **output >= plan.nodes.len()) {
            return Err(EngineError::Plan(format!("there is no node {output}")));
        }
        for (id, node) in plan.nodes.iter().enumerate() {
            if let Some(input) = node.operator.inputs().into_iter().find(|input| *input >= id) {
                return Err(EngineError::Plan(format!("node {id} reads node {input}, which does not come before it")));
            }
            if let Operator::Get { source } = &node.operator
                && !self.connectors.contains_key(&source.connector)
            {
                return Err(EngineError::UnknownConnector(source.connector.clone()));
            }
        }
        Ok(())
    }

    /// Every history that a plan reads must be kept by a program that runs, or by a plan before it.
    fn check_histories(&self, plans: &[FlowPlan]) -> Result<(), EngineError> {
        let mut kept: HashSet<Fingerprint> = self.catalog.keys().map(|key| key.fingerprint).collect();
        for node in plans.iter().flat_map(|plan| &plan.nodes) {
            match &node.operator {
                Operator::Hold { .. } => {
                    kept.insert(node.fingerprint);
                }
                Operator::Held { history } if !kept.contains(&node.fingerprint) => {
                    return Err(EngineError::Plan(format!("no program keeps the history {}", history.0)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn install_one(
        &mut self,
        plan: FlowPlan,
        install: u64,
    ) -> Result<(DataflowId, Receiver<OutputEvent>), EngineError> {
        let id = self.next;
        self.next += 1;
        let shared = share(plan, &self.catalog, |source| self.only_adds(source));
        let mut feeds = Vec::new();
        for node in shared.fed() {
            match self.feed_for(&shared.plan.nodes[node]) {
                Ok(feed) => feeds.push(feed),
                Err(error) => {
                    self.feeds.retain(|_, feed| !feed.readers.is_empty());
                    let feeds = &self.feeds;
                    self.feed_of.retain(|_, feed| feeds.contains_key(feed));
                    return Err(error);
                }
            }
        }
        for key in &shared.exports {
            self.catalog.insert(key.clone(), id);
        }
        for owner in shared.imports.values() {
            if let Some(owner) = self.dataflows.get_mut(owner) {
                owner.importers.insert(id);
            }
        }
        let (events, receiver) = unbounded();
        let shared = Arc::new(shared);
        self.dataflows.insert(id, self.dataflow(&shared, events.clone(), install));
        let latest = Arc::default();
        let installation = Installation { dataflow: id, install, shared, feeds: feeds.clone(), events, latest };
        self.pool.all(&WorkerCommand::Install(installation));
        feeds.sort_unstable();
        feeds.dedup();
        for feed in feeds {
            if let Err(error) = self.tap(id, feed) {
                self.dataflow_failed(id, &error.to_string());
            }
        }
        Ok((id, receiver))
    }

    /// True if no row of a source is ever taken back. A key's row is, when another one comes.
    fn only_adds(&self, source: &SourceSpec) -> bool {
        let connector = self.connectors.get(&source.connector);
        source.key.is_empty() && connector.is_some_and(|connector| connector.only_adds(&source.options))
    }

    fn dataflow(
        &self,
        shared: &Arc<SharedPlan>,
        events: crossbeam_channel::Sender<OutputEvent>,
        install: u64,
    ) -> Dataflow {
        Dataflow {
            shared: Arc::clone(shared),
            wanted: true,
            retired: false,
            events: Some(events),
            install,
            frontier: Some(0),
            taps: Vec::new(),
            imports: shared.imports.values().copied().collect(),
            importers: Default::default(),
            loaded: 0,
            said: Instant::now(),
            gone: 0,
            tick: shared.tick(),
        }
    }

    /// The feed of a node: the one that runs, or a new one.
    fn feed_for(&mut self, node: &FlowNode) -> Result<FeedId, EngineError> {
        if let Some(feed) = self.feed_of.get(&node.fingerprint) {
            return Ok(*feed);
        }
        let id = self.next;
        self.next += 1;
        let origin = match &node.operator {
            Operator::Get { source } => Origin::Source(Box::new(self.open(id, source, node)?)),
            Operator::Constant { steps, .. } => Origin::Constant(ConstantFeed { steps: Arc::clone(steps), played: 0 }),
            operator => unreachable!("{} is not fed", operator.name()),
        };
        let feed = Feed { fingerprint: node.fingerprint, origin, readers: Vec::new(), ended: false, failed: None };
        self.feeds.insert(id, feed);
        self.feed_of.insert(node.fingerprint, id);
        Ok(id)
    }

    fn open(&mut self, id: FeedId, spec: &Arc<SourceSpec>, node: &FlowNode) -> Result<SourceFeed, EngineError> {
        let Some(connector) = self.connectors.get(&spec.connector).cloned() else {
            return Err(EngineError::UnknownConnector(spec.connector.clone()));
        };
        let keep = match SourceFeed::way(spec, connector.as_ref()) {
            Contents::Held => Keep::Held(Held::new(&node.schema, &spec.key)),
            Contents::Reread => Keep::Reread,
            Contents::Stored => {
                let log = StoredLog::create(&self.scratch, &spec.connector)
                    .map_err(|error| EngineError::Start(error.to_string()))?;
                Keep::Stored(log)
            }
        };
        let mut source = SourceFeed::new(spec, connector, &node.schema, keep);
        let log = if let Keep::Stored(log) = &source.keep { Some(log.clone()) } else { None };
        let request = source.open_request(None, self.beside(spec));
        source.reader = Some(read(&mut self.threads, id, Arc::clone(&source.connector), request, log)?);
        Ok(source)
    }

    /// Where a reader of another selection of the same input stands: the one that has come farthest.
    fn beside(&self, spec: &SourceSpec) -> Option<Resume> {
        let origins = self.feeds.values().map(|feed| &feed.origin);
        let others = origins.filter_map(|origin| match origin {
            Origin::Source(other) if other.spec.reads_what(spec) => Some(other),
            _ => None,
        });
        others.max_by_key(|other| other.rows + other.errors)?.resume.clone()
    }

    /// Lets a dataflow read a feed: it gets the contents that were given before.
    fn tap(&mut self, dataflow: DataflowId, id: FeedId) -> Result<(), EngineError> {
        let Some(feed) = self.feeds.get_mut(&id) else { return Ok(()) };
        feed.readers.push(dataflow);
        let mut contents = Vec::new();
        let mut again = false;
        match &mut feed.origin {
            Origin::Constant(constant) => contents = ConstantFeed::changes(&constant.steps[..constant.played]),
            Origin::Source(source) => {
                let known = Again { dataflow, rows: source.rows, errors: source.errors };
                let some = source.rows + source.errors > 0;
                match &source.keep {
                    Keep::Held(held) => {
                        contents.extend(held.rows().into_iter().map(|rows| (Port::Rows, rows)));
                        contents.extend(held.errors().into_iter().map(|errors| (Port::Errors, errors)));
                    }
                    Keep::Stored(log) if some => {
                        let (_stop, token) = replay(&mut self.threads, id, log.clone(), known)?;
                        source.again.push(Repeater { dataflow, _stop, token });
                        again = true;
                    }
                    Keep::Reread if some => {
                        let request = source.open_request(source.resume.clone(), None);
                        let connector = Arc::clone(&source.connector);
                        let (_stop, token) = read_again(&mut self.threads, id, connector, request, known)?;
                        source.again.push(Repeater { dataflow, _stop, token });
                        again = true;
                    }
                    Keep::Stored(_) | Keep::Reread => {}
                }
            }
        }
        let ended = feed.ended && !self.ending.contains(&id);
        let failed = feed.failed.clone();
        if let Some(dataflow) = self.dataflows.get_mut(&dataflow) {
            dataflow.taps.push(Tap { feed: id, again, done: false });
            if let Some(message) = failed {
                dataflow.tell(OutputEvent::Failed { message });
            }
        }
        for (port, changes) in contents {
            self.give_contents(dataflow, id, port, changes);
        }
        if ended {
            self.pool.all(&WorkerCommand::FeedEnded { feed: id });
        }
        Ok(())
    }

    /// Closes the epoch of an installation with the first steps of new constants.
    fn close_installation(&mut self, install: u64, new: &[FeedId]) {
        let mut fed: HashMap<usize, Vec<_>> = HashMap::new();
        let mut ended = Vec::new();
        for id in new {
            let Some(Feed { origin: Origin::Constant(constant), .. }) = self.feeds.get_mut(id) else { continue };
            let steps = Arc::clone(&constant.steps);
            constant.played = 1.min(steps.len());
            for (port, changes) in ConstantFeed::changes(&steps[..constant.played]) {
                fed.entry(self.pool.next_worker()).or_default().push(self.fed(*id, port, changes));
            }
            if steps.len() <= 1 {
                ended.push(*id);
            }
        }
        for worker in 0..self.pool.count() {
            let fed = fed.remove(&worker).unwrap_or_default();
            self.pool.one(worker, WorkerCommand::Epoch { epoch: install, fed });
        }
        for feed in ended {
            self.end_feed(feed);
        }
        self.outstanding = self.outstanding.max(Some(install));
    }
}
