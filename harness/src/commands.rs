//! The commands, each from its arguments to its exit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::cli::{Command, New, Run, Selection};
use crate::clock::Clock;
use crate::corpus::{self, Case, NotFound};
use crate::doctor;
use crate::engine::docker::Docker;
use crate::engine::{Engine, Error};
use crate::events::Progress;
use crate::exit::Exit;
use crate::image::{self, Images, Workspace};
use crate::language::{self, Reference, Start};
use crate::report::{self, Live};
use crate::run::Stage;
use crate::sandbox;
use crate::sandbox::state::Contents;
use crate::scenario::image::ImageRef;
use crate::scenario::problem::Problems;
use crate::seed::Seed;
use crate::suite::Suite;
use crate::timeline::Seconds;

/// Why a command ended before its work was done.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The engine did not do what it was asked.
    #[error(transparent)]
    Engine(#[from] Error),
    /// A path names nothing.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// A file is not a scenario.
    #[error("{0}")]
    BadFile(Problems),
    /// A new file could not be written.
    #[error("cannot write {}: {cause}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// An image could not be made.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// Nothing was selected.
    #[error("no scenario {0}; `harness list` shows those there are")]
    NothingSelected(String),
    /// The user stopped it.
    #[error("interrupted; the containers and volumes of its runs are removed")]
    Interrupted,
}

/// Does what the command line asks for.
pub async fn carry_out(command: Command) -> Exit {
    let done = match command {
        Command::Run(arguments) => run(arguments).await,
        Command::List(selection) => list(&selection),
        Command::Explain { file } => explain(&file),
        Command::New(arguments) => begin(arguments),
        Command::Schema => schema(),
        Command::Reference => reference(),
        Command::Images { names } => images(&names).await,
        Command::Clean { all, images } => clean(all, images).await,
        Command::Doctor => diagnose().await,
    };
    done.unwrap_or_else(|stop| stop.tell())
}

async fn run(arguments: Run) -> Result<Exit, Stop> {
    let cases = select(&arguments.selection)?;
    if cases.iter().all(|case| case.plan.is_err()) {
        // No engine is needed to say so.
        for problems in cases.iter().filter_map(|case| case.plan.as_ref().err()) {
            report::problems(problems);
        }
        return Ok(Exit::BadInput);
    }
    let (mut stage, images) = stage(&arguments.selection.paths).await?;
    stage.seed = arguments.seed.map_or(stage.seed, |seed| seed.0);
    sandbox::sweep(&*stage.engine, stage.clock.now(), false).await?;

    let (events, progress) = mpsc::unbounded_channel();
    let live = tokio::spawn(Live::new().show(progress));
    let interrupt = stage.interrupt.clone();
    let jobs = arguments.jobs.map_or_else(processors, std::num::NonZeroUsize::get);
    let suite = Suite {
        stage,
        images: Arc::new(images),
        bundles: arguments.bundles,
        events,
        accept: arguments.accept,
        control_only: arguments.control,
    };
    let tallies = suite.run_each(cases, jobs, |judged| judged.tally()).await;
    drop(suite);
    // The reporter ends with the last sender; a panic in it has lost nothing.
    let _ = live.await;
    report::say(report::summary(&tallies));
    if *interrupt.borrow() {
        return Err(Stop::Interrupted);
    }
    Ok(Exit::of_suite(&tallies))
}

fn list(selection: &Selection) -> Result<Exit, Stop> {
    report::say(report::list(&select(selection)?));
    Ok(Exit::Pass)
}

fn explain(file: &Path) -> Result<Exit, Stop> {
    let plan = Case::read(file).plan.map_err(Stop::BadFile)?;
    report::say(report::explanation(&plan));
    Ok(Exit::Pass)
}

/// Writes the start of a scenario, where nothing stands yet.
fn begin(arguments: New) -> Result<Exit, Stop> {
    let New { file, image, claim, origin } = arguments;
    let schema = corpus::schema_from(file.as_deref());
    let text = Start { image, claim, origin, schema }.text();
    let Some(path) = file else {
        report::say(text.trim_end());
        return Ok(Exit::Pass);
    };
    corpus::begin(&path, &text).map_err(|cause| Stop::Unwritable { path: path.clone(), cause })?;
    report::say(report::begun(&path));
    Ok(Exit::Pass)
}

fn schema() -> Result<Exit, Stop> {
    report::say(format!("{:#}", language::schema()));
    Ok(Exit::Pass)
}

fn reference() -> Result<Exit, Stop> {
    report::say(Reference::of_types().page().trim_end());
    Ok(Exit::Pass)
}

