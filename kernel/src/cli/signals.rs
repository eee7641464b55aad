//! What the system asks of the process.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often the parent process is looked at.
const PARENT_INTERVAL: Duration = Duration::from_secs(1);

/// The variable in which Jupyter says which process started the kernel.
const PARENT_VARIABLE: &str = "JPY_PARENT_PID";

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Stop what runs.
    Interrupt,
    /// End the process.
    Terminate,
}

impl Asked {
    /// What a process that ends by it exits with, as shells count.
    pub fn exit_code(self) -> i32 {
        match self {
            Asked::Interrupt => 130,
            Asked::Terminate => 143,
        }
    }
}

/// The signals that the process listens to.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Begins to listen; must be called in a runtime.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
            _ = self.hang_up.recv() => Asked::Terminate,
        }
    }
}

/// Waits until the process that started this one is gone; for ever if Jupyter did not start it, since a kernel that was
/// started by hand may outlive its shell. Jupyter may have started it by way of another program (a shell, a launcher),
/// so it is the parent that is watched, and the variable only says that somebody wants it watched.
pub async fn parent_gone() {
    let parent = std::os::unix::process::parent_id();
    let watched = std::env::var(PARENT_VARIABLE).is_ok_and(|id| id.parse::<u32>().is_ok());
    if !watched {
        return std::future::pending().await;
    }
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(PARENT_INTERVAL).await;
    }
}
