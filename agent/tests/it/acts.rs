//! What is done to files: its effect is seen from outside the agent.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use agent::{Answer, Command, Content, Kind, Space};
use nix::libc;

use crate::client::{exists, volume};
use crate::subject;

/// A tmpfs of 1 MiB.
const SMALL: &str = "mount -t tmpfs -o size=1m tmpfs /mnt";

/// The same, read-only.
const READ_ONLY: &str = "mount -t tmpfs tmpfs /mnt; echo old > /mnt/file; mkdir /mnt/folder; mount -o remount,ro /mnt";

#[test]
fn a_tree_is_deleted_and_what_its_links_point_to_is_not() {
    let Some((mut client, subject)) = subject::with(SMALL) else { return };
    let root = subject.path("/mnt");
    fs::create_dir_all(root.join("data/deep/deeper")).unwrap();
    fs::create_dir(root.join("kept")).unwrap();
    fs::write(root.join("kept/file"), "x").unwrap();
    fs::write(root.join("data/deep/file"), "x").unwrap();
    symlink("/mnt/kept", root.join("data/link")).unwrap();
    assert_eq!(client.get(Command::Delete { place: subject.place("/mnt/data") }), Answer::Count(5));
    assert!(!exists(&root.join("data")) && exists(&root.join("kept/file")));
    client.fails(Command::Delete { place: subject.place("/mnt/data") }, "ENOENT");
}

#[test]
fn a_mount_point_is_emptied_and_stays_mounted() {
    let script = format!(
        "{SMALL}; mkdir -p /mnt/a/inner; mount -t tmpfs -o size=64k tmpfs /mnt/a/inner; echo x > /mnt/a/inner/f; echo x > /mnt/a/f"
    );
    let Some((mut client, subject)) = subject::with(&script) else { return };
    let mounted = fs::metadata(subject.path("/mnt/a/inner")).unwrap().dev();
    assert_eq!(client.get(Command::Delete { place: subject.place("/mnt") }), Answer::Count(2));
    assert_eq!(fs::metadata(subject.path("/mnt/a/inner")).unwrap().dev(), mounted);
    assert_eq!(fs::read_dir(subject.path("/mnt/a/inner")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(subject.path("/mnt/a")).unwrap().count(), 1);
}

#[test]
fn the_root_of_a_container_is_never_deleted() {
    let Some((mut client, subject)) = subject::with("") else { return };
    for path in ["/", "/tmp/..", ""] {
        client.fails(Command::Delete { place: subject.place(path) }, "never deleted");
    }
}

#[test]
fn the_root_of_a_volume_is_emptied() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    fs::write(state.join("a"), "x").unwrap();
    assert_eq!(client.get(Command::Delete { place: volume("state", "") }), Answer::Count(1));
    assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
}

#[test]
fn every_act_on_a_read_only_file_system_fails_with_its_name() {
    let Some((mut client, subject)) = subject::with(READ_ONLY) else { return };
    let file = || subject.place("/mnt/file");
    let folder = || subject.place("/mnt/folder");
    let content = || Content::from("new");
    for command in [
        Command::Delete { place: file() },
        Command::Delete { place: folder() },
        Command::Replace { place: file(), content: content() },
        Command::Write { place: file(), content: content() },
        Command::Corrupt { place: file(), bytes: 1, seed: 1 },
        Command::Truncate { place: file(), size: 0 },
        Command::Fill { place: folder(), leave: 1 << 62 },
        Command::Chmod { place: file(), mode: 0o600, recursive: false },
        Command::Chown { place: file(), uid: Some(1000), gid: None, recursive: false },
        Command::Rename { place: file(), to: "/mnt/other".into() },
        Command::CopyTruncate { place: file(), to: "/mnt/other".into() },
        Command::MakeDirectory { place: subject.place("/mnt/new") },
        Command::ManyFiles { place: folder(), count: 1 },
    ] {
        let shown = format!("{command:?}");
        let failure = client.ask(command).unwrap_err();
        assert_eq!(failure.errno, Some(libc::EROFS), "{shown}: {failure}");
        assert!(failure.cause.contains("EROFS (Read-only file system)"), "{shown}: {failure}");
    }
    assert_eq!(fs::read_to_string(subject.path("/mnt/file")).unwrap(), "old\n");
}

#[test]
fn a_replaced_file_has_another_inode_and_the_same_owner_and_mode() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    let path = state.join("db");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    client.get(Command::Replace { place: volume("state", "db"), content: "new".into() });
    let after = fs::metadata(&path).unwrap();
    assert_ne!(after.ino(), before.ino());
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    client.get(Command::Replace { place: volume("state", "absent"), content: "new".into() });
    assert_eq!(fs::read_dir(&state).unwrap().count(), 2);
    client.fails(Command::Replace { place: volume("state", "no/file"), content: "x".into() }, "ENOENT");
}

