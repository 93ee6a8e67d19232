//! The control groups of a container, of either version: what it uses and what it may use.

pub mod cpu;
pub mod device;
pub mod io;
pub mod memory;
pub mod pids;
pub mod usage;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use agent::{Answer, Setting, Settings};

use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::mounts::{self, Mount};
use crate::subject::Subject;

/// The machine's files, as its first process sees them.
const MACHINE: &str = "/proc/1/root";

/// Where a process is written to make it a member.
const MEMBERS: &str = "cgroup.procs";

/// Which interface a controller has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One tree for each controller.
    One,
    /// One tree for all.
    Two,
}

/// Where the controllers keep their files about one container.
#[derive(Debug)]
pub struct Groups {
    one: HashMap<String, PathBuf>,
    two: Option<PathBuf>,
}

/// One controller's files.
#[derive(Debug)]
pub struct Group {
    /// As it is called in its own version.
    pub controller: String,
    /// Which files to expect.
    pub version: Version,
    folder: PathBuf,
}

impl Groups {
    /// Those that a process is in.
    pub fn of(subject: Subject) -> Outcome<Groups> {
        let pid = subject.pid();
        let memberships = fs::read_to_string(subject.proc("cgroup"));
        Groups::anywhere(&memberships.or_cannot(|| format!("read the control groups of process {pid}"))?)
    }

    /// Those that the agent is in.
    pub fn own() -> Outcome<Groups> {
        let memberships = fs::read_to_string("/proc/self/cgroup");
        Groups::anywhere(&memberships.or_cannot(|| "read the agent's own control groups".into())?)
    }

    /// In the agent's own mounts, where the engine has given it the whole tree; else in the machine's, which
    /// may be closed to it.
    fn anywhere(memberships: &str) -> Outcome<Groups> {
        let own = Groups::found(memberships, &mounts::mounts("/proc/self".as_ref())?, "/".as_ref());
        if own.two.is_some() || !own.one.is_empty() {
            return Ok(own);
        }
        Ok(Groups::found(memberships, &mounts::mounts("/proc/1".as_ref())?, MACHINE.as_ref()))
    }

    /// From `/proc/PID/cgroup`, with lines such as `4:cpu,cpuacct:/docker/x` and `0::/docker/x`, and the
    /// mounts of the machine.
    fn found(memberships: &str, mounts: &[Mount], machine: &Path) -> Groups {
        let mut groups = Groups { one: HashMap::new(), two: None };
        for line in memberships.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            if controllers.is_empty() {
                groups.two = folder(mounts, machine, path, |mount| mount.kind == "cgroup2");
            }
            for controller in controllers.split(',').filter(|name| !name.is_empty()) {
                let is_its =
                    |mount: &Mount| mount.kind == "cgroup" && mount.options.iter().any(|option| option == controller);
                if let Some(folder) = folder(mounts, machine, path, is_its) {
                    groups.one.insert(controller.to_owned(), folder);
                }
            }
        }
        groups
    }

    /// The file of members of the group that is frozen as one. In the new version that is no controller.
    pub fn freezer(&self) -> Outcome<PathBuf> {
        let folder = self.one.get("freezer").or(self.two.as_ref());
        let folder = folder.ok_or_else(|| refuse("the kernel keeps no control group that could be frozen"))?;
        Ok(folder.join(MEMBERS))
    }

    /// A controller by the name that it has in each version.
    pub fn group(&self, one: &str, two: &str) -> Outcome<Group> {
        if let Some(folder) = self.one.get(one) {
            return Ok(Group { controller: one.to_owned(), version: Version::One, folder: folder.clone() });
        }
        let enabled = |folder: &PathBuf| {
            let controllers = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
            controllers.split_whitespace().any(|name| name == two)
        };
        match &self.two {
            Some(folder) if enabled(folder) => {
                Ok(Group { controller: two.to_owned(), version: Version::Two, folder: folder.clone() })
            }
            _ => Err(refuse(format!("the kernel keeps no control group `{two}` for this container"))),
        }
    }
}

/// Puts settings back, in their order.
pub fn restore(subject: Subject, settings: &Settings) -> Outcome<Answer> {
    let groups = Groups::of(subject)?;
    for Setting { controller, file, value } in &settings.0 {
        groups.group(controller, controller)?.write(file, value)?;
    }
    Ok(Answer::Done)
}

impl Group {
    /// The file of its members.
    pub fn members(&self) -> PathBuf {
        self.folder.join(MEMBERS)
    }

    /// What a file holds.
    pub fn read(&self, file: &str) -> Outcome<String> {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).or_cannot(|| format!("read {}", path.display()))?;
        Ok(text.trim_end().to_owned())
    }

    /// The number that a file holds.
    pub fn number(&self, file: &str) -> Outcome<u64> {
        let text = self.read(file)?;
        text.parse().map_err(|_| refuse(format!("{file} of the control group holds no number but {text:?}")))
    }

    /// Changes what a file holds.
    pub fn write(&self, file: &str, value: &str) -> Outcome<()> {
        let path = self.folder.join(file);
        fs::write(&path, value).or_cannot(|| format!("write {value:?} to {}", path.display()))
    }

    /// What a file holds, for putting it back.
    pub fn setting(&self, file: &str) -> Outcome<Setting> {
        Ok(self.keeping(file, self.read(file)?))
    }

    /// A value for a file.
    pub fn keeping(&self, file: &str, value: String) -> Setting {
        Setting { controller: self.controller.clone(), file: file.to_owned(), value }
    }

    /// Makes changes, all or none, and answers what undoes them.
    pub fn change(&self, before: Vec<Setting>, changes: &[(&str, String)]) -> Outcome<Settings> {
        for (file, value) in changes {
            if let Err(failure) = self.write(file, value) {
                // The failure is the news, whatever comes of this.
                let _ = before.iter().try_for_each(|old| self.write(&old.file, &old.value));
                return Err(failure);
            }
        }
        Ok(Settings(before))
    }
}

/// Where a group's folder is, seen from the agent. Of a tree, a part may be mounted only.
fn folder(mounts: &[Mount], machine: &Path, path: &str, is_its: impl Fn(&Mount) -> bool) -> Option<PathBuf> {
    let mount = mounts.iter().find(|mount| is_its(mount))?;
    let below = Path::new(path).strip_prefix(&mount.root).ok()?;
    let target = mount.target.strip_prefix("/").unwrap_or(&mount.target);
    Some(machine.join(target).join(below))
}

#[cfg(test)]
mod tests;
