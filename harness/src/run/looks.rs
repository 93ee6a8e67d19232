//! What expectations ask to be looked at, at the times at which it is.

use super::Invalid;
use super::course::Course;
use crate::timeline::{Look, What, When, Window};

impl Course<'_> {
    /// Looks, before a step or the first of all, at what is compared with what is there at the end.
    pub(super) async fn look_before(&mut self, window: Option<Window>) -> Result<(), Invalid> {
        let mut looks = self.trial.looks(window);
        looks.retain(|look| matches!(look, Look::File { .. } | Look::Tree { .. }));
        self.look_at(looks, When::Before).await
    }

    /// Looks at what a new container says of itself.
    pub(super) async fn look_at_new(&mut self) -> Result<(), Invalid> {
        let looks = if self.trial.looks_at(&Look::HealthCheck) { vec![Look::HealthCheck] } else { Vec::new() };
        self.look_at(looks, When::Before).await
    }

    /// Looks on behalf of the claims about a window that ends: at what needs a
    /// living subject, or at the rest.
    pub(super) async fn look_after(&mut self, window: Option<Window>, living: bool) -> Result<(), Invalid> {
        let end = match window {
            Some(Window::Step(step)) => When::Step(step),
            Some(Window::Boot(_)) | None => When::After,
        };
        let mut looks = self.trial.looks(window);
        looks.retain(|look| needs_life(look) == Some(living));
        self.look_at(looks, end).await
    }

    async fn look_at(&mut self, looks: Vec<Look>, when: When) -> Result<(), Invalid> {
        let looker = self.world.looker(self.trial, self.timeline.steps());
        for look in looks {
            let saw = looker.look(&look).await?;
            self.push(What::looked(look, saw, when));
        }
        Ok(())
    }
}

/// Whether a look needs a living subject; nothing, where it is not for the end.
fn needs_life(look: &Look) -> Option<bool> {
    match look {
        Look::Http(_) | Look::Processes | Look::Usage => Some(true),
        // A file of SQLite is looked at when nobody writes to it any more.
        Look::Sql { database, .. } => Some(!database.starts_with('/')),
        Look::File { .. } | Look::Tree { .. } => Some(false),
        Look::HealthCheck => None,
    }
}
