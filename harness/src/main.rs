//! The harness: proves that a container boots.

use std::process::ExitCode;

use harness::cli::Command;
use harness::commands::carry_out;
use harness::exit::Exit;
use harness::report;

fn main() -> ExitCode {
    let command = Command::from_arguments();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(carry_out(command)).into(),
        Err(error) => {
            report::complain(format!("cannot start the runtime: {error}"));
            Exit::Invalid.into()
        }
    }
}
