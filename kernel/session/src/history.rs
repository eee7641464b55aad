//! What is bound to history runs as programs of its own: from its definition on, as long as that stands, whether
//! anybody looks at it or not. Outputs read what these programs keep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tidebook_dsl::Catalog;
use tidebook_engine::{Program, ProgramId};
use tidebook_plan::{FlowPlan, History, HistoryId};

use crate::running::Running;
use crate::session::{OutputId, Wanted};

/// The programs that keep histories.
#[derive(Default)]
pub(crate) struct Histories {
    running: BTreeMap<HistoryId, ProgramId>,
    /// Those that the last installation has begun.
    latest: BTreeSet<HistoryId>,
    /// How suspect each is since its definition was run: it ran in an engine that failed.
    suspicion: BTreeMap<HistoryId, u32>,
}

/// What one failed engine adds to the suspicion, and what it adds to that of a history which was begun right before.
const PRESENT: u32 = 1;
const BEGUN_LAST: u32 = 2;

/// A history that is more suspect than this is not begun again for its definition alone.
const TOLERATED: u32 = 1;

/// What has to change.
pub(crate) struct HistoryChange {
    /// Histories to begin, each after those that it reads.
    begin: Vec<Arc<History>>,
    /// Histories that nobody needs any more.
    end: Vec<HistoryId>,
}

impl HistoryChange {
    /// True if nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.begin.is_empty() && self.end.is_empty()
    }

    /// The programs to install, before all that may read them.
    pub(crate) fn plans(&self) -> impl Iterator<Item = FlowPlan> {
        self.begin.iter().map(|history| history.plan.clone())
    }
}

impl Histories {
    /// What has to change so that everything is kept which a definition, an output that stays or one that is to start
    /// needs, and nothing else.
    pub(crate) fn change(
        &self,
        catalog: &Catalog,
        outputs: &BTreeMap<OutputId, Running>,
        leaving: &[OutputId],
        wanted: &[Wanted],
    ) -> HistoryChange {
        let defined =
            catalog.histories().flat_map(|(_, histories)| histories).filter(|history| !self.is_stopped(history.id));
        let staying =
            outputs.iter().filter(|(id, _)| !leaving.contains(id)).flat_map(|(_, running)| &running.histories);
        let starting = wanted.iter().flat_map(|wanted| &wanted.output.table().histories);
        let mut needed = BTreeSet::new();
        let mut begin = Vec::new();
        for history in defined.chain(staying).chain(starting) {
            if needed.insert(history.id) && !self.running.contains_key(&history.id) {
                begin.push(Arc::clone(history));
            }
        }
        let end = self.running.keys().copied().filter(|id| !needed.contains(id)).collect();
        HistoryChange { begin, end }
    }

    /// The programs of histories that end.
    pub(crate) fn programs(&self, ending: &HistoryChange) -> Vec<ProgramId> {
        ending.end.iter().filter_map(|id| self.running.get(id).copied()).collect()
    }

    /// Notes that the engine has failed, and all that ran with it.
    pub(crate) fn engine_failed(&mut self) {
        for id in std::mem::take(&mut self.running).into_keys() {
            let more = if self.latest.contains(&id) { BEGUN_LAST } else { PRESENT };
            *self.suspicion.entry(id).or_default() += more;
        }
        self.latest.clear();
    }

    /// True if it likely made the engine fail: it is begun again when its definition is run, or for who reads it.
    pub(crate) fn is_stopped(&self, id: HistoryId) -> bool {
        self.suspicion.get(&id).is_some_and(|suspicion| *suspicion > TOLERATED)
    }

    /// Notes that a person has run the definition of these.
    pub(crate) fn trust(&mut self, histories: &[Arc<History>]) {
        histories.iter().for_each(|history| {
            self.suspicion.remove(&history.id);
        });
    }

    /// Notes what was done. Nobody listens to the programs themselves: what they keep is read by others.
    pub(crate) fn changed(&mut self, change: HistoryChange, programs: Vec<Program>) {
        self.running.retain(|id, _| !change.end.contains(id));
        self.latest = change.begin.iter().map(|history| history.id).collect();
        self.running.extend(change.begin.iter().zip(programs).map(|(history, program)| (history.id, program.id)));
    }
}
