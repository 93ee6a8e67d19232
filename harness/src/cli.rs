//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::scenario::image::ImageRef;
use crate::seed::Seed;

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

const RUN: &str = "\
Examples:
  harness run                                  everything below scenarios/
  harness run scenarios/logging -j 4           one folder, four at once
  harness run --only T13                       what proves a requirement
  harness run --control FILE                   the broken twin, reported as if it were the subject
  harness run --accept FILE                    what it writes becomes its log snapshots
  harness run --seed 0x5eed FILE               with the same randomness as that run";

const LIST: &str = "\
Examples:
  harness list
  harness list scenarios/preflight
  harness list --only read-only";

const EXPLAIN: &str = "\
Examples:
  harness explain scenarios/logging/tome-log-dest.toml
  harness new > first.toml; harness explain first.toml";

const NEW: &str = "\
Examples:
  harness new                                  print it
  harness new scenarios/nas/first-boot.toml    write it
  harness new first.toml --image ghost:5 --claim \"Ghost boots on half a core\"
  harness new bug.toml --image fixture:tome --origin \"Tome: after an update it never starts again\"";

const SCHEMA: &str = "\
Examples:
  harness schema > scenario.schema.json

Editors with taplo (Even Better TOML) complete a file that begins with
  #:schema scenario.schema.json";

const IMAGES: &str = "\
Examples:
  harness images
  harness images tome tome/shell";

const CLEAN: &str = "\
Examples:
  harness clean                                what runs have left that are over
  harness clean --all                          what living runs have made, too
  harness clean --images                       the fixture images, too";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Boot the subjects of scenarios and judge them
    #[command(after_help = RUN)]
    Run(Run),
    /// List scenarios with their claims
    #[command(after_help = LIST)]
    List(Selection),
    /// Say in words what a scenario does and what it expects
    #[command(after_help = EXPLAIN)]
    Explain {
        /// The scenario file
        file: PathBuf,
    },
    /// Write the commented start of a scenario
    #[command(after_help = NEW)]
    New(New),
    /// Print the JSON schema of a scenario file, by which editors complete
    #[command(after_help = SCHEMA)]
    Schema,
    /// Print the reference of the scenario language
    #[command(hide = true)]
    Reference,
    /// Build the fixture images ahead of a run
    #[command(after_help = IMAGES)]
    Images {
        /// The fixtures to build, such as tome or tome/shell; all of them when none is named
        names: Vec<String>,
    },
    /// Remove what interrupted runs have left in the engine
    #[command(after_help = CLEAN)]
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

/// What is known of a new scenario.
#[derive(Debug, Args)]
pub struct New {
    /// The file, which must not be there yet; without one it is printed
    pub file: Option<PathBuf>,
    /// The image of the subject
    #[arg(long)]
    pub image: Option<ImageRef>,
    /// What is claimed, as one sentence
    #[arg(long, value_name = "TEXT")]
    pub claim: Option<String>,
    /// Where the bug was met
    #[arg(long, value_name = "TEXT")]
    pub origin: Option<String>,
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
    /// The seed of all that is random: a number, or one in hexadecimal after 0x; a new one unless said
    #[arg(long)]
    pub seed: Option<Seed>,
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
