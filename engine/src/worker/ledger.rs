//! How long each operator has worked, told by timely's own log.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use hashbrown::HashMap;
use timely::logging::{StartStop, TimelyEvent, TimelyEventBuilder};
use timely::worker::Worker as TimelyWorker;

/// What the operators of a worker have spent, by timely's number of each. An operator within another one counts for itself alone.
#[derive(Clone, Default)]
pub(super) struct Ledger(Rc<RefCell<Accounts>>);

#[derive(Default)]
struct Accounts {
    spent: HashMap<usize, Duration>,
    /// Operators that are at work, from the outermost in: which, since when, and what those within have taken of it.
    open: Vec<(usize, Duration, Duration)>,
}

impl Ledger {
    /// Begins to listen to the worker.
    pub fn listen(worker: &TimelyWorker) -> Self {
        let ledger = Ledger::default();
        let own = ledger.clone();
        if let Some(mut logs) = worker.log_register() {
            logs.insert::<TimelyEventBuilder, _>("timely", move |_until, events| {
                let mut accounts = own.0.borrow_mut();
                for (at, event) in events.iter_mut().flat_map(|events| events.drain(..)) {
                    accounts.note(at, &event);
                }
            });
        }
        ledger
    }

    /// What operators with these numbers have spent in all.
    pub fn spent(&self, operators: &Range<usize>) -> Duration {
        let accounts = self.0.borrow();
        operators.clone().filter_map(|id| accounts.spent.get(&id)).sum()
    }

    /// Operators with these numbers are gone.
    pub fn forget(&self, operators: &Range<usize>) {
        let mut accounts = self.0.borrow_mut();
        accounts.spent.retain(|id, _| !operators.contains(id));
    }
}

impl Accounts {
    fn note(&mut self, at: Duration, event: &TimelyEvent) {
        match event {
            TimelyEvent::Schedule(schedule) if schedule.start_stop == StartStop::Start => {
                self.open.push((schedule.id, at, Duration::ZERO));
            }
            TimelyEvent::Schedule(schedule) => {
                // An operator that panicked never stopped; what it left open ends with those around it.
                while let Some((id, since, within)) = self.open.pop() {
                    let whole = at.saturating_sub(since);
                    *self.spent.entry(id).or_default() += whole.saturating_sub(within);
                    if let Some((_, _, of_outer)) = self.open.last_mut() {
                        *of_outer += whole;
                    }
                    if id == schedule.id {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
}
