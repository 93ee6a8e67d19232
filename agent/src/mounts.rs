//! `/proc/PID/mountinfo`: what is mounted where.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{OrCannot as _, Outcome};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Major and minor number of the file system's device, such as `8:1`.
    pub device: String,
    /// Which path of the file system is mounted.
    pub root: PathBuf,
    /// Where.
    pub target: PathBuf,
    /// The type of the file system.
    pub kind: String,
    /// Options of the file system itself.
    pub options: Vec<String>,
}

impl Mount {
    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The mounts of a process, in a folder of `/proc`.
pub fn mounts(process: &Path) -> Outcome<Vec<Mount>> {
    let table = fs::read_to_string(process.join("mountinfo"));
    Ok(parse(&table.or_cannot(|| format!("read the mounts in {}", process.display()))?))
}

/// The mount that a path is on: of those that cover it, the deepest, and of these the last.
pub fn covering<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let covers = mounts.iter().filter(|mount| path.starts_with(&mount.target));
    covers.max_by_key(|mount| mount.target.components().count())
}

/// The mounts of a table.
pub fn parse(table: &str) -> Vec<Mount> {
    table.lines().filter_map(mount).collect()
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn mount(line: &str) -> Option<Mount> {
    let (place, kind) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(2);
    let mut kind = kind.split(' ');
    Some(Mount {
        device: place.next()?.to_owned(),
        root: unescaped(place.next()?).into(),
        target: unescaped(place.next()?).into(),
        kind: kind.next()?.to_owned(),
        options: kind.nth(1)?.split(',').map(unescaped).collect(),
    })
}

/// The kernel writes a space as `\040`, and likewise tab, newline and backslash.
fn unescaped(word: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(word.to_owned(), |word, (escape, character)| word.replace(escape, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
        25 1 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u/diff,workdir=/w\n\
        26 25 8:1 /docker/a\\040b /data rw shared:3 master:1 - ext4 /dev/sda1 rw\n\
        27 25 0:60 / /data/deep rw - tmpfs tmpfs rw,size=64k\n";

    #[track_caller]
    fn check(path: &str, kind: &str) {
        assert_eq!(covering(&parse(TABLE), path.as_ref()).unwrap().kind, kind, "{path}");
    }

    #[test]
    fn a_path_is_on_the_deepest_mount_above_it() {
        check("/", "overlay");
        check("/database", "overlay");
        check("/data/x", "ext4");
        check("/data/deep", "tmpfs");
    }

    #[test]
    fn a_mount_tells_its_device_its_source_and_its_options() {
        let mounts = parse(TABLE);
        assert_eq!(mounts[0].option("upperdir"), Some("/u/diff"));
        assert_eq!((mounts[1].device.as_str(), mounts[1].root.as_path()), ("8:1", "/docker/a b".as_ref()));
    }
}
