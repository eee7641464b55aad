//! What a child process costs, read from `/proc` while it runs and before it is reaped.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Ticks a second in `/proc/PID/stat`: `USER_HZ`, 100 on every Linux.
const TICKS: f64 = 100.0;

/// The cost of a process, and what it printed.
pub struct Cost {
    /// User and system time, in seconds.
    pub cpu: f64,
    /// Time from start to end, in seconds.
    pub wall: f64,
    /// The most memory that it held, in megabytes.
    pub peak: f64,
    /// Its standard output.
    pub out: String,
}

/// Runs `command` to its end.
///
/// # Errors
/// Where it cannot be started, cannot be looked at, or fails.
pub fn run(command: &mut Command) -> Result<Cost, String> {
    let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let out = file.reopen().map_err(|error| error.to_string())?;
    let notes = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(notes.reopen().map_err(|error| error.to_string())?)
        .spawn()
        .map_err(|error| format!("cannot start {:?}: {error}", command.get_program()))?;
    let mut peak = 0.0_f64;
    let (cpu, wall) = loop {
        let (ended, cpu) = stat(child.id())?;
        if ended {
            break (cpu, started.elapsed().as_secs_f64());
        }
        peak = peak.max(peak_memory(child.id()));
        std::thread::sleep(Duration::from_millis(2));
    };
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        let notes = fs::read_to_string(notes.path()).unwrap_or_default();
        return Err(format!("{:?} ended with {status}\n{notes}", command.get_program()));
    }
    let out = fs::read_to_string(file.path()).map_err(|error| error.to_string())?;
    Ok(Cost { cpu, wall, peak, out })
}

/// Whether a process has ended (it is a zombie until it is reaped), and its processor time in seconds.
fn stat(process: u32) -> Result<(bool, f64), String> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).map_err(|error| error.to_string())?;
    // The name, in parentheses, may hold anything; the fields after it are numbers.
    let fields: Vec<&str> = text.rsplit_once(") ").map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok());
    match (fields.first(), ticks(11), ticks(12)) {
        (Some(state), Some(user), Some(system)) => Ok((*state == "Z", (user + system) / TICKS)),
        _ => Err(format!("`/proc/{process}/stat` is not understood: {text}")),
    }
}

/// The high-water mark of resident memory, in megabytes; 0 once the process has ended.
fn peak_memory(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

/// The middle one of some numbers.
pub fn median(numbers: &[f64]) -> f64 {
    quantile(numbers, 0.5)
}

/// The number below which the given share of numbers lies.
pub fn quantile(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
