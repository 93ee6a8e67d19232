//! What was seen at the looks that expectations have asked for.

use jiff::Timestamp;

use super::{Event, Look, Seen, Timeline, What, When, Window};

/// What was seen at one look.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The place of the event in the timeline.
    pub place: usize,
    /// The event.
    pub event: &'a Event,
    /// What was seen.
    pub saw: &'a Seen,
}

impl Timeline {
    /// All that was seen at this, at these times.
    pub fn looked(&self, look: &Look, at: When) -> impl DoubleEndedIterator<Item = Sight<'_>> {
        let wanted = look.mark();
        self.events.iter().enumerate().filter_map(move |(place, event)| match &event.what {
            What::Looked { mark, saw, when, .. } if *mark == wanted && *when == at => Some(Sight { place, event, saw }),
            _ => None,
        })
    }

    /// What was seen at this before anything happened.
    #[must_use]
    pub fn seen_before(&self, look: &Look) -> Option<Sight<'_>> {
        self.looked(look, When::Before).next()
    }

    /// What was seen at this at the end.
    #[must_use]
    pub fn seen_after(&self, look: &Look) -> Option<Sight<'_>> {
        let end = match self.window {
            Some(Window::Step(step)) => When::Step(step),
            Some(Window::Boot(_)) | None => When::After,
        };
        self.looked(look, end).next()
    }

    /// The moment from which a time within which something has to happen counts:
    /// the step of this window, or when the subject was ready for the first time.
    #[must_use]
    pub fn step_or_ready(&self) -> Option<Timestamp> {
        match self.window {
            Some(Window::Step(step)) => self.step(step).map(|(_, event)| event.at),
            Some(Window::Boot(_)) | None => {
                self.find(|what| matches!(what, What::Ready { .. })).next().map(|(_, event)| event.at)
            }
        }
    }

    /// What was seen at this again and again while the subject was ready and nothing
    /// had asked it to end: then it may close its doors.
    #[must_use]
    pub fn seen_while_ready(&self, look: &Look) -> Vec<Sight<'_>> {
        // A step may find a subject that has long been ready; a boot begins without.
        let mut open = matches!(self.window, Some(Window::Step(_)));
        let mut sights = self.looked(look, When::During).peekable();
        let mut seen = Vec::new();
        for (place, event) in self.events.iter().enumerate() {
            match &event.what {
                What::Ready { .. } => open = true,
                What::Started | What::Died { .. } => open = false,
                What::Step { verb, .. } if verb.ends() => open = false,
                _ => {}
            }
            if let Some(sight) = sights.next_if(|sight| sight.place == place)
                && open
            {
                seen.push(sight);
            }
        }
        seen
    }
}
