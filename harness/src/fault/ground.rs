//! The container that a fault is done to, as far as the fault has to know it.

use agent::Place;

/// The container at the moment at which something is done to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ground {
    /// The host's number of its PID 1.
    pub pid: u32,
    /// The volumes mounted into it, which the agent holds too: path and name.
    pub volumes: Vec<(String, String)>,
    /// The service it is, if it is one.
    pub service: Option<String>,
    /// The name that it has in the run's network.
    pub name: String,
    /// Makes what is random, the same for the same seed.
    pub seed: u64,
}

impl Ground {
    /// Where the agent finds a path of the container: in the volume that is
    /// mounted deepest above it, which is there even when no process runs.
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        let holds =
            |target: &str| path == target || path.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'));
        let deepest = self.volumes.iter().filter(|(target, _)| holds(target)).max_by_key(|(target, _)| target.len());
        match deepest {
            Some((target, volume)) => {
                Place::Volume { volume: volume.clone(), path: path[target.len()..].trim_start_matches('/').to_owned() }
            }
            None => Place::Container { pid: self.pid, path: path.to_owned() },
        }
    }

    /// The same path where a place is meant whose root is known: below the volume
    /// or in the container.
    #[must_use]
    pub fn below(&self, path: &str) -> String {
        match self.place(path) {
            Place::Volume { path, .. } | Place::Container { path, .. } => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_in_the_volume_that_is_mounted_deepest_above_it() {
        let volumes =
            [("/data", "data"), ("/data/deep", "deep")].map(|(path, name)| (path.to_owned(), name.to_owned()));
        let ground = Ground { pid: 7, volumes: volumes.to_vec(), ..Ground::default() };
        let check = |path: &str, expected: &str| {
            let seen = match ground.place(path) {
                Place::Volume { volume, path } => format!("{volume}:{path}"),
                Place::Container { pid, path } => format!("{pid}:{path}"),
            };
            assert_eq!(seen, expected, "{path}");
        };
        check("/data", "data:");
        check("/data/app.db", "data:app.db");
        check("/data/deep/er", "deep:er");
        check("/database", "7:/database");
        check("/etc/hosts", "7:/etc/hosts");
    }
}
