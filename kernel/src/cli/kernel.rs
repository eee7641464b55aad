//! `tidebook kernel`: serves one front end's connection file until it is told to end.

use std::fs;
use std::path::PathBuf;

use jupyter_protocol::ConnectionInfo;

use super::Failure;
use super::kernelspec::data_folder;
use super::signals::{Asked, Signals, parent_gone};
use crate::host::{SessionOptions, StartSession};
use crate::jupyter::history::History;
use crate::jupyter::history_file::HistoryFile;
use crate::jupyter::{Stop, serve};

/// Tasks only move messages: two threads are enough for them.
const TASK_THREADS: usize = 2;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file in which the front end says which ports to bind.
    #[arg(long, short = 'f', value_name = "FILE")]
    connection_file: PathBuf,
    /// Worker threads of the session.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    workers: Option<u64>,
    /// Keep the inputs of this session to itself, instead of in Jupyter's data folder with those of earlier sessions.
    #[arg(long)]
    no_history: bool,
}

/// Where the inputs of all sessions are, below Jupyter's data folder.
const HISTORY_FILE: &str = "tidebook/history.jsonl";

pub fn run(arguments: &Arguments, start: StartSession<'_>) -> Result<(), Failure> {
    let path = arguments.connection_file.display();
    let text = fs::read_to_string(&arguments.connection_file)
        .map_err(|error| Failure::usage(format!("cannot read the connection file `{path}`: {error}")))?;
    let info: ConnectionInfo = serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("`{path}` is not a connection file: {error}")))?;
    if info.signature_scheme != "hmac-sha256" {
        let scheme = &info.signature_scheme;
        return Err(Failure::usage(format!("`{path}` asks for signatures by `{scheme}`; only `hmac-sha256` is known")));
    }
    let base = std::env::current_dir()
        .map_err(|error| Failure::runtime(format!("the working folder cannot be read: {error}")))?;
    let workers = arguments.workers.and_then(|n| usize::try_from(n).ok());
    let history = match (arguments.no_history, data_folder()) {
        (false, Some(data)) => History::in_file(HistoryFile::new(data.join(HISTORY_FILE), base.clone())),
        _ => History::default(),
    };
    let host =
        start(SessionOptions { workers, base, parameters: Vec::new(), headless: false }).map_err(Failure::runtime)?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(TASK_THREADS)
        .thread_name("messages")
        .enable_all()
        .build()
        .map_err(|error| Failure::runtime(format!("cannot start threads: {error}")))?;
    let served = runtime.block_on(async {
        let stop = Stop::default();
        let watcher = {
            let stop = stop.clone();
            let mut signals = Signals::listen()?;
            async move {
                let ended = async {
                    // An interrupt comes as a message. The signal is meant for whoever shares a terminal with the kernel.
                    while signals.next().await == Asked::Interrupt {
                        tracing::debug!("ignored an interrupt by signal");
                    }
                };
                tokio::select! { () = ended => {}, () = parent_gone() => {} }
                stop.stop();
            }
        };
        tokio::spawn(watcher);
        serve(&info, host, history, stop).await
    });
    // A cell that does not end must not keep the process alive.
    runtime.shutdown_background();
    served.map_err(|error| Failure::runtime(error.to_string()))
}
