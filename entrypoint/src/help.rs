//! The texts of `--help` and `--version`.

use std::fmt::Write;

use crate::error;
use crate::settings;

/// `entrypoint --version`
pub fn version() -> String {
    format!("entrypoint {}\n", env!("CARGO_PKG_VERSION"))
}

/// `entrypoint --help`
pub fn overview() -> String {
    let mut text = String::from(
        "PID 1 of a container: checks what the app needs, runs the app, passes signals on and
ends with the app's exit code.

Usage:
  entrypoint run [OPTIONS] -- COMMAND [ARGS...]
  entrypoint run --help
  entrypoint --version

In a Dockerfile:
  COPY --from=bootproof/entrypoint /entrypoint /entrypoint
  ENV DATA_DIR=/data
  ENTRYPOINT [\"/entrypoint\", \"run\", \"--\"]
  CMD [\"node\", \"server.js\"]
\n",
    );
    text.push_str(&exit_codes());
    text
}

/// `entrypoint run --help`
pub fn run() -> String {
    let mut text = String::from(
        "Checks what the app needs, then runs COMMAND as the app.

Usage:
  entrypoint run [OPTIONS] -- COMMAND [ARGS...]

Options, each with the environment variable that does the same. The command line wins;
an empty value counts as not given:
",
    );
    for setting in settings::ALL {
        let (option, value, variable) = (setting.option, setting.value, setting.variable);
        let _ = writeln!(text, "  --{option} {value}   [{variable}]\n      {}", setting.meaning);
    }
    text.push_str("  --help\n      this text\n\n");
    text.push_str(&exit_codes());
    text
}

fn exit_codes() -> String {
    let mut text = String::from("Exit codes; the last log line tells whether a code is the app's own:\n");
    for row in &error::TABLE {
        let _ = writeln!(text, "  {:>8}  {}", row.code, row.meaning);
    }
    text
}
