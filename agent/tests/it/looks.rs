//! What the subject sees: with its user and its capabilities, never with the agent's.

use std::fs;

use agent::{Answer, Command, Kind, Seen, Tried};

use crate::client::{Client, until, volume};
use crate::subject::{self, Subject};

const TREE: &str = "
mount -t tmpfs -o size=256k tmpfs /mnt
mkdir -m 700 /mnt/private; echo secret > /mnt/private/file; chmod 600 /mnt/private/file
mkdir -m 755 /mnt/shown; echo shown > /mnt/shown/file
mkdir /mnt/theirs; chown 1000:1000 /mnt/theirs; echo x > /mnt/theirs/file; chown 1000:1000 /mnt/theirs/file
mkdir -m 770 /mnt/group; chown 0:4242 /mnt/group";

const USER: &str = "setpriv --reuid=1000 --regid=1000 --groups=4242 sleep inf";

/// Root, as `cap_drop: [ALL]` leaves it.
const POWERLESS: &str = "setpriv --bounding-set=-all --inh-caps=-all sleep inf";

#[track_caller]
fn look(client: &mut Client, subject: &Subject, path: &str) -> Seen {
    let command = Command::Look { pid: subject.pid, path: path.into(), content: true };
    let Answer::Seen(seen) = client.get(command) else { panic!() };
    *seen
}

#[track_caller]
fn try_write(client: &mut Client, subject: &Subject, path: &str) -> Tried {
    let Answer::Tried(tried) = client.get(Command::TryWrite { pid: subject.pid, path: path.into() }) else { panic!() };
    tried
}

fn error(name: &str) -> Tried {
    Err(name.into())
}

/// With an executable that changes the user before it sleeps.
fn with_last(last: &str) -> Option<(Client, Subject)> {
    let (client, subject) = subject::with_last(TREE, last)?;
    let comm = format!("/proc/{}/comm", subject.pid);
    until("it sleeps", || fs::read_to_string(&comm).is_ok_and(|comm| comm == "sleep\n"));
    Some((client, subject))
}

#[test]
fn a_file_is_told_as_it_is() {
    let Some((mut client, subject)) = subject::with(TREE) else { return };
    let seen = look(&mut client, &subject, "/mnt/private/file");
    assert_eq!((seen.exists, seen.kind, seen.size, seen.mode), (true, Kind::File, 7, 0o600));
    assert_eq!((seen.links, seen.uid, seen.gid), (1, 0, 0));
    assert_eq!((seen.read, seen.write), (Ok(()), Ok(())));
    assert_eq!(seen.text.as_deref(), Some("secret\n"));
    assert_eq!(seen.sha256.unwrap().len(), 64);
    let again = look(&mut client, &subject, "/mnt/private/file");
    assert_eq!((again.dev, again.inode), (seen.dev, seen.inode));
}

#[test]
fn what_is_not_there_is_seen_not_to_be() {
    let Some((mut client, subject)) = subject::with(TREE) else { return };
    let seen = look(&mut client, &subject, "/mnt/absent");
    assert_eq!((seen.exists, seen.read, seen.write), (false, error("ENOENT"), error("ENOENT")));
    assert_eq!(try_write(&mut client, &subject, "/mnt/absent/deep"), error("ENOENT"));
    assert_eq!(try_write(&mut client, &subject, "/mnt/absent"), Ok(()), "its directory is there");
}

#[test]
fn kinds_are_told_apart_and_a_pipe_does_not_hold_anybody_up() {
    let script = format!("{TREE}; mkfifo /mnt/pipe; ln -s shown/file /mnt/link; ln -s nowhere /mnt/loose");
    let Some((mut client, subject)) = subject::with(&script) else { return };
    assert_eq!(look(&mut client, &subject, "/mnt/shown").kind, Kind::Directory);
    let pipe = look(&mut client, &subject, "/mnt/pipe");
    assert_eq!((pipe.kind, pipe.read, pipe.write), (Kind::Other, Ok(()), error("ENXIO")));
    let link = look(&mut client, &subject, "/mnt/link");
    assert_eq!((link.kind, link.text.as_deref()), (Kind::Symlink, Some("shown\n")));
    let loose = look(&mut client, &subject, "/mnt/loose");
    assert_eq!((loose.exists, loose.read), (true, error("ENOENT")));
}

