//! Images: which there are, and how they get here.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::ImageInspect;
use bollard::query_parameters::{CreateImageOptions, ListImagesOptionsBuilder};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};

use super::{Docker, credentials, refusal};
use crate::engine::{Error, Flow, Image, Labels, Owned, Progress, Thing};

/// How long a registry may take to say whether it has an image.
const REGISTRY_ANSWER: Duration = Duration::from_secs(5);

impl Docker {
    pub(super) async fn image_now(&self, reference: &str) -> Result<Option<Image>, Error> {
        match self.client.inspect_image(reference).await {
            Ok(seen) => Ok(Some(Image {
                platform: platform_of(&seen),
                id: seen.id.unwrap_or_default(),
                labels: seen.config.and_then(|config| config.labels).unwrap_or_default().into_iter().collect(),
                size: seen.size.unwrap_or_default(),
            })),
            Err(error) if refusal::status(&error) == Some(404) => Ok(None),
            Err(error) => Err(self.failed(format!("look for the image {reference}"), &error)),
        }
    }

    pub(super) async fn registry_has(&self, reference: &str) -> bool {
        let known = credentials::of(reference).await.ok().flatten();
        let asked = self.client.inspect_registry_image(reference, known);
        matches!(tokio::time::timeout(REGISTRY_ANSWER, asked).await, Ok(Ok(_)))
    }

    pub(super) async fn pull_image(
        &self,
        reference: &str,
        platform: Option<&str>,
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        // Without a tag the engine would fetch every tag there is.
        let pinned = reference.contains('@') || split_tag(reference).1.is_some();
        let options = CreateImageOptions {
            from_image: Some(reference.to_owned()),
            tag: (!pinned).then(|| "latest".to_owned()),
            platform: platform.unwrap_or_default().to_owned(),
            ..CreateImageOptions::default()
        };
        // Many images need no credentials. That they could not be had matters
        // only where the registry wants them.
        let (known, unknown) = match credentials::of(reference).await {
            Ok(known) => (known, None),
            Err(why) => (None, Some(why)),
        };
        let failed = |error: &bollard::errors::Error| {
            let why = unknown.as_ref().map(|why| format!(" (it was asked without credentials: {why})"));
            match self.failed(format!("pull the image {reference}"), error) {
                Error::Failed { act, cause } => Error::Failed { act, cause: cause + &why.unwrap_or_default() },
                other => other,
            }
        };
        let mut steps = Box::pin(self.client.create_image(Some(options), None, known));
        while let Some(step) = steps.next().await {
            let step = step.map_err(|error| failed(&error))?;
            // The bytes of each layer are counted many times a second; only its stages are told.
            let counted = step.progress_detail.and_then(|detail| detail.current).is_some();
            if let Some(status) = step.status.filter(|_| !counted) {
                match step.id {
                    Some(layer) => progress(&format!("{layer}: {status}")),
                    None => progress(&status),
                }
            }
        }
        Ok(())
    }

    pub(super) async fn import_image(&self, tag: &str, labels: &Labels, tar: Flow<Bytes>) -> Result<(), Error> {
        let (repository, version) = split_tag(tag);
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(repository.to_owned()),
            tag: Some(version.unwrap_or("latest").to_owned()),
            changes: labels.iter().map(|(name, value)| format!("LABEL {name:?}={value:?}")).collect(),
            ..CreateImageOptions::default()
        };
        let body = bollard::body_try_stream(tar.map_err(std::io::Error::other));
        let answer = self.client.create_image(Some(options), Some(body), None);
        self.drain(answer, format!("import the image {tag}")).await
    }

    pub(super) async fn labelled_images(&self, label: &str) -> Result<Vec<Owned>, Error> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let images = self
            .client
            .list_images(Some(options))
            .await
            .map_err(|error| self.failed(format!("list the images with the label {label}"), &error))?;
        let owned = images.into_iter().flat_map(|image| {
            let mut names = image.repo_tags;
            names.retain(|name| name != "<none>:<none>");
            if names.is_empty() {
                names.push(image.id);
            }
            let labels: Labels = image.labels.into_iter().collect();
            names.into_iter().map(move |name| Owned { thing: Thing::Image(name), labels: labels.clone() })
        });
        Ok(owned.collect())
    }

    /// Waits for the end of a stream of progress that nobody wants to see.
    async fn drain<T>(
        &self,
        steps: impl Stream<Item = Result<T, bollard::errors::Error>>,
        act: String,
    ) -> Result<(), Error> {
        let mut steps = Box::pin(steps);
        while let Some(step) = steps.next().await {
            step.map_err(|error| self.failed(act.clone(), &error))?;
        }
        Ok(())
    }
}

fn platform_of(seen: &ImageInspect) -> String {
    let parts = [&seen.os, &seen.architecture, &seen.variant];
    let said: Vec<&str> = parts.into_iter().flatten().map(String::as_str).filter(|part| !part.is_empty()).collect();
    said.join("/")
}

/// Repository and tag of a reference; a colon before a slash belongs to a port.
fn split_tag(reference: &str) -> (&str, Option<&str>) {
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (reference, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_not_a_tag() {
        assert_eq!(split_tag("debian:trixie"), ("debian", Some("trixie")));
        assert_eq!(split_tag("debian"), ("debian", None));
        assert_eq!(split_tag("localhost:5000/app"), ("localhost:5000/app", None));
        assert_eq!(split_tag("localhost:5000/app:1"), ("localhost:5000/app", Some("1")));
    }
}
