//! Places: where an act takes place.

use std::path::{Path, PathBuf};

use agent::{Failure, Place};

use crate::failure::{Outcome, refuse};
use crate::subject::{self, Rights, Subject};

/// Does something at a place, of which it is told the path below a root that is entered: so a link that
/// points to an absolute path leads where it leads in the container, and never out of it.
pub fn at<T: Send>(place: &Place, volumes: &Path, act: impl FnOnce(&Path) -> Outcome<T> + Send) -> Outcome<T> {
    match place {
        Place::Container { pid, path } => Subject::at(*pid)?.enter(Rights::Own, || act(&below_root(path))),
        Place::Volume { volume, path } => {
            let done = subject::rooted(&folder(volume, volumes)?, || act(&below_root(path)));
            // Its root is `/` like that of a container.
            done.map_err(|failure| Failure { cause: format!("in the volume {volume}: {}", failure.cause), ..failure })
        }
    }
}

/// A path of a container or a volume, seen from its root.
pub fn below_root(path: &str) -> PathBuf {
    Path::new("/").join(path)
}

/// Where the agent has mounted a volume.
pub fn folder(volume: &str, volumes: &Path) -> Outcome<PathBuf> {
    let is_a_name = !volume.is_empty() && !volume.contains('/') && volume != "." && volume != "..";
    let folder = volumes.join(volume);
    if is_a_name && folder.is_dir() { Ok(folder) } else { Err(refuse(format!("the agent has no volume `{volume}`"))) }
}
