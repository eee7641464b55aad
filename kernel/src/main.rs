//! The program `tidebook`.

mod session_host;

use std::process::ExitCode;

fn main() -> ExitCode {
    tidebook_kernel::cli::main(&session_host::start_session)
}
