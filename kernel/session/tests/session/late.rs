//! A cell that starts to read a source later sees everything that is in it.

use std::io::Write;

use crate::collector::{page, rows, run, session, wait_for};

#[test]
fn a_second_cell_sees_a_file_whole() {
    for workers in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let lines: String = (0..1000).map(|n| format!("{n},{}\n", n % 7)).collect();
        std::fs::write(folder.path().join("t.csv"), format!("n,k\n{lines}")).unwrap();
        let session = session(folder.path(), workers);
        run(&session, "a", "t = read csv(\"t.csv\") { n: int, k: int }").unwrap();
        let first = run(&session, "b", "t | summarize n: count() by k").unwrap().remove(0);
        let second = run(&session, "c", "t | summarize n: count() by k").unwrap().remove(0);
        assert_eq!(rows(&first), rows(&second));
        assert_eq!(rows(&first).len(), 7);
        let all = run(&session, "d", "t").unwrap().remove(0);
        assert_eq!(page(&all).total, 1000);
    }
}

#[test]
fn a_second_cell_sees_a_watched_folder_whole_and_both_follow() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    std::fs::write(&file, "{\"n\": 1}\n{\"n\": 2}\n").unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", "t = read jsonl(\"*.jsonl\", watch: true) { n: int }").unwrap();
    let first = run(&session, "b", "t | summarize s: sum(n)").unwrap().remove(0);
    assert_eq!(rows(&first), vec!["3"]);
    let mut appender = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
    writeln!(appender, "{{\"n\": 10}}").unwrap();
    wait_for(&first, |page| page.rows == vec![vec![Some("13".to_string())]]);
    let second = run(&session, "c", "t | where n > 0 | summarize s: sum(n)").unwrap().remove(0);
    assert_eq!(rows(&second), vec!["13"]);
    std::fs::write(folder.path().join("b.jsonl"), "{\"n\": 100}\n").unwrap();
    for view in [&first, &second] {
        wait_for(view, |page| page.rows == vec![vec![Some("113".to_string())]]);
    }
    std::fs::remove_file(&file).unwrap();
    for view in [&first, &second] {
        wait_for(view, |page| page.rows == vec![vec![Some("100".to_string())]]);
    }
}

#[test]
fn a_second_cell_sees_all_that_a_generator_gave() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 2);
    run(&session, "a", "t = read demo.ticks(rate: 5000, rows: 2000)").unwrap();
    let first = run(&session, "b", "t | summarize n: count(), s: sum(n)").unwrap().remove(0);
    wait_for(&first, |page| page.rows.first().is_some_and(|row| row[0].as_deref() != Some("0")));
    let second = run(&session, "c", "t | summarize n: count(), s: sum(n), m: max(n)").unwrap().remove(0);
    wait_for(&first, |page| page.rows == vec![vec![Some("2000".to_string()), Some("1999000".to_string())]]);
    wait_for(&second, |page| page.rows.first().is_some_and(|row| row[0].as_deref() == Some("2000")));
    assert_eq!(rows(&second), vec!["2000 1999000 1999"]);
}

#[test]
fn steps_of_rows_are_played_for_every_cell() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", "t = rows [ {a: 1} ] then [ {a: 2} ] then [ -{a: 1} ]").unwrap();
    assert_eq!(rows(&run(&session, "b", "t").unwrap()[0]), vec!["2"]);
    assert_eq!(rows(&run(&session, "c", "t | derive b: a + 1").unwrap()[0]), vec!["2 3"]);
}
