//! Data directories: made, proven, or refused with owner, mode, cause and the way out.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use crate::boot::{BINARY, Boot, Ended, can_unshare, is_root};

/// A directory that another user can reach.
fn open_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

#[track_caller]
fn check(ended: &Ended, code: i32, path: &Path, cause: &str, suggestion: &str) {
    ended.assert_ended(code, "entrypoint");
    let line = ended.line("the data directory");
    assert_eq!(line["level"], "error");
    assert_eq!(line["phase"], "preflight");
    assert_eq!(line["path"], path.to_str().unwrap(), "{line}");
    assert_eq!(line["cause"], cause, "{line}");
    assert!(line["owner"].is_string() && line["mode"].is_string() && line["user"].is_string(), "{line}");
    assert!(line["suggestion"].as_str().unwrap().contains(suggestion), "{line}");
    assert!(!ended.says("the app ran"));
}

fn boot(data: &Path) -> Boot {
    Boot::arguments(&["run", "--", "echo", "the", "app", "ran"]).env("DATA_DIR", data.to_str().unwrap())
}

#[test]
fn a_missing_directory_is_created_with_all_above_it_and_leaves_no_probe() {
    let directory = open_directory();
    let data = directory.path().join("a/b/c");
    let ended = boot(&data).run();
    ended.assert_ended(0, "app");
    ended.line("data directory created");
    assert_eq!(ended.line("data directory is writable")["path"], data.to_str().unwrap());
    assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
}

#[test]
fn the_directory_of_the_database_is_a_data_directory() {
    let directory = open_directory();
    let database = directory.path().join("state/app.db");
    let ended = Boot::script("true").env("DATABASE_PATH", database.to_str().unwrap()).run();
    ended.assert_ended(0, "app");
    assert!(database.parent().unwrap().is_dir() && !database.exists());
}

#[test]
fn all_directories_are_checked_and_all_that_is_wrong_is_told() {
    let directory = open_directory();
    let names = ["one", "two", "three"].map(|name| directory.path().join(name).to_string_lossy().into_owned());
    fs::write(&names[0], "").unwrap();
    fs::write(&names[2], "").unwrap();
    let ended = Boot::script("true").env("DATA_DIR", &names.join(":")).run();
    ended.assert_ended(73, "entrypoint");
    ended.line(&format!("{} is a file", names[0]));
    ended.line(&format!("{} is a file", names[2]));
    assert_eq!(ended.line("data directory is writable")["path"], names[1]);
}

#[test]
fn a_file_in_its_place_is_refused() {
    let directory = open_directory();
    let data = directory.path().join("data");
    fs::write(&data, "").unwrap();
    check(&boot(&data).run(), 73, &data, "not_a_directory", "remove");
}

#[test]
fn a_file_above_it_is_refused() {
    let directory = open_directory();
    fs::write(directory.path().join("file"), "").unwrap();
    let data = directory.path().join("file/data");
    check(&boot(&data).run(), 73, &data, "not_a_directory", "remove");
}

#[test]
fn a_link_to_nothing_is_refused() {
    let directory = open_directory();
    let data = directory.path().join("data");
    symlink("/nowhere", &data).unwrap();
    check(&boot(&data).run(), 73, &data, "not_a_directory", "remove");
}

#[test]
fn a_directory_of_somebody_else_is_refused_with_owner_mode_and_both_ways_out() {
    let directory = open_directory();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o555)).unwrap();
    let ended = boot(&data).user(1000).run();
    if is_root() {
        check(&ended, 77, &data, "permission", "`chown 1000:1000`");
        let line = ended.line("the data directory");
        assert_eq!(
            (&line["owner"], &line["mode"], &line["user"]),
            (&"0:0".into(), &"0555".into(), &"1000:1000".into())
        );
        assert!(line["suggestion"].as_str().unwrap().contains("`user: \"0:0\"`"));
    } else {
        check(&ended, 77, &data, "permission", "chmod u+rwx");
    }
}

#[test]
fn a_directory_that_cannot_be_created_names_the_deepest_one_that_is_there() {
    let directory = open_directory();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let data = directory.path().join("a/b");
    let ended = boot(&data).user(1000).run();
    check(&ended, 73, &data, "permission", directory.path().to_str().unwrap());
    assert_eq!(ended.line("the data directory")["ancestor"], directory.path().to_str().unwrap());
}

#[test]
fn a_directory_that_cannot_be_reached_is_refused() {
    let directory = open_directory();
    let closed = directory.path().join("closed");
    fs::create_dir_all(closed.join("data")).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let data = closed.join("data");
    let ended = boot(&data).user(1000).run();
    check(&ended, 77, &data, "permission", closed.to_str().unwrap());
    assert_eq!(ended.line("the data directory")["ancestor"], closed.to_str().unwrap());
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Boots in a mount namespace of its own, after `prepare` has mounted something at `$DATA_DIR`.
fn boot_on_mount(data: &Path, prepare: &str) -> Ended {
    let script = format!("set -e; {prepare}; exec {BINARY} run -- echo the app ran");
    let arguments = ["--mount", "--propagation", "private", "--", "sh", "-c", &script];
    Boot::command("unshare", &arguments).env("DATA_DIR", data.to_str().unwrap()).run()
}

#[test]
fn a_read_only_mount_is_told_from_a_wrong_owner() {
    if !can_unshare(&["--mount"]) {
        return;
    }
    let directory = open_directory();
    let ended = boot_on_mount(directory.path(), "mount -t tmpfs -o ro tmpfs \"$DATA_DIR\"");
    check(&ended, 77, directory.path(), "read_only", "without `:ro`");
    let inside = directory.path().join("inside");
    let ended = boot_on_mount(&inside, "mount -t tmpfs -o ro tmpfs \"${DATA_DIR%/*}\"");
    check(&ended, 73, &inside, "read_only", "mount a writable volume");
}

#[test]
fn a_full_disk_is_refused_and_no_probe_is_left() {
    if !can_unshare(&["--mount"]) {
        return;
    }
    let directory = open_directory();
    let fill = "mount -t tmpfs -o size=64k tmpfs \"$DATA_DIR\"; head -c 1000000 /dev/zero > \"$DATA_DIR/fill\" || true";
    let ended = boot_on_mount(directory.path(), fill);
    check(&ended, 77, directory.path(), "no_space", "df -i");
    let script = format!("{fill}; {BINARY} run -- true; ls -A \"$DATA_DIR\"");
    let ended = Boot::command("unshare", &["--mount", "--propagation", "private", "--", "sh", "-c", &script])
        .env("DATA_DIR", directory.path().to_str().unwrap())
        .run();
    assert!(ended.says("fill") && !ended.says("probe"), "{:?}", ended.lines);
}

#[test]
fn root_without_its_capability_is_told_so() {
    if !is_root() {
        eprintln!("skipped: only root can be a root without capabilities");
        return;
    }
    let directory = open_directory();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    std::os::unix::fs::chown(&data, Some(1000), Some(1000)).unwrap();
    let arguments = ["--bounding-set", "-dac_override", "--", BINARY, "run", "--", "echo", "the", "app", "ran"];
    let ended = Boot::command("setpriv", &arguments).env("DATA_DIR", data.to_str().unwrap()).run();
    check(&ended, 77, &data, "missing_capability", "cap_add: [DAC_OVERRIDE]");
}
