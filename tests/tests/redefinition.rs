//! Cells that run again while others go on, through the session.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tidebook_session::{CellOutput, CellRequest, Markup, Page, PageRequest, Session, SessionOptions, Stream, View};

/// Keeps the views that a cell shows.
#[derive(Default)]
struct Shown {
    views: Mutex<Vec<Arc<View>>>,
}

impl CellOutput for Shown {
    fn stream(&self, _stream: Stream, _text: &str) {}
    fn view(&self, view: Arc<View>) {
        self.views.lock().unwrap().push(view);
    }
    fn markup(&self, _markup: Markup) {}
    fn value(&self, _text: &str) {}
    fn page(&self, _markup: Markup) {}
    fn clear(&self, _wait: bool) {}
}

fn session(base: &Path, workers: usize) -> Session {
    Session::start(SessionOptions { workers, base: base.to_path_buf(), parameters: Vec::new() }).unwrap()
}

fn run(session: &Session, cell: &str, text: &str) -> Vec<Arc<View>> {
    let shown = Shown::default();
    let request = CellRequest { cell: cell.to_string(), name: cell.to_string(), text: text.to_string() };
    session.run(&request, &shown).unwrap_or_else(|failure| panic!("{}", failure.text));
    shown.views.into_inner().unwrap()
}

fn page(view: &View) -> Page {
    view.page(&PageRequest { limit: 1_000, ..PageRequest::default() }).1
}

fn rows(view: &View) -> Vec<Vec<String>> {
    page(view).rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect()
}

/// Waits until a view shows what is wanted.
fn wait_for(view: &View, what: &str, wanted: impl Fn(&Page) -> bool) -> Page {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut seen = 0;
    loop {
        let (version, page) = view.page(&PageRequest { limit: 1_000, ..PageRequest::default() });
        if wanted(&page) {
            return page;
        }
        assert!(Instant::now() < deadline, "waited for {what}, found {page:?}");
        seen = view.wait_past(seen.max(version), deadline);
    }
}

/// The tests of this file count threads and files of the whole process: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs a test alone, and fails it if it hangs.
fn alone(test: impl FnOnce() + Send + 'static) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (done, ended) = crossbeam_channel::bounded(1);
    let thread = std::thread::spawn(move || {
        test();
        // Nobody listens any more if the time is up.
        let _ = done.send(());
    });
    match ended.recv_timeout(Duration::from_secs(180)) {
        Err(crossbeam_channel::RecvTimeoutError::Timeout) => panic!("the session hangs"),
        Ok(()) | Err(crossbeam_channel::RecvTimeoutError::Disconnected) => {
            if let Err(fault) = thread.join() {
                std::panic::resume_unwind(fault);
            }
        }
    }
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_dependent_view_follows_the_new_definition_in_place() {
    alone(|| {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path(), 2);
        run(&session, "1", "t = rows [ {a: 1}, {a: 2} ]");
        let views = run(&session, "2", "u = t | derive b: a * 10\nu");
        assert_eq!(rows(&views[0]), [["1", "10"], ["2", "20"]]);
        run(&session, "1", "t = rows [ {a: 7} ]");
        assert!(!views[0].is_closed(), "the display goes on");
        wait_for(&views[0], "the new rows", |page| page.total == 1 && !page.loading);
        assert_eq!(rows(&views[0]), [["7", "70"]]);
    });
}

#[test]
fn a_definition_that_fails_leaves_the_old_one() {
    alone(|| {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path(), 1);
        run(&session, "1", "t = rows [ {a: 1} ]");
        let views = run(&session, "2", "t");
        let request =
            CellRequest { cell: "1".into(), name: "1".into(), text: "t = rows [ {a: 1} ] | where nope > 1".into() };
        let failure = session.run(&request, &Shown::default()).unwrap_err();
        assert!(failure.text.contains("nope"), "{}", failure.text);
        assert_eq!(rows(&views[0]), [["1"]]);
    });
}

/// While a stream runs, two other cells are run again a hundred times: the stream's table never starts anew, and
/// nothing of what was replaced is left.
#[test]
fn nothing_is_left_behind_and_nothing_else_flickers() {
    alone(|| {
        const ROUNDS: usize = 100;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("t.jsonl"), "{\"a\": 1}\n{\"a\": 2}\n").unwrap();
        let session = session(folder.path(), 2);
        let stream =
            run(&session, "stream", "ticks = read demo.ticks(rate: 2000)\nn = ticks | summarize n: count()\nn");
        let counted = |page: &Page| page.rows.first().and_then(|row| row[0].as_ref()?.parse::<i64>().ok()).unwrap_or(0);
        let mut last = counted(&wait_for(&stream[0], "a first tick", |page| counted(page) > 0));
        let redefine = |round: usize| {
            let text =
                format!("t = read jsonl(\"t.jsonl\", watch: true) {{ a: int }}\nu = t | derive b: a + {round}\nu");
            let views = run(&session, "u", &text);
            let last_row = rows(&views[0]).pop().unwrap();
            assert_eq!(last_row, ["2".to_string(), (2 + round).to_string()]);
            run(&session, "v", &format!("v = u | join t on u.a == t.a | select u.a, c: b * {round}\nv"));
        };
        // The first rounds start what is kept for good.
        (0..3).for_each(redefine);
        let stats = || session.stats().unwrap().unwrap();
        let before = stats();
        let (threads_before, files_before) = (threads(), open_files());
        for round in 3..ROUNDS {
            redefine(round);
            let now = counted(&page(&stream[0]));
            assert!(now >= last, "the stream's count went from {last} back to {now}");
            last = now;
        }
        let after = stats();
        assert_eq!(after.programs.len(), before.programs.len(), "programs");
        assert_eq!(after.dataflows, before.dataflows, "dataflows");
        assert_eq!(after.operators, before.operators, "operators");
        assert_eq!(after.sources.len(), before.sources.len(), "sources");
        assert_eq!(after.threads, before.threads, "threads of the engine");
        assert!(threads() <= threads_before, "threads: {threads_before}, then {}", threads());
        assert!(open_files() <= files_before, "open files: {files_before}, then {}", open_files());
        assert_eq!(stats().sources.iter().filter(|source| source.connector == "demo.ticks").count(), 1);
        wait_for(&stream[0], "further ticks", |page| counted(page) > last);
    });
}

#[test]
fn a_watched_file_moves_a_view_after_its_cell() {
    alone(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        fs::write(&path, "{\"a\": 1}\n").unwrap();
        let session = session(folder.path(), 1);
        let views = run(
            &session,
            "1",
            "t = read jsonl(\"log.jsonl\", watch: true) { a: int }\nn = t | summarize n: count(), s: sum(a)\nn",
        );
        assert_eq!(rows(&views[0]), [["1", "1"]]);
        fs::write(&path, "{\"a\": 1}\n{\"a\": 5}\n").unwrap();
        wait_for(&views[0], "the appended row", |page| page.rows == [[Some("2".to_string()), Some("6".to_string())]]);
        fs::write(&path, "{\"a\": 100}\n").unwrap();
        wait_for(&views[0], "the rewritten file", |page| {
            page.rows == [[Some("1".to_string()), Some("100".to_string())]]
        });
        fs::remove_file(&path).unwrap();
        wait_for(&views[0], "the file's end", |page| page.rows == [[Some("0".to_string()), None]]);
    });
}
