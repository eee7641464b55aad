//! Runs the program `tidebook` as a user would.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The program that was built with this test: it stands beside the folder that the test itself stands in.
///
/// # Errors
/// Where it was not built; the message says how to.
pub fn path() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("TIDEBOOK") {
        return Ok(PathBuf::from(path));
    }
    let own = std::env::current_exe().map_err(|error| format!("the test does not know where it is: {error}"))?;
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join("tidebook")).find(|path| path.is_file());
    found.ok_or_else(|| {
        format!(
            "there is no program `tidebook` near `{}`: run `cargo build --release -p tidebook-kernel`",
            own.display()
        )
    })
}

/// `tidebook run FILE --format json ARGUMENTS…` in `folder`.
///
/// # Errors
/// Where it cannot be started.
pub fn run_json(folder: &Path, file: &str, arguments: &[&str]) -> Result<Run, String> {
    let mut command = Command::new(path()?);
    command.current_dir(folder).args(["run", file, "--format", "json", "--timeout", "60s"]).args(arguments);
    command.stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("cannot start `tidebook`: {error}"))?;
    Ok(Run {
        status: output.status,
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
