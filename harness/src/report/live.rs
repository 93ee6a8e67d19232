//! What is going on, while it goes on.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use super::note;
use crate::events::Progress;

/// Shows progress on standard error: a moving line for each running scenario
/// on a terminal; elsewhere only what takes long, a line each.
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
            match self.bars.clone() {
                Some(bars) => self.draw(&bars, progress),
                None => tell(progress),
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
            Progress::Doing { name, what } => {
                if let Some(bar) = self.running.get(&name) {
                    bar.set_message(what);
                }
            }
            Progress::Ended { name } => {
                if let Some(bar) = self.running.remove(&name) {
                    bar.finish_and_clear();
                }
            }
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
    const ASIDE: [&str; 6] = ["booting", "image ", " --->", "Removing intermediate", "Successfully", "Selecting"];
    if let Progress::Doing { name, what } = progress {
        let said = what.split_once(": ").map_or(what.as_str(), |(_, said)| said);
        if !ASIDE.iter().any(|aside| said.starts_with(aside)) {
            note(format!("{name}: {said}"));
        }
    }
}