#[test]
fn a_written_file_keeps_its_inode() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    let path = state.join("db");
    let bytes: Vec<u8> = (0..=255).collect();
    client.get(Command::Write { place: volume("state", "db"), content: "old and longer".into() });
    let before = fs::metadata(&path).unwrap().ino();
    client.get(Command::Write { place: volume("state", "db"), content: Content(vec![]) });
    client.get(Command::Write { place: volume("state", "db"), content: Content(bytes.clone()) });
    assert_eq!((fs::metadata(&path).unwrap().ino(), fs::read(&path).unwrap()), (before, bytes));
    client.fails(Command::Write { place: volume("state", ""), content: "x".into() }, "EISDIR");
}

#[test]
fn corrupting_changes_exactly_so_many_bytes_and_the_same_ones_for_the_same_seed() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    let path = state.join("db");
    let old = vec![7; 10_000];
    let mut damage = |bytes, seed| {
        fs::write(&path, &old).unwrap();
        client.get(Command::Corrupt { place: volume("state", "db"), bytes, seed });
        let new = fs::read(&path).unwrap();
        let differ = old.iter().zip(&new).filter(|(old, new)| old != new).count();
        assert_eq!((new.len(), differ), (old.len(), usize::try_from(bytes).unwrap().min(old.len())));
        new
    };
    let first = damage(100, 42);
    assert_eq!(damage(100, 42), first);
    assert_ne!(damage(100, 43), first);
    damage(1_000_000, 1);
    fs::write(&path, "").unwrap();
    client.fails(Command::Corrupt { place: volume("state", "db"), bytes: 1, seed: 1 }, "nothing to corrupt");
}

#[test]
fn a_file_is_cut_and_lengthened_and_never_made() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    let path = state.join("db");
    fs::write(&path, "abcdef").unwrap();
    client.get(Command::Truncate { place: volume("state", "db"), size: 2 });
    assert_eq!(fs::read(&path).unwrap(), b"ab");
    client.get(Command::Truncate { place: volume("state", "db"), size: 4 });
    assert_eq!(fs::read(&path).unwrap(), b"ab\0\0");
    client.fails(Command::Truncate { place: volume("state", "absent"), size: 2 }, "ENOENT");
}

#[test]
fn a_full_file_system_has_no_space_and_then_has_it_again() {
    let Some((mut client, subject)) = subject::with(SMALL) else { return };
    let place = || subject.place("/mnt");
    let Answer::Space(Space { free, total, .. }) = client.get(Command::Free { place: place() }) else { panic!() };
    assert_eq!((free, total), (1 << 20, 1 << 20));
    let Answer::Space(left) = client.get(Command::Fill { place: place(), leave: 100_000 }) else { panic!() };
    assert!(left.free <= 100_000 && left.free > 90_000, "{left:?}");
    fs::write(subject.path("/mnt/fits"), vec![1; 60_000]).unwrap();
    let Answer::Space(left) = client.get(Command::Fill { place: place(), leave: 0 }) else { panic!() };
    assert_eq!(left.free, 0);
    let error = fs::write(subject.path("/mnt/more"), "x").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    client.fails(Command::Write { place: subject.place("/mnt/more"), content: "x".into() }, "ENOSPC");
    client.get(Command::Unfill { place: place() });
    client.get(Command::Unfill { place: place() });
    fs::write(subject.path("/mnt/more"), "x").unwrap();
    assert!(!exists(&subject.path("/mnt/.bootproof-fill")));
}

#[test]
fn neither_the_machines_disk_nor_one_of_its_size_is_filled() {
    let Some((mut client, subject)) = subject::with("mount -t tmpfs -o size=64g tmpfs /mnt") else { return };
    client.fails(Command::Fill { place: subject.place("/mnt"), leave: 0 }, "more than 4 GiB");
    client.fails(Command::Fill { place: subject.place("/"), leave: 0 }, "machine's own disk");
    assert!(!exists(&subject.path("/mnt/.bootproof-fill")) && !exists(&subject.path("/.bootproof-fill")));
}

#[test]
fn modes_change_and_links_are_left_alone() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    fs::create_dir(state.join("deep")).unwrap();
    fs::write(state.join("deep/file"), "x").unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();
    symlink(outside.path(), state.join("deep/link")).unwrap();
    let mode = |path| fs::metadata(state.join(path)).unwrap().mode() & 0o7777;
    client.get(Command::Chmod { place: volume("state", "deep"), mode: 0o500, recursive: false });
    assert_eq!((mode("deep"), mode("deep/file")), (0o500, 0o644));
    let changed = client.get(Command::Chmod { place: volume("state", "deep"), mode: 0o1700, recursive: true });
    assert_eq!((changed, mode("deep"), mode("deep/file")), (Answer::Count(2), 0o1700, 0o1700));
    assert_eq!(outside.as_file().metadata().unwrap().mode() & 0o7777, 0o600);
    client.fails(Command::Chmod { place: volume("state", "absent"), mode: 0, recursive: true }, "ENOENT");
}

