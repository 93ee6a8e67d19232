//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// What is told after the options.
const AFTER: &str = "\
Exit codes:
  0    every claim held, and every control failed as it must
  1    a subject broke a claim
  2    a scenario file or the command line is wrong
  3    a run proves nothing: engine, image or control failed
  4    no Docker engine answers
  5    nothing was selected
  130  interrupted; every container of the run is removed

The engine is the one that DOCKER_HOST names, or the one at the default socket.
`harness doctor` says what it can do.";

/// Boots real containers under the conditions that scenario files describe, and judges what happens.
#[derive(Debug, Parser)]
#[command(name = "harness", version, after_help = AFTER, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Boot the subjects of scenarios and judge them
    #[command(
        after_help = "Examples:\n  harness run\n  harness run scenarios/logging -j 4\n  harness run --only T13\n  harness run --control scenarios/logging/tome-log-dest.toml"
    )]
    Run(Run),
    /// List scenarios with their claims
    List(Selection),
    /// Say in words what a scenario does and what it expects
    Explain {
        /// The scenario file
        file: PathBuf,
    },
    /// Build the fixture images ahead of a run
    Images {
        /// The fixtures to build, such as tome or tome/shell; all of them when none is named
        names: Vec<String>,
    },
    /// Remove what interrupted runs have left in the engine
    Clean {
        /// Also what belongs to runs that may be alive
        #[arg(long)]
        all: bool,
        /// Also the fixture images
        #[arg(long)]
        images: bool,
    },
    /// Say which engine answers and what it can enforce
    Doctor,
}

/// Which scenarios.
#[derive(Debug, Args)]
pub struct Selection {
    /// Scenario files, or folders that hold them
    #[arg(default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// Only those whose path, claim or requirements contain this text; may be given more than once
    #[arg(long, value_name = "TEXT")]
    pub only: Vec<String>,
}

/// How to run them.
#[derive(Debug, Args)]
pub struct Run {
    /// Which.
    #[command(flatten)]
    pub selection: Selection,
    /// How many to run at once; as many as there are processors unless said
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Make what the subjects write their new snapshots
    #[arg(long, conflicts_with = "control")]
    pub accept: bool,
    /// Run the controls in the place of their scenarios, and report how they fail
    #[arg(long)]
    pub control: bool,
    /// The folder that gets a bundle of each run
    #[arg(long, value_name = "DIR", default_value = "target/bootproof")]
    pub bundles: PathBuf,
}

impl Command {
    /// Reads the command line; a wrong one ends the process with its explanation.
    #[must_use]
    pub fn from_arguments() -> Self {
        Cli::parse().command
    }
}
