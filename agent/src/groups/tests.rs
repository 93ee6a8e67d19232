//! Control groups as files, where the kernel at hand has only one version of the real ones.

use std::fs;
use std::path::Path;

use agent::{Setting, Settings, Usage};
use tempfile::TempDir;

use super::{Groups, Version, cpu, memory, pids, usage};
use crate::mounts;

/// A tree of files that stands for a container's.
pub struct Tree {
    folder: TempDir,
    pub groups: Groups,
}

impl Tree {
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join("sys/fs/cgroup/docker/x").join(file)).unwrap()
    }
}

/// A tree of version 2, with every controller.
pub fn unified(files: &[(&str, &str)]) -> Tree {
    let folder = tempfile::tempdir().unwrap();
    let group = folder.path().join("sys/fs/cgroup/docker/x");
    fs::create_dir_all(&group).unwrap();
    for (name, content) in files.iter().chain(&[("cgroup.controllers", "cpuset cpu io memory pids\n")]) {
        fs::write(group.join(name), content).unwrap();
    }
    let mounts = mounts::parse("30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    let groups = Groups::found("0::/docker/x\n", &mounts, folder.path());
    Tree { folder, groups }
}

fn setting(controller: &str, file: &str, value: &str) -> Setting {
    Setting { controller: controller.into(), file: file.into(), value: value.into() }
}

#[test]
fn controllers_are_found_where_they_are_mounted() {
    let mounts = mounts::parse(
        "30 1 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
         31 1 0:27 /outer /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
         32 1 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
    );
    let memberships = "3:cpu,cpuacct:/docker/x\n2:pids:/outer/docker/x\n1:name=systemd:/\n0::/docker/x\n";
    let groups = Groups::found(memberships, &mounts, Path::new("/m"));
    let cpuacct = groups.group("cpuacct", "cpu").unwrap();
    assert_eq!(cpuacct.members(), Path::new("/m/sys/fs/cgroup/cpu,cpuacct/docker/x/cgroup.procs"));
    let pids = groups.group("pids", "pids").unwrap();
    assert_eq!(pids.members(), Path::new("/m/sys/fs/cgroup/pids/docker/x/cgroup.procs"));
    assert_eq!(pids.version, Version::One);
    let missing = groups.group("memory", "memory").unwrap_err();
    assert_eq!(missing.cause, "the kernel keeps no control group `memory` for this container");
}

#[test]
fn usage_is_read_from_version_2() {
    let tree = unified(&[
        ("cpu.stat", "usage_usec 7\nuser_usec 5\nnr_periods 9\nnr_throttled 2\nthrottled_usec 3\n"),
        ("memory.current", "100\n"),
        ("memory.peak", "200\n"),
        ("memory.max", "max\n"),
        ("memory.events", "low 0\nhigh 0\nmax 4\noom 0\noom_kill 0\n"),
        ("pids.current", "3\n"),
        ("pids.max", "10\n"),
        ("pids.events", "max 1\n"),
        ("io.stat", "8:0 rbytes=10 wbytes=20 rios=1 wios=1\n8:16 rbytes=1 wbytes=2 rios=1 wios=1\n"),
    ]);
    let expected = Usage {
        periods: Some(9),
        cpu_ns: Some(7000),
        throttled_periods: Some(2),
        throttled_ns: Some(3000),
        memory: Some(100),
        memory_peak: Some(200),
        memory_limit: None,
        memory_fails: Some(4),
        pids: Some(3),
        pids_limit: Some(10),
        pids_fails: Some(1),
        read_bytes: Some(11),
        write_bytes: Some(22),
    };
    assert_eq!(usage::usage(&tree.groups), expected);
}

#[test]
fn limits_of_version_2_are_set_and_the_old_ones_answered() {
    let tree = unified(&[
        ("cpu.max", "max 100000\n"),
        ("memory.current", "1000\n"),
        ("memory.max", "max\n"),
        ("memory.swap.current", "7\n"),
        ("memory.swap.max", "max\n"),
        ("pids.current", "3\n"),
        ("pids.max", "max\n"),
    ]);
    let before = cpu::throttle(&tree.groups, 0.25).unwrap();
    assert_eq!(tree.read("cpu.max"), "25000 100000");
    assert_eq!(before, Settings(vec![setting("cpu", "cpu.max", "max 100000")]));

    let before = memory::limit(&tree.groups, 50).unwrap();
    assert_eq!((tree.read("memory.max").as_str(), tree.read("memory.swap.max").as_str()), ("1050", "7"));
    let swap = setting("memory", "memory.swap.max", "max");
    assert_eq!(before, Settings(vec![swap, setting("memory", "memory.max", "max")]));

    let before = pids::limit(&tree.groups, 2).unwrap();
    assert_eq!(tree.read("pids.max"), "5");
    assert_eq!(before, Settings(vec![setting("pids", "pids.max", "max")]));
}

#[test]
fn a_change_that_fails_midway_is_taken_back() {
    let tree = unified(&[("pids.max", "max\n")]);
    let group = tree.groups.group("pids", "pids").unwrap();
    let before = vec![group.setting("pids.max").unwrap()];
    let changes = [("pids.max", "5".to_owned()), ("no/such", "1".to_owned())];
    let failure = group.change(before, &changes).unwrap_err();
    assert!(failure.cause.contains("ENOENT"), "{failure}");
    assert_eq!(tree.read("pids.max"), "max");
}
