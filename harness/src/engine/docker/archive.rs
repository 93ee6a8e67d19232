//! Files into and out of a container, as tar archives.

use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder, InspectContainerOptions,
    UploadToContainerOptionsBuilder,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::{Docker, refusal};
use crate::engine::{Error, FileStat, Ids};

/// The bits by which Go's file modes, which the engine speaks in, mark a directory,
/// and those that stand for set-user-id, set-group-id and sticky.
const GO_DIRECTORY: u32 = 1 << 31;
const GO_SPECIAL: [(u32, u32); 3] = [(1 << 23, 0o4000), (1 << 22, 0o2000), (1 << 20, 0o1000)];

/// How much of an archive holds its first head, whatever extensions come before it.
const HEAD: usize = 16 * 1024;

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
                mode: permissions(seen.file_mode),
                modified: seen.modification_time.map(|time| time.to_string()).unwrap_or_default(),
                leads_to: Some(seen.link_target).filter(|target| !target.is_empty()),
            })),
            Err(error) if refusal::status(&error) == Some(404) => {
                // The answer has no body: was it the file that is missing, or the container?
                let container = self.client.inspect_container(id, None::<InspectContainerOptions>).await;
                container.map(|_| None).map_err(|error| self.failed(act(), &error))
            }
            Err(error) => Err(self.failed(act(), &error)),
        }
    }

    /// The archive of a directory holds all below it: only its beginning is read.
    pub(super) async fn owner_of(&self, id: &str, path: &str) -> Result<Option<Ids>, Error> {
        if self.stat_path(id, path).await?.is_none() {
            return Ok(None);
        }
        let act = || format!("look at {path} in the container {id}");
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let mut chunks = Box::pin(self.client.download_from_container(id, Some(options)));
        let mut beginning = BytesMut::new();
        while beginning.len() < HEAD
            && let Some(chunk) = chunks.next().await
        {
            beginning.extend_from_slice(&chunk.map_err(|error| self.failed(act(), &error))?);
        }
        let ids = first_owner(&beginning).map_err(|error| Error::Failed { act: act(), cause: error.to_string() })?;
        Ok(Some(ids))
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

/// The permission bits of one of Go's file modes.
fn permissions(mode: u32) -> u32 {
    let special = GO_SPECIAL.iter().filter(|(bit, _)| mode & bit != 0);
    special.fold(mode & 0o777, |mode, (_, bit)| mode | bit)
}

fn first_owner(archive: &[u8]) -> std::io::Result<Ids> {
    let mut archive = tar::Archive::new(archive);
    let first = archive.entries()?.next().ok_or_else(|| std::io::Error::other("the archive is empty"))??;
    Ok(Ids { uid: first.header().uid()?, gid: first.header().gid()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_special_bits_are_where_unix_has_them() {
        assert_eq!(permissions(GO_DIRECTORY | 1 << 20 | 0o777), 0o1777);
        assert_eq!(permissions(1 << 23 | 0o755), 0o4755);
        assert_eq!(permissions(0o640), 0o640);
    }
}