#[test]
fn owners_change() {
    let Some((mut client, subject)) = subject::with(SMALL) else { return };
    let root = subject.path("/mnt");
    fs::create_dir(root.join("deep")).unwrap();
    fs::write(root.join("deep/file"), "x").unwrap();
    let owner = |path| fs::metadata(root.join(path)).map(|seen| (seen.uid(), seen.gid())).unwrap();
    let chown = |uid, gid, recursive| Command::Chown { place: subject.place("/mnt/deep"), uid, gid, recursive };
    assert_eq!(client.get(chown(Some(1000), None, false)), Answer::Count(1));
    assert_eq!((owner("deep"), owner("deep/file")), ((1000, 0), (0, 0)));
    assert_eq!(client.get(chown(Some(1000), Some(1001), true)), Answer::Count(2));
    assert_eq!((owner("deep"), owner("deep/file")), ((1000, 1001), (1000, 1001)));
    assert_eq!(client.get(chown(Some(1000), Some(1001), true)), Answer::Count(0));
    let place = subject.place("/mnt/absent");
    client.fails(Command::Chown { place, uid: Some(1), gid: None, recursive: false }, "ENOENT");
}

#[test]
fn a_log_is_rotated_in_either_way() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    fs::write(state.join("log"), "one").unwrap();
    let inode = fs::metadata(state.join("log")).unwrap().ino();
    client.get(Command::CopyTruncate { place: volume("state", "log"), to: "log.1".into() });
    assert_eq!(fs::read_to_string(state.join("log.1")).unwrap(), "one");
    let now = fs::metadata(state.join("log")).unwrap();
    assert_eq!((now.ino(), now.len()), (inode, 0));
    client.get(Command::Rename { place: volume("state", "log"), to: "/log.2".into() });
    assert_eq!(fs::metadata(state.join("log.2")).unwrap().ino(), inode);
    assert!(!exists(&state.join("log")));
    client.fails(Command::Rename { place: volume("state", "log"), to: "x".into() }, "ENOENT");
    client.fails(Command::CopyTruncate { place: volume("state", "log"), to: "x".into() }, "ENOENT");
}

#[test]
fn directories_and_many_files_are_made() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    client.get(Command::MakeDirectory { place: volume("state", "a/b") });
    assert!(state.join("a/b").is_dir());
    assert_eq!(client.get(Command::ManyFiles { place: volume("state", "many"), count: 300 }), Answer::Count(300));
    assert_eq!(fs::read_dir(state.join("many")).unwrap().count(), 300);
    fs::write(state.join("file"), "x").unwrap();
    client.fails(Command::MakeDirectory { place: volume("state", "file/x") }, "ENOTDIR");
    client.fails(Command::ManyFiles { place: volume("state", "file"), count: 1 }, "EEXIST");
}

#[test]
fn an_absolute_link_leads_where_it_leads_in_the_container() {
    let script = format!("{SMALL}; echo theirs > /mnt/real; ln -s /mnt/real /mnt/link");
    let Some((mut client, subject)) = subject::with(&script) else { return };
    client.get(Command::Write { place: subject.place("/mnt/link"), content: "ours".into() });
    assert_eq!(fs::read_to_string(subject.path("/mnt/real")).unwrap(), "ours");
    assert!(!exists("/mnt/real".as_ref()));
    let state = client.volume("state");
    symlink("/etc/hostname", state.join("link")).unwrap();
    client.fails(Command::Read { place: volume("state", "link"), limit: 10 }, "ENOENT");
}

#[test]
fn a_file_is_read_up_to_a_limit_and_a_tree_is_told_whole() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    fs::create_dir(state.join("b")).unwrap();
    fs::write(state.join("b/file"), "abc").unwrap();
    symlink("b/file", state.join("a")).unwrap();
    let read = client.get(Command::Read { place: volume("state", "b/file"), limit: 2 });
    assert_eq!(read, Answer::Content { content: "ab".into(), size: 3 });
    client.fails(Command::Read { place: volume("state", "none"), limit: 2 }, "ENOENT");
    client.fails(Command::Tree { place: volume("state", "none") }, "ENOENT");
    let Answer::Tree(tree) = client.get(Command::Tree { place: volume("state", "") }) else { panic!() };
    let told: Vec<_> = tree.iter().map(|entry| (entry.path.as_str(), entry.kind, entry.size)).collect();
    let expected =
        [(".", Kind::Directory, 0), ("a", Kind::Symlink, 0), ("b", Kind::Directory, 0), ("b/file", Kind::File, 3)];
    assert_eq!(told, expected);
    assert_eq!(tree[1].target.as_deref(), Some("b/file"));
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(tree[3].sha256.as_deref(), Some(digest));
}
