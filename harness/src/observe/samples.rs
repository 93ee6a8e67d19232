//! Looks that are taken again and again.

use super::Source;
use super::look::Looker;
use crate::engine::Error;
use crate::timeline::{Look, What, When};

/// Looks at the boot that runs now, until it is stopped.
pub async fn take(source: Source, looker: Looker, looks: Vec<Look>) {
    let Err(error) = take_all(&source, looker, looks).await;
    source.fail(error);
}

async fn take_all(source: &Source, looker: Looker, looks: Vec<Look>) -> Result<std::convert::Infallible, Error> {
    let looker = looker.at_this_boot().await?;
    loop {
        for look in &looks {
            let saw = looker.look(look).await?;
            source.send(source.clock.now(), What::looked(look.clone(), saw, When::During));
        }
        source.clock.sample().await;
    }
}
