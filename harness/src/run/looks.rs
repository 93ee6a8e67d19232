//! What expectations ask to be looked at, at the times at which it is.

use super::Invalid;
use super::course::Course;
use crate::timeline::{Look, What, When, Window};

impl Course<'_> {
    /// Looks before the first start at what is there without any process.
    pub(super) async fn look_before(&mut self) -> Result<(), Invalid> {
        let windows = self.trial.claims.iter().map(|claim| claim.scope.window);
        let mut looks: Vec<Look> = windows.flat_map(|window| self.trial.looks(window)).collect();
        looks.retain(|look| matches!(look, Look::File { .. } | Look::Tree { .. }));
        looks.sort();
        looks.dedup();
        self.look_at(looks, When::Before).await
    }

    /// Looks on behalf of the claims about a window that ends: at what needs a
    /// living subject, or at the rest.
    pub(super) async fn look_after(&mut self, window: Option<Window>, living: bool) -> Result<(), Invalid> {
        let mut looks = self.trial.looks(window);
        looks.retain(|look| needs_life(look) == living);
        self.look_at(looks, When::After).await
    }

    async fn look_at(&mut self, looks: Vec<Look>, when: When) -> Result<(), Invalid> {
        let looker = self.world.looker(self.trial);
        for look in looks {
            let saw = looker.look(&look).await;
            self.push(What::Looked { look, saw, when });
        }
        Ok(())
    }
}

/// Whether a look needs a living subject.
fn needs_life(look: &Look) -> bool {
    match look {
        Look::Http(_) | Look::Processes | Look::Usage => true,
        // A file of SQLite is looked at when nobody writes to it any more.
        Look::Sql { database, .. } => !database.starts_with('/'),
        Look::File { .. } | Look::Tree { .. } | Look::HealthCheck => false,
    }
}
