//! Going on after a worker has failed. That is a fault of Tidebook, and it ends the engine; the definitions are all there,
//! so that the next cell can start another engine with what ran.

use crate::session::{Inner, OutputId};

/// How the engine has fared.
#[derive(Default)]
pub(crate) struct Wear {
    /// How often it has failed since a cell last went through.
    crashes: u32,
    /// The outputs of the cell during which it has failed.
    suspects: Vec<OutputId>,
}

/// The engine has failed.
pub(crate) struct Crash {
    /// Why.
    pub(crate) message: String,
    /// The outputs that ran, and are not the likely cause.
    pub(crate) stopped: Vec<OutputId>,
    /// True if it had failed shortly before: what ran then is likely the cause.
    pub(crate) repeated: bool,
}

impl Inner {
    /// Puts a failed engine away, so that the next output starts another; gives what happened, if it did.
    pub(crate) fn bury_failed_engine(&mut self) -> Option<Crash> {
        let failure = self.engine.as_ref()?.health().err()?;
        if let Some(engine) = self.engine.take() {
            // Its workers may take their time, or hang: nobody waits for them.
            let buried = std::thread::Builder::new().name("buried engine".to_string()).spawn(move || engine.shutdown());
            if let Err(error) = buried {
                tracing::error!(%error, "a failed engine could not be put away");
            }
        }
        self.wear.crashes += 1;
        let suspects = std::mem::take(&mut self.wear.suspects);
        // What definitions keep begins again with the next installation, unless it is the likely cause, and what an output
        // keeps with the output.
        self.histories.engine_failed();
        let mut stopped = Vec::new();
        for (id, running) in &mut self.running {
            let kept = std::mem::take(&mut running.histories);
            let Some(follower) = running.follower.take() else { continue };
            follower.close();
            let suspect = suspects.contains(id) || kept.iter().any(|history| self.histories.is_stopped(history.id));
            if !suspect {
                stopped.push(*id);
            }
        }
        Some(Crash { message: failure.to_string(), stopped, repeated: self.wear.crashes > 1 })
    }

    /// Notes the outputs of a cell that failed; if the engine has failed with it, they are not started again with it.
    pub(crate) fn suspect(&mut self, outputs: &[OutputId]) {
        if self.engine.as_ref().is_some_and(|engine| engine.health().is_err()) {
            self.wear.suspects = outputs.to_vec();
        }
    }

