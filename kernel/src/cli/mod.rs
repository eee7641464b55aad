//! The command line. Exit codes: 0, 1 where a statement, an expectation, a source or a sink fails, 2 for a wrong use.

mod check;
mod duration;
mod files;
mod fmt;
mod install;
mod kernel;
mod kernelspec;
mod run;
mod signals;
mod uninstall;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::host::StartSession;

/// The environment variable with the level of the log.
const LOG_VARIABLE: &str = "TIDEBOOK_LOG";

/// A wrong use of the command line, or a file that cannot be used.
const USAGE: u8 = 2;

/// Tables that keep moving: notebooks over live data.
#[derive(Debug, Parser)]
#[command(name = "tidebook", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a Jupyter front end (this is what the kernelspec calls).
    Kernel(kernel::Arguments),
    /// Make the kernel known to Jupyter.
    Install(install::Arguments),
    /// Take back what `install` wrote.
    Uninstall(uninstall::Arguments),
    /// Run a notebook or a script without a front end, and print the tables that it shows.
    Run(run::Arguments),
    /// Say what is wrong with scripts and notebooks, without running anything.
    Check(check::Arguments),
    /// Bring scripts and notebooks into the one layout.
    Fmt(fmt::Arguments),
}

/// Runs the program on the process's own arguments.
pub fn main(start: StartSession<'_>) -> ExitCode {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("warn"));
    // A second subscriber is refused, which happens only where a test has set one.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = log.with_ansi(std::io::stderr().is_terminal()).try_init();
    run_with(std::env::args_os(), start)
}

/// Runs the program on the given arguments, its own name first.
pub fn run_with(arguments: impl IntoIterator<Item = OsString>, start: StartSession<'_>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output and are no failure; clap knows which.
            let code = if error.use_stderr() { USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let result = match arguments.command {
        Command::Kernel(arguments) => kernel::run(&arguments, start).map(|()| ExitCode::SUCCESS),
        Command::Install(arguments) => install::run(&arguments).map(|installed| {
            let replaced = if installed.is_replaced { ", in place of the one that was there" } else { "" };
            eprintln!("installed the kernel in {}{replaced}", installed.folder.display());
            ExitCode::SUCCESS
        }),
        Command::Uninstall(arguments) => uninstall::run(&arguments).map(|uninstalled| {
            eprintln!("{}", uninstall::message(&uninstalled));
            ExitCode::SUCCESS
        }),
        Command::Run(arguments) => {
            run::run(&arguments, start, &mut std::io::stdout().lock()).map(|passed| ExitCode::from(u8::from(!passed)))
        }
        Command::Check(arguments) => {
            check::run(&arguments, start, &mut std::io::stdout().lock()).map(|good| ExitCode::from(u8::from(!good)))
        }
        Command::Fmt(arguments) => {
            fmt::run(&arguments, &mut std::io::stdout().lock()).map(|good| ExitCode::from(u8::from(!good)))
        }
    };
    result.unwrap_or_else(|failure| {
        eprintln!("tidebook: {}", failure.message);
        ExitCode::from(failure.code)
    })
}

/// Why a command ends before its time.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The command cannot be carried out as it was given.
    fn usage(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: USAGE }
    }

    /// Something failed while it was carried out.
    fn runtime(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: 1 }
    }
}
