//! Files that are not what they should be, through the session: the cell or the table says what is wrong, nothing else is
//! lost, and the session lives.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tidebook_session::{CellOutput, CellRequest, Markup, Page, PageRequest, Session, SessionOptions, Stream, View};
use tidebook_tests::binary;

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

/// A session in a folder of its own.
struct Notebook {
    folder: tempfile::TempDir,
    session: Session,
}

impl Notebook {
    fn new() -> Notebook {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().to_path_buf();
        let session = Session::start(SessionOptions { workers: 1, base, parameters: Vec::new() }).unwrap();
        Notebook { folder, session }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn run(&self, text: &str) -> Result<Vec<Arc<View>>, String> {
        let shown = Shown::default();
        let request = CellRequest { cell: text.to_string(), name: "cell".to_string(), text: text.to_string() };
        self.session.run(&request, &shown).map_err(|failure| failure.text)?;
        Ok(shown.views.into_inner().unwrap())
    }

    /// The text of a cell that must fail, after which another one must still run.
    fn failure(&self, text: &str) -> String {
        let failure = self.run(text).expect_err("the cell fails");
        let views = self.run(&format!("alive = rows [ {{a: {}}} ]\nalive", text.len())).unwrap();
        assert_eq!(page(&views[0]).total, 1, "the session lives");
        failure
    }
}

fn page(view: &View) -> Page {
    view.page(&PageRequest { limit: 1_000, ..PageRequest::default() }).1
}

fn rows(view: &View) -> Vec<Vec<String>> {
    page(view).rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect()
}

/// Waits until a view has these rows.
fn wait_for(view: &View, wanted: &[&[&str]]) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut seen = 0;
    loop {
        let found = rows(view);
        if found == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "waited for {wanted:?}, found {found:?}");
        seen = view.wait_past(seen, deadline.min(Instant::now() + Duration::from_secs(1)));
    }
}

#[test]
fn what_cannot_be_read_at_all_fails_its_cell() {
    let notebook = Notebook::new();
    notebook.write("folder/a.csv", "id,name\n1,x\n");
    notebook.write("semicolons.csv", "id;name;price\n1;x;2\n");
    notebook.write("empty.csv", "");
    notebook.write("wide.csv", (0..100_000).map(|i| format!("c{i}")).collect::<Vec<_>>().join(","));
    for (text, said) in [
        ("read csv(\"none.csv\")", "`none.csv` does not exist"),
        ("read csv(\"none.csv\") { id: int }", "`none.csv` does not exist"),
        ("read csv(\"none/*.csv\") { id: int }", "`none/*.csv` does not exist"),
        ("read csv(\"folder\")", "`folder` is a folder: `folder/*` means the files in it"),
        ("read jsonl(\"folder\") { id: int }", "`folder` is a folder: `folder/*` means the files in it"),
        ("read csv(\"semicolons.csv\")", "is one column, `id;name;price`: is the delimiter `\";\"`?"),
        (
            "read csv(\"semicolons.csv\") { id: int }",
            "its header is one column `id;name;price`: is the delimiter `\";\"`?",
        ),
        ("read csv(\"folder/a.csv\") { id: int, nmae: text }", "has no column `nmae`; its header has `id`, `name`"),
        ("read csv(\"empty.csv\")", "has no rows to infer the columns from"),
        ("read csv(\"wide.csv\")", "has 100000 columns, more than 10000"),
        ("read csv(\"folder/a.csv\", encoding: \"klingon\")", "unknown encoding `klingon`"),
        ("read files(\"folder/*\") { name: text }", "a file has no `name`, only `path`"),
    ] {
        let failure = notebook.failure(text);
        assert!(failure.contains(said), "{text}\n{failure}");
    }
}

