//! Files that the program may not read. As root everything may be read, so it runs as nobody then.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tidebook_tests::binary;

/// The user without rights.
const NOBODY: u32 = 65_534;

/// A folder that everybody can use, with the program in it.
struct Place {
    folder: tempfile::TempDir,
    program: PathBuf,
    is_root: bool,
}

impl Place {
    fn new(script: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        for (name, row) in [("a", 1), ("b", 2)] {
            fs::write(folder.path().join(format!("logs/{name}.csv")), format!("n\n{row}\n")).unwrap();
        }
        fs::write(folder.path().join("s.tide"), script).unwrap();
        let (built, program) = (binary::path().unwrap(), folder.path().join("tidebook"));
        if fs::hard_link(&built, &program).is_err() {
            fs::copy(&built, &program).unwrap();
        }
        let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
        let place = Place { folder, program, is_root };
        place.allow("b", false);
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Lets a file be read, or not.
    fn allow(&self, name: &str, readable: bool) {
        let mode = if readable { 0o644 } else { 0o000 };
        let path = self.path().join(format!("logs/{name}.csv"));
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.path()).args(["run", "s.tide"]).args(arguments).stdin(Stdio::null());
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

#[test]
fn one_of_many_is_an_error_row_and_the_others_are_read() {
    let script = "t = read csv(\"logs/*.csv\") { n: int }\nt\nt.errors | select _error\n";
    let output = Place::new(script).command(&["--format", "json"]).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    assert!(out.contains("\"rows\":[[1]],\"errors\":1"), "{out}");
    assert!(out.contains("cannot be read: Permission denied"), "{out}");
}

#[test]
fn one_that_is_named_is_what_is_wrong() {
    for script in ["t = read csv(\"logs/b.csv\") { n: int }\nt\n", "t = read csv(\"logs/b.csv\")\nt\n"] {
        let output = Place::new(script).command(&[]).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains("logs/b.csv") && err.contains("Permission denied"), "{err}");
    }
}

#[test]
fn a_watched_one_gives_its_rows_once_it_may_be_read() {
    let script = "t = read csv(\"logs/*.csv\", watch: true) { n: int }\n\
                  t | write jsonl(\"rows.jsonl\", mode: changes)\n\
                  t.errors | select _error | write jsonl(\"errors.jsonl\", mode: changes)\n";
    let place = Place::new(script);
    let mut run = place.command(&["--follow"]).stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let wait_for = |name: &str, pieces: &[&str]| {
        let text = || fs::read_to_string(place.path().join(name)).unwrap_or_default();
        while !pieces.iter().all(|piece| text().contains(piece)) {
            assert!(Instant::now() < deadline, "{name}: {}", text());
            std::thread::yield_now();
        }
    };
    wait_for("rows.jsonl", &["{\"n\":1,"]);
    wait_for("errors.jsonl", &["Permission denied", "\"_diff\":1}"]);
    place.allow("b", true);
    wait_for("rows.jsonl", &["{\"n\":2,"]);
    wait_for("errors.jsonl", &["\"_diff\":-1}"]);
    run.kill().unwrap();
    run.wait().unwrap();
}