#[test]
fn a_user_sees_no_more_than_a_user() {
    let Some((mut client, subject)) = with_last(USER) else { return };
    let hidden = look(&mut client, &subject, "/mnt/private/file");
    assert_eq!((hidden.exists, hidden.read, hidden.text), (false, error("EACCES"), None));
    let shown = look(&mut client, &subject, "/mnt/shown/file");
    assert_eq!((shown.read, shown.write), (Ok(()), error("EACCES")));
    assert_eq!(look(&mut client, &subject, "/mnt/shown").write, error("EACCES"));
    assert_eq!(look(&mut client, &subject, "/mnt/theirs").write, Ok(()));
    assert_eq!(look(&mut client, &subject, "/mnt/group").write, Ok(()), "by a supplementary group");
    assert_eq!(try_write(&mut client, &subject, "/mnt/theirs/file"), Ok(()));
    assert_eq!(try_write(&mut client, &subject, "/mnt/shown"), error("EACCES"));
}

#[test]
fn root_without_capabilities_cannot_write_what_is_not_its_own() {
    let Some((mut client, subject)) = with_last(POWERLESS) else { return };
    let theirs = look(&mut client, &subject, "/mnt/theirs/file");
    assert_eq!((theirs.read, theirs.write), (Ok(()), error("EACCES")));
    assert_eq!(look(&mut client, &subject, "/mnt/theirs").write, error("EACCES"));
    assert_eq!(look(&mut client, &subject, "/mnt/private").write, Ok(()));
    assert_eq!(look(&mut client, &subject, "/mnt/group").write, Ok(()), "its owner is root");
}

#[test]
fn a_read_only_mount_refuses_by_its_name() {
    let Some((mut client, subject)) = subject::with(&format!("{TREE}; mount -o remount,ro /mnt")) else { return };
    let seen = look(&mut client, &subject, "/mnt/shown");
    assert_eq!((seen.read, seen.write), (Ok(()), error("EROFS")));
    assert_eq!(look(&mut client, &subject, "/mnt/shown/file").write, error("EROFS"));
    assert_eq!(try_write(&mut client, &subject, "/mnt/shown"), error("EROFS"));
}

#[test]
fn a_full_file_system_refuses_by_its_name_and_keeps_no_probe() {
    let Some((mut client, subject)) = subject::with(TREE) else { return };
    assert_eq!(try_write(&mut client, &subject, "/mnt/shown"), Ok(()));
    client.get(Command::Fill { place: subject.place("/mnt"), leave: 8192 });
    assert_eq!(look(&mut client, &subject, "/mnt/shown").write, Ok(()), "4 KiB still fit");
    assert_eq!(try_write(&mut client, &subject, "/mnt/shown"), error("ENOSPC"), "64 KiB do not");
    client.get(Command::Fill { place: subject.place("/mnt"), leave: 0 });
    assert_eq!(look(&mut client, &subject, "/mnt/shown").write, error("ENOSPC"));
    assert_eq!(fs::read_dir(subject.path("/mnt/shown")).unwrap().count(), 1);
}

#[test]
fn a_volume_is_looked_at_with_the_agents_own_eyes() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    fs::write(state.join("file"), "abc").unwrap();
    let mut look = |path| match client.get(Command::LookAt { place: volume("state", path), content: true }) {
        Answer::Seen(seen) => seen,
        other => panic!("{other:?}"),
    };
    assert_eq!(look("file").text.as_deref(), Some("abc"));
    // Of a subject that does not live nobody can say what it might do there.
    assert_eq!((look("absent").exists, look("absent").read.clone()), (false, error("untried")));
}