    /// Notes that a cell went through.
    pub(crate) fn went_well(&mut self) {
        self.wear = Wear::default();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use parking_lot::Mutex;
    use tidebook_plan::connector::{
        ConnectorError, ConnectorSpec, Contents, Direction, OpenRequest, Options, Resume, Source, SourceBatch,
        SourceConnector, SourceEvent, SourceField,
    };
    use tidebook_plan::{ChangeBatch, ColumnType, Type};

    use crate::output::{CellFailure, CellOutput, CellRequest, FailureKind, Markup, Stream};
    use crate::session::{Session, SessionOptions};
    use crate::view::{PageRequest, View};

    /// What a source of a [`Faulty`] connector does.
    #[derive(Clone)]
    enum Fault {
        /// Its row has no difference: no worker survives that.
        NoDifference,
        /// It breaks off after its row, once this is true.
        BreaksOff(Arc<AtomicBool>),
    }

    /// A connector that no build has.
    struct Faulty(ConnectorSpec, Fault);

    impl Faulty {
        fn new(name: &'static str, fault: Fault) -> Arc<Self> {
            let (summary, doc, examples, options) = ("fails", "Fails.", &[][..], Vec::new());
            let spec = ConnectorSpec { name, direction: Direction::Source, summary, doc, options, examples };
            Arc::new(Faulty(spec, fault))
        }
    }

    impl SourceConnector for Faulty {
        fn spec(&self) -> &ConnectorSpec {
            &self.0
        }

        fn describe(&self, _: &Options, _: &Path) -> Result<Vec<SourceField>, ConnectorError> {
            let (name, ty) = ("n".to_string(), ColumnType::required(Type::Int));
            Ok(vec![SourceField { name, ty, wire_name: None, default: None }])
        }

        fn contents(&self, _: &Options) -> Contents {
            Contents::Reread
        }

        fn is_bounded(&self, _: &Options) -> bool {
            matches!(self.1, Fault::NoDifference)
        }

        fn open(&self, _: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
            Ok(Box::new(FaultySource { given: false, fault: self.1.clone() }))
        }
    }

    struct FaultySource {
        given: bool,
        fault: Fault,
    }

    impl Source for FaultySource {
        fn next(&mut self, wait: Duration) -> Result<SourceEvent, ConnectorError> {
            let diffs = match &self.fault {
                Fault::NoDifference if self.given => return Ok(SourceEvent::End),
                Fault::NoDifference => Some(Vec::new()),
                Fault::BreaksOff(now) if now.load(Ordering::SeqCst) => {
                    return Err(ConnectorError::Missing { what: "the wire".to_string() });
                }
                Fault::BreaksOff(_) if self.given => {
                    std::thread::park_timeout(wait);
                    return Ok(SourceEvent::Idle);
                }
                Fault::BreaksOff(_) => None,
            };
            self.given = true;
            let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
            let rows = ChangeBatch { rows: RecordBatch::try_from_iter([("n", numbers)]).unwrap(), diffs };
            Ok(SourceEvent::Batch(SourceBatch { rows, errors: Vec::new(), segment: None, resume: Resume::Null }))
        }
    }

    #[derive(Default)]
    struct Collected {
        views: Mutex<Vec<Arc<View>>>,
        text: Mutex<String>,
    }

    impl CellOutput for Collected {
        fn stream(&self, _: Stream, text: &str) {
            self.text.lock().push_str(text);
        }

        fn view(&self, view: Arc<View>) {
            self.views.lock().push(view);
        }

        fn markup(&self, _: Markup) {}

        fn value(&self, _: &str) {}

        fn page(&self, _: Markup) {}

        fn clear(&self, _: bool) {}
    }

    fn session() -> Session {
        let options = SessionOptions { workers: 2, base: std::env::temp_dir(), parameters: Vec::new() };
        let mut session = Session::start(options).unwrap();
        session.world.add_source(Faulty::new("liar", Fault::NoDifference));
        session
    }

    fn run(session: &Session, cell: &str, text: &str) -> (Result<(), CellFailure>, Option<Arc<View>>, String) {
        let collected = Collected::default();
        let request = CellRequest { cell: cell.to_string(), name: cell.to_string(), text: text.to_string() };
        let result = session.run(&request, &collected);
        (result, collected.views.lock().last().cloned(), collected.text.into_inner())
    }

    /// Waits until the view's first cell and failure are as asked.
    fn wait_for(view: &View, holds: impl Fn(Option<&str>, Option<&str>) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let (seen, page) = view.page(&PageRequest { limit: 10, ..PageRequest::default() });
            let first = page.rows.first().and_then(|row| row[0].as_deref());
            if holds(first, page.failure.as_deref()) {
                return;
            }
            assert!(Instant::now() < deadline, "the view never came to be as asked: {page:?}");
            view.wait_past(seen, deadline);
        }
    }

    #[test]
    fn a_worker_that_fails_ends_its_cell_and_the_next_cell_starts_what_ran() {
        let session = session();
        let (result, good, _) = run(&session, "good", "good = rows [ {n: 1} ]\ngood");
        result.unwrap();
        let good = good.unwrap();
        let failure = run(&session, "bad", "bad = read liar() | semi join good using (n)\nbad").0.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Runtime);
        assert!(failure.message.contains("a worker thread has failed"), "{}", failure.message);
        wait_for(&good, |_, failure| failure.is_some_and(|why| why.contains("a worker thread has failed")));

