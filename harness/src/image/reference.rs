//! An image that has a name in a registry, or only in the engine.

use super::error::Error;
use super::{Images, Known, base, platform};
use crate::engine::Progress;
use crate::scenario::wanted::{PullPolicy, Wanted};

impl Images {
    /// A Debian is made here where no registry gives it, like the base of a fixture.
    pub(super) async fn reference(
        &self,
        name: &str,
        wanted: &Wanted,
        known: &mut Known,
        progress: Progress<'_>,
    ) -> Result<String, Error> {
        let (policy, platform) = (wanted.pull_policy, wanted.platform.as_deref());
        let is_used_as_it_is = policy != PullPolicy::Always && platform.is_none();
        if is_used_as_it_is && let Some(image) = self.engine.image(name).await? {
            self.see_that_it_runs(&image.platform, known).await?;
            return Ok(name.to_owned());
        }
        let _lock = match &self.workspace {
            Some(workspace) => Some(known.lock(workspace, progress).await?),
            None => None,
        };
        let image = base::ensure_as(self.engine.as_ref(), name, policy, platform, progress).await?;
        self.see_that_it_runs(&image.platform, known).await?;
        // A name stands for one platform at a time, and others may pull another meanwhile.
        Ok(if platform.is_some() { image.id } else { name.to_owned() })
    }

    /// A subject that cannot be run here must not be blamed for it.
    pub(super) async fn see_that_it_runs(&self, platform: &str, known: &mut Known) -> Result<(), Error> {
        let own = match &known.own {
            Some(own) => own.clone(),
            None => platform::processor(&self.engine.about().await?.platform).to_owned(),
        };
        known.own = Some(own.clone());
        let processor = platform::processor(platform);
        if processor == own {
            return Ok(());
        }
        let runs = match known.runs.get(processor) {
            Some(runs) => *runs,
            None => platform::runs(self.engine.as_ref(), processor).await?,
        };
        known.runs.insert(processor.to_owned(), runs);
        match runs {
            true => Ok(()),
            false => Err(Error::CannotRun { platform: platform.to_owned(), own }),
        }
    }
}
