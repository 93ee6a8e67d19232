//! Files into and out of a container, as tar archives.

use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder, InspectContainerOptions,
    UploadToContainerOptionsBuilder,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::{Docker, refusal};
use crate::engine::{Error, FileStat};

/// The bit by which Go's file modes, which the engine speaks in, mark a directory.
const GO_DIRECTORY: u32 = 1 << 31;

impl Docker {
    pub(super) async fn put_archive(&self, id: &str, path: &str, tar: Bytes) -> Result<(), Error> {
        let options = UploadToContainerOptionsBuilder::default().path(path).build();
        self.client
            .upload_to_container(id, Some(options), bollard::body_full(tar))
            .await
            .map_err(|error| self.failed(format!("put files below {path} in the container {id}"), &error))
    }

    pub(super) async fn stat_path(&self, id: &str, path: &str) -> Result<Option<FileStat>, Error> {
        let options = ContainerArchiveInfoOptionsBuilder::default().path(path).build();
        let act = || format!("look at {path} in the container {id}");
        match self.client.get_container_archive_info(id, Some(options)).await {
            Ok(seen) => Ok(Some(FileStat {
                size: u64::try_from(seen.size).unwrap_or_default(),
                directory: seen.file_mode & GO_DIRECTORY != 0,
            })),
            Err(error) if refusal::status(&error) == Some(404) => {
                // The answer has no body: was it the file that is missing, or the container?
                let container = self.client.inspect_container(id, None::<InspectContainerOptions>).await;
                container.map(|_| None).map_err(|error| self.failed(act(), &error))
            }
            Err(error) => Err(self.failed(act(), &error)),
        }
    }

    pub(super) async fn get_archive(&self, id: &str, path: &str) -> Result<Bytes, Error> {
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let mut chunks = Box::pin(self.client.download_from_container(id, Some(options)));
        let mut archive = BytesMut::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| self.failed(format!("read {path} in the container {id}"), &error))?;
            archive.extend_from_slice(&chunk);
        }
        Ok(archive.freeze())
    }
}