        let (result, sum, said) = run(&session, "sum", "good | summarize s: sum(n)");
        result.unwrap();
        assert!(said.contains("the engine was started again, and 1 output of another cell with it"), "{said}");
        wait_for(&sum.unwrap(), |first, failure| first == Some("1") && failure.is_none());
        wait_for(&good, |first, failure| first == Some("1") && failure.is_none());
    }

    #[test]
    fn a_cell_that_failed_with_the_engine_can_be_mended_and_run_again() {
        let session = session();
        for _ in 0..3 {
            assert!(run(&session, "a", "u = rows [ {n: 1} ]\nt = read liar() | semi join u using (n)\nt").0.is_err());
        }
        let (result, view, _) = run(&session, "a", "t = rows [ {n: 7} ] | distinct\nt");
        result.unwrap();
        wait_for(&view.unwrap(), |first, failure| first == Some("7") && failure.is_none());
        session.shutdown();
    }

    /// Waits until the engine has failed behind everybody's back.
    fn wait_for_failure(session: &Session) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while session.inner.lock().engine.as_ref().is_none_or(|engine| engine.health().is_ok()) {
            assert!(Instant::now() < deadline, "the engine never failed");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_definition_that_fails_the_engine_is_not_begun_again_until_it_is_run_again() {
        let session = session();
        let (result, good, _) = run(&session, "good", "good = rows [ {n: 1} ]\ngood");
        result.unwrap();
        let good = good.unwrap();
        run(&session, "fine", "fine = good | dedupe by n when n > previous.n").0.unwrap();
        let definition = "bad = read liar() | dedupe by n when n > previous.n";
        // The engine may fail before the cell has ended or after it.
        let _ = run(&session, "bad", definition);
        wait_for_failure(&session);
        for attempt in 0..3 {
            let (result, sum, said) = run(&session, "sum", &format!("good | summarize s: sum(n) + {attempt}"));
            result.unwrap();
            assert_eq!(said.contains("what `bad` keeps is likely the cause"), attempt == 0, "{said}");
            assert!(!said.contains("`fine`"), "{said}");
            wait_for(&sum.unwrap(), |first, failure| first == Some(&(1 + attempt).to_string()) && failure.is_none());
            session.inner.lock().engine.as_ref().unwrap().health().unwrap();
        }
        wait_for(&good, |first, failure| first == Some("1") && failure.is_none());
        // Who asks for it gets it, and what comes of it.
        let _ = run(&session, "bad", definition);
        wait_for_failure(&session);
        let (result, view, _) = run(&session, "bad", "bad = rows [ {n: 7} ] | dedupe by n when n > previous.n\nbad");
        result.unwrap();
        wait_for(&view.unwrap(), |first, failure| first == Some("7") && failure.is_none());
    }

    #[test]
    fn a_source_that_breaks_off_is_told_wherever_somebody_looks_at_it() {
        let mut session = session();
        let broken = Arc::new(AtomicBool::new(false));
        session.world.add_source(Faulty::new("wire", Fault::BreaksOff(Arc::clone(&broken))));
        let collected = Collected::default();
        let folder = tempfile::tempdir().unwrap();
        let sink = folder.path().join("out.jsonl");
        let text = format!(
            "t = read wire()\nt\nt | summarize s: sum(n)\nexpect t is not empty\nt | write jsonl(\"{}\", mode: append)",
            sink.display()
        );
        let request = CellRequest { cell: "a".to_string(), name: "cell 1".to_string(), text };
        session.run(&request, &collected).unwrap();
        let views = collected.views.lock().clone();
        assert_eq!(views.len(), 4);
        broken.store(true, Ordering::SeqCst);
        for view in &views {
            let deadline = Instant::now() + Duration::from_secs(30);
            loop {
                let (seen, page) = view.page(&PageRequest { limit: 10, ..PageRequest::default() });
                let verdict = page.verdict.as_ref().map_or("", |verdict| verdict.text.as_str());
                if page.failure.as_deref().unwrap_or(verdict).contains("the wire") {
                    break;
                }
                assert!(Instant::now() < deadline, "nothing is said of it: {page:?}");
                view.wait_past(seen, deadline);
            }
        }
        // A command of a later cell says it, too, where the command stands.
        let failure = run(&session, "cell 2", "%echo one\n\n  %errors t").0.unwrap_err();
        assert!(failure.text.contains("the wire") && failure.text.contains("--> cell 2:3:"), "{}", failure.text);
    }
}
