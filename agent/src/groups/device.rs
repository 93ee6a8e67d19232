//! The block device below a path.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::sys::stat::{major, minor};

use super::MACHINE;
use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::mounts::{self, Mount};
use crate::subject::{Rights, Subject, rooted};

/// The whole disk's numbers, such as `8:0`: the kernel slows no partition.
pub fn below(subject: Subject, path: &Path) -> Outcome<String> {
    let shown = path.display();
    let real = subject.enter(Rights::Own, || fs::canonicalize(path).or_cannot(|| format!("look at {shown}")))?;
    let mounts = mounts::mounts(&subject.proc(""))?;
    let mount = mounts::covering(&mounts, &real);
    let mount = mount.ok_or_else(|| refuse(format!("{shown} of the container is on no mount")))?;
    // What is written to an overlay goes to a directory of the machine.
    let device = match mount.option("upperdir") {
        Some(upper) => on_machine(upper).or_else(|failure| of_engine(&mounts).ok_or(failure))?,
        None => mount.device.clone(),
    };
    whole_disk(&device).ok_or_else(|| refuse(format!("{shown} is on {}, which has no block device", mount.kind)))
}

fn on_machine(path: &str) -> Outcome<String> {
    rooted(MACHINE.as_ref(), || {
        let device = fs::metadata(path).or_cannot(|| format!("look at {path} on the machine"))?.dev();
        Ok(format!("{}:{}", major(device), minor(device)))
    })
}

/// Where the machine's files are closed to the agent: the device on which the engine keeps a file that it
/// mounts into every container. Its overlays are on the same one, unless somebody has parted them.
fn of_engine(mounts: &[Mount]) -> Option<String> {
    let hosts = mounts.iter().find(|mount| mount.target == Path::new("/etc/hosts"));
    hosts.map(|mount| mount.device.clone())
}

fn whole_disk(device: &str) -> Option<String> {
    let folder = fs::canonicalize(format!("/sys/dev/block/{device}")).ok()?;
    let is_partition = folder.join("partition").exists();
    let disk = if is_partition { folder.parent()? } else { &folder };
    Some(fs::read_to_string(disk.join("dev")).ok()?.trim_end().to_owned())
}
