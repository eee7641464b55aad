//! Keeps a session from taking the machine's memory: when the process passes its limit, the output that holds most is stopped
//! with an error, and everything else goes on.
//!
//! A thread measures. Whoever has the session's state at that moment acts: the cell that waits for its outputs, or else the
//! thread itself.

use std::fs;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use crate::session::Inner;

/// How often is measured.
const PAUSE: Duration = Duration::from_millis(50);

/// Of a machine's or a container's memory, in hundredths: the limit where none is set.
const SHARE: u64 = 80;

/// The limit, and the sign that it is passed.
pub(crate) struct Memory {
    /// Bytes that the process may hold; 0 for no limit.
    limit: Arc<AtomicU64>,
    /// What a stop left behind: the allocator does not give everything back at once, which is nobody's fault. Only what is
    /// more than this counts.
    floor: Arc<AtomicU64>,
    passed: Sender<()>,
    /// Receives when the limit is passed.
    pub(crate) over: Receiver<()>,
    /// The thread ends when this is dropped.
    _running: Option<Sender<()>>,
}

impl Memory {
    /// The default limit, and nobody who measures yet.
    pub(crate) fn new() -> Self {
        let (passed, over) = bounded(1);
        let limit = Arc::new(AtomicU64::new(default_limit()));
        Memory { limit, floor: Arc::default(), passed, over, _running: None }
    }

    /// Sets the limit; without one, the default.
    pub(crate) fn set_limit(&self, bytes: Option<u64>) {
        self.limit.store(bytes.unwrap_or_else(default_limit), Ordering::Relaxed);
    }

    /// The limit in bytes.
    pub(crate) fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }

    /// True if the process holds more than it may.
    pub(crate) fn is_passed(&self) -> bool {
        let (limit, now) = (self.limit(), held());
        limit > 0 && now > limit.max(self.floor.load(Ordering::Relaxed))
    }

    /// Notes what is left after an output was stopped.
    pub(crate) fn settle(&self) {
        let left = held();
        let floor = if left > self.limit() { left + left / 20 } else { 0 };
        self.floor.store(floor, Ordering::Relaxed);
        // What was said before counts no longer.
        let _ = self.over.try_recv();
    }

    /// Begins to measure for the session whose state this is.
    ///
    /// # Errors
    /// Where the operating system gives no thread.
    pub(crate) fn watch(&mut self, session: Weak<Mutex<Inner>>) -> std::io::Result<()> {
        if self._running.is_some() {
            return Ok(());
        }
        let (running, ended) = bounded(0);
        let (limit, floor, passed) = (Arc::clone(&self.limit), Arc::clone(&self.floor), self.passed.clone());
        thread::Builder::new().name("memory".to_string()).spawn(move || {
            while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                let (limit, now) = (limit.load(Ordering::Relaxed), held());
                if limit == 0 || now <= limit.max(floor.load(Ordering::Relaxed)) {
                    continue;
                }
                // A full channel says it already.
                let _ = passed.try_send(());
                let Some(inner) = session.upgrade() else { return };
                if let Some(mut inner) = inner.try_lock_for(PAUSE) {
                    inner.relieve();
                }
            }
        })?;
        self._running = Some(running);
        Ok(())
    }
}

/// Bytes of memory that the process holds and that no file stands behind.
pub(crate) fn held() -> u64 {
    let status = fs::read_to_string("/proc/self/status").ok();
    let anonymous = status.and_then(|status| kibibytes(&status, "RssAnon:"));
    match anonymous {
        Some(bytes) => bytes,
        None => memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem as u64),
    }
}

/// The value of a line `name  123 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The limit where none is set: a share of what the machine, or the container, has. None where that cannot be found out.
fn default_limit() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|info| kibibytes(&info, "MemTotal:"));
    let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let group = groups.iter().filter_map(|path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok()).min();
    machine.into_iter().chain(group).min().map_or(0, |bytes| bytes / 100 * SHARE)
}

/// A number of bytes for people.
pub(crate) fn shown(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64 / 1e3, 0);
    while value >= 1e3 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_measured_and_bounded_by_the_machine() {
        let before = held();
        let taken = vec![1u8; 64 << 20];
        assert!(held() >= before + (60 << 20), "{before} {}", held());
        assert!(taken.iter().step_by(4096).all(|byte| *byte == 1));
        let limit = default_limit();
        assert!(limit > 0 && limit < u64::MAX / 2, "{limit}");
    }

    #[test]
    fn bytes_are_shown_in_the_unit_that_fits() {
        assert_eq!(shown(1_500), "1.5 kB");
        assert_eq!(shown(8_000_000_000), "8.0 GB");
    }
}