async fn images(names: &[String]) -> Result<Exit, Stop> {
    let (stage, images) = stage(&[]).await?;
    let named = names.iter().map(|name| {
        let (name, stage) = name.split_once('/').map_or((name.as_str(), None), |(name, stage)| (name, Some(stage)));
        ImageRef::Fixture { name: name.to_owned(), stage: stage.map(str::to_owned) }
    });
    let wanted: Vec<ImageRef> = if names.is_empty() { images.fixtures()? } else { named.collect() };
    let (events, progress) = mpsc::unbounded_channel();
    let live = tokio::spawn(Live::new().show(progress));
    let mut built = Vec::new();
    for image in wanted {
        let began = Instant::now();
        let name = image.to_string();
        // Whoever shows the progress may have ended; the build goes on without it.
        let tell = |progress| drop(events.send(progress));
        tell(Progress::Began { name: name.clone() });
        let doing = |line: &str| tell(Progress::Doing { name: name.clone(), what: line.to_owned() });
        let reference = tokio::select! {
            reference = images.ensure(&image, &doing) => reference?,
            () = stage.interrupted() => return Err(Stop::Interrupted),
        };
        tell(Progress::Ended { name });
        built.push(format!("{image} is {reference} ({})", Seconds(began.elapsed())));
    }
    drop(events);
    let _ = live.await;
    built.iter().for_each(report::say);
    Ok(Exit::Pass)
}

async fn clean(all: bool, images: bool) -> Result<Exit, Stop> {
    let (stage, _) = stage(&[]).await?;
    let mut removed = sandbox::sweep(&*stage.engine, stage.clock.now(), all).await?;
    if images {
        for owned in stage.engine.images_labelled(image::FIXTURE_LABEL).await? {
            stage.engine.remove(&owned.thing).await?;
            removed.push(owned.thing);
        }
    }
    for thing in &removed {
        report::say(format!("removed {thing}"));
    }
    let living = stage.engine.labelled(sandbox::RUN).await?.len();
    match (removed.is_empty(), living) {
        (true, 0) => report::say("nothing to remove"),
        (false, 0) => {}
        (_, living) => report::say(format!(
            "left alone, because their runs may still be alive: {living}; \
             a run or `harness clean` after their deadline removes them, `harness clean --all` does now"
        )),
    }
    Ok(Exit::Pass)
}

async fn diagnose() -> Result<Exit, Stop> {
    let docker = Docker::connect().await?;
    report::say(report::diagnosis(&doctor::examine(&docker).await?));
    Ok(Exit::Pass)
}

/// Reads the selected files. What is wrong with one is told with the others'
/// results, except that a selection of nothing is an error by itself.
fn select(selection: &Selection) -> Result<Vec<Case>, Stop> {
    let files = corpus::find(&selection.paths)?;
    let selected =
        |case: &Case| selection.only.is_empty() || selection.only.iter().any(|only| case.is_selected_by(only));
    let cases: Vec<Case> = files.iter().map(|file| Case::read(file)).filter(selected).collect();
    if cases.is_empty() {
        return Err(Stop::NothingSelected(described(selection)));
    }
    Ok(cases)
}

fn described(selection: &Selection) -> String {
    let paths: Vec<String> = selection.paths.iter().map(|path| path.display().to_string()).collect();
    match selection.only.as_slice() {
        [] => format!("stands in {}", paths.join(", ")),
        only => format!("in {} contains `{}`", paths.join(", "), only.join("` or `")),
    }
}

/// Connects to the engine and prepares what every run needs.
pub async fn stage(paths: &[PathBuf]) -> Result<(Stage, Images), Stop> {
    let engine: Arc<dyn Engine> = Arc::new(Docker::connect().await?);
    let asked = Instant::now();
    let about = engine.about().await?;
    let clock = Clock::set(about.clock, asked.elapsed());
    let unenforced = about.limits.into_iter().filter(|(_, able)| !able).map(|(limit, _)| limit).collect();
    // A scenario that lies elsewhere still gets its agent from the checkout at hand.
    let named = paths.first().and_then(|path| path.canonicalize().ok());
    let here = std::env::current_dir().ok();
    let workspace = [named, here].into_iter().flatten().find_map(|folder| Workspace::find(&folder));
    let seed = Seed::random().0;
    let contents = Contents { root: workspace.as_ref().map(Workspace::state_folder) };
    let images = Images::new(engine.clone(), workspace);
    Ok((Stage { engine, clock, unenforced, contents, interrupt: interrupts(), seed, blunt: false }, images))
}

/// Becomes true at the first Ctrl-C, TERM or HUP.
fn interrupts() -> watch::Receiver<bool> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = watch::channel(false);
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let sender = sender.clone();
        if let Ok(mut signals) = signal(kind) {
            tokio::spawn(async move {
                signals.recv().await;
                sender.send_replace(true);
            });
        }
    }
    receiver
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

impl Stop {
    /// Tells it, and gives the exit code that belongs to it.
    fn tell(&self) -> Exit {
        match self {
            Self::BadFile(problems) => report::problems(problems),
            Self::Image(error) => {
                for line in error.log().lines() {
                    report::note(line);
                }
                report::complain(self);
            }
            Self::Engine(Error::Unreachable { .. }) => report::complain(format!(
                "{self}\n  in a checkout of Bootproof, as root on Debian or Ubuntu, `make engine` installs and starts one"
            )),
            _ => report::complain(self),
        }
        match self {
            Self::Engine(Error::Unreachable { .. }) => Exit::NoEngine,
            Self::Image(image::Error::UnknownFixture { .. } | image::Error::UnknownStage { .. }) => Exit::BadInput,
            Self::Engine(_) | Self::Image(_) => Exit::Invalid,
            Self::NotFound(_) | Self::BadFile(_) | Self::Unwritable { .. } => Exit::BadInput,
            Self::NothingSelected(_) => Exit::NothingSelected,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}
