//! What is going on, while it goes on.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use super::note;
use crate::events::Progress;

/// Shows each result as it comes, on standard output, and progress on standard
/// error: a moving line for each running scenario on a terminal; elsewhere only
/// what takes long, a line each.
pub struct Live {
    bars: Option<MultiProgress>,
    running: HashMap<String, ProgressBar>,
}

impl Live {
    /// Chooses by what standard error is.
    #[must_use]
    pub fn new() -> Self {
        let bars = std::io::stderr().is_terminal().then(MultiProgress::new);
        Self { bars, running: HashMap::new() }
    }

    /// Shows all that comes, until nobody sends any more.
    pub async fn show(mut self, mut events: mpsc::UnboundedReceiver<Progress>) {
        while let Some(progress) = events.recv().await {
            match (self.bars.clone(), progress) {
                (Some(bars), Progress::Judged(judged)) => bars.suspend(|| super::result(&judged)),
                (None, Progress::Judged(judged)) => super::result(&judged),
                (Some(bars), progress) => self.draw(&bars, progress),
                (None, progress) => tell(progress),
            }
        }
    }

    fn draw(&mut self, bars: &MultiProgress, progress: Progress) {
        match progress {
            Progress::Began { name } => {
                let bar = bars.add(ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {prefix:.bold} {wide_msg:.dim}")
                {
                    bar.set_style(style);
                }
                bar.set_prefix(name.clone());
                bar.enable_steady_tick(Duration::from_millis(120));
                self.running.insert(name, bar);
            }
            Progress::Doing { name, what } | Progress::Saw { name, what } => {
                if let Some(bar) = self.running.get(&name) {
                    bar.set_message(what);
                }
            }
            Progress::Ended { name } => {
                if let Some(bar) = self.running.remove(&name) {
                    bar.finish_and_clear();
                }
            }
            Progress::Judged(_) => {}
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

/// Without a terminal nobody watches a boot: only builds take long enough, and
/// of their output only what says how far they are.
fn tell(progress: Progress) {
    const ASIDE: [&str; 3] = [" --->", "Removing intermediate", "Successfully"];
    if let Progress::Doing { name, what } = progress
        && !ASIDE.iter().any(|aside| what.contains(aside))
    {
        note(format!("{name}: {what}"));
    }
}