#[test]
fn what_is_wrong_inside_a_file_is_an_error_row() {
    let notebook = Notebook::new();
    let lines: [&[u8]; 7] =
        [b"{\"n\": 1}", b"{\"n\": 2", b"{\"n\": \"\xFF\"}", b"\0\0", b"[1]", b"{\"n\": 3}", b"{\"n\": 4"];
    notebook.write("a.jsonl", lines.join(&b'\n'));
    let views = notebook.run("t = read jsonl(\"a.jsonl\") { n: int }\nt\nt.errors | select line, _error").unwrap();
    assert_eq!(rows(&views[0]), [["1"], ["3"]]);
    assert_eq!(page(&views[0]).errors, 5);
    let lines: Vec<String> = rows(&views[1]).into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(lines, ["2", "3", "4", "5", "7"], "each is named by its line");

    notebook.write("b.csv", b"\xEF\xBB\xBFn,t\r\n1,\"a\r\nb\"\r\n\r\n2,\xC3\r\nx,c\r\n3,d\0\r\n\r\n\r\n");
    let views = notebook.run("u = read csv(\"b.csv\") { n: int, t: text }\nu\nu.errors | select line").unwrap();
    assert_eq!(rows(&views[0]), [["1", "a\r\nb"], ["3", "d\0"]]);
    assert_eq!(rows(&views[1]), [["5"], ["6"]]);

    notebook.write("header.csv", "n,t");
    let views = notebook.run("v = read csv(\"header.csv\") { n: int, t: text }\nv").unwrap();
    assert_eq!((page(&views[0]).total, page(&views[0]).errors), (0, 0));
    notebook.write("twice.csv", "a,a,a\n1,2,3\n");
    let views = notebook.run("read csv(\"twice.csv\")").unwrap();
    let names: Vec<String> = page(&views[0]).columns.into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["a", "a_1", "a_2"]);
}

#[test]
fn a_watched_folder_that_vanishes_takes_its_rows_back_and_gives_them_again() {
    let notebook = Notebook::new();
    notebook.write("in/a.txt", "one\n");
    notebook.write("in/b.txt", "two\n");
    let views = notebook.run("t = read text(\"in/*.txt\", watch: true)\nt").unwrap();
    wait_for(&views[0], &[&["one"], &["two"]]);
    fs::remove_dir_all(notebook.path("in")).unwrap();
    wait_for(&views[0], &[]);
    notebook.write("in/c.txt", "three\n");
    wait_for(&views[0], &[&["three"]]);
    assert_eq!(page(&views[0]).failure, None);
}

#[test]
fn a_watched_file_that_is_replaced_truncated_or_no_file_any_more() {
    let notebook = Notebook::new();
    notebook.write("a.csv", "n\n1\n2\n");
    let views = notebook.run("t = read csv(\"a.csv\", watch: true) { n: int }\nt").unwrap();
    wait_for(&views[0], &[&["1"], &["2"]]);
    notebook.write("new.csv", "n\n3\n4\n");
    fs::rename(notebook.path("new.csv"), notebook.path("a.csv")).unwrap();
    wait_for(&views[0], &[&["3"], &["4"]]);
    fs::OpenOptions::new().write(true).open(notebook.path("a.csv")).unwrap().set_len(4).unwrap();
    wait_for(&views[0], &[&["3"]]);
    fs::remove_file(notebook.path("a.csv")).unwrap();
    fs::create_dir(notebook.path("a.csv")).unwrap();
    wait_for(&views[0], &[]);
    fs::remove_dir(notebook.path("a.csv")).unwrap();
    notebook.write("a.csv", "n\n5\n");
    wait_for(&views[0], &[&["5"]]);
}

/// A limit on the size of files refuses a write as a full disk does, without the rights that it takes to fill one.
#[cfg(unix)]
#[test]
fn a_disk_that_refuses_leaves_the_file_and_the_other_tables() {
    let folder = tempfile::tempdir().unwrap();
    let script = |text: &str| fs::write(folder.path().join("script.tide"), text).unwrap();
    let program = binary::path().unwrap();
    let run = |blocks: u32| {
        // A process that ignores the signal gets an error from the write instead.
        let command =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" run script.tide --format json --timeout 60s");
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &command]).arg(&program).current_dir(folder.path()).output().unwrap()
    };
    let numbers = |count: usize| {
        let rows = (0..count).map(|n| format!("{{n: {n}}}")).collect::<Vec<_>>().join(", ");
        format!("t = rows [ {rows} ] | key by n\nt | write csv(\"out/t.csv\")\nt | summarize count: count()\n")
    };
    script(&numbers(10));
    let small = run(64);
    assert!(small.status.success(), "{}", String::from_utf8_lossy(&small.stderr));
    let before = fs::read(folder.path().join("out/t.csv")).unwrap();
    // More than 64 blocks of 1,024 bytes.
    script(&numbers(20_000));
    let large = run(64);
    let (out, err) = (String::from_utf8_lossy(&large.stdout), String::from_utf8_lossy(&large.stderr));
    assert_eq!(large.status.code(), Some(1), "{err}");
    assert!(err.contains("cannot write `out/t.csv`: "), "{err}");
    assert!(out.contains("[[20000]]"), "the other table is shown: {out:.200}");
    assert_eq!(fs::read(folder.path().join("out/t.csv")).unwrap(), before, "the file is as it was");
    assert_eq!(names(&folder.path().join("out")), ["t.csv"], "nothing else is left");
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}
