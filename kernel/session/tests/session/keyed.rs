//! A keyed table over files that are followed: a later row replaces, what goes gives way again.

use std::fs;
use std::io::Write;

use tidebook_session::View;

use crate::collector::{rows, run, session, wait_for};

fn wait_for_rows(view: &View, wanted: &[&str]) {
    wait_for(view, |_| rows(view) == wanted);
}

#[test]
fn a_watched_keyed_table_is_updated_and_loses_keys() {
    for workers in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.jsonl"), folder.path().join("b.jsonl"));
        fs::write(&a, "{\"id\": 1, \"v\": \"a\"}\n{\"id\": 2, \"v\": \"b\"}\n").unwrap();
        let session = session(folder.path(), workers);
        run(&session, "t", "t = read jsonl(\"*.jsonl\", watch: true) { id: int key, v: text? }").unwrap();
        let table = run(&session, "shown", "t").unwrap().remove(0);
        let total = run(&session, "total", "t | summarize n: count(), all: join(v, \",\")").unwrap().remove(0);
        assert_eq!(rows(&table), ["1 a", "2 b"]);
        // A file that grows: the later row of a key replaces the earlier one.
        let mut appender = fs::OpenOptions::new().append(true).open(&a).unwrap();
        writeln!(appender, "{{\"id\": 1, \"v\": \"A\"}}\n{{\"id\": 3, \"v\": null}}").unwrap();
        wait_for_rows(&table, &["1 A", "2 b", "3 ∅"]);
        wait_for_rows(&total, &["3 A,b"]);
        // Another file replaces rows of the first.
        fs::write(&b, "{\"id\": 2, \"v\": \"B\"}\n{\"id\": 4, \"v\": \"d\"}\n").unwrap();
        wait_for_rows(&table, &["1 A", "2 B", "3 ∅", "4 d"]);
        // Who reads later sees what there is now, and follows.
        let late = run(&session, "late", "t | where id < 4").unwrap().remove(0);
        assert_eq!(rows(&late), ["1 A", "2 B", "3 ∅"]);
        // Where a file goes, its keys go, and what it had replaced comes back.
        fs::remove_file(&b).unwrap();
        wait_for_rows(&table, &["1 A", "2 b", "3 ∅"]);
        // A file that is written anew without a key deletes it.
        fs::write(&a, "{\"id\": 3, \"v\": \"c\"}\n").unwrap();
        for view in [&table, &late] {
            wait_for_rows(view, &["3 c"]);
        }
        wait_for_rows(&total, &["1 c"]);
    }
}
