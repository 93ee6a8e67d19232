//! Looks that are taken again and again while the subject is ready.

use super::Source;
use super::look::Looker;
use crate::timeline::{Look, What, When};

/// Looks until it is stopped, which is when the boot ends.
pub async fn take(source: Source, looker: Looker, looks: Vec<Look>) {
    loop {
        for look in &looks {
            let saw = looker.look(look).await;
            source.send(source.clock.now(), What::Looked { look: look.clone(), saw, when: When::During });
        }
        source.clock.sample().await;
    }
}
