//! Watches: notices come in the order in which things happen.

use std::fs;

use agent::{Answer, Change, Command};

use crate::client::volume;
use crate::subject;

#[test]
fn what_appears_changes_and_goes_is_told() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    let path = state.join("deep/file");
    let begun = client.get(Command::Watch { watch: 7, place: volume("state", "deep/file") });
    assert_eq!(begun, Answer::Watching { exists: false });
    fs::create_dir(state.join("deep")).unwrap();
    fs::write(&path, "").unwrap();
    assert_eq!(client.notice(), (7, Change::Appeared));
    fs::write(&path, "longer").unwrap();
    assert_eq!(client.notice(), (7, Change::Changed));
    client.get(Command::Replace { place: volume("state", "deep/file"), content: "longer".into() });
    assert_eq!(client.notice(), (7, Change::Changed), "another inode");
    fs::remove_dir_all(state.join("deep")).unwrap();
    assert_eq!(client.notice(), (7, Change::Gone));
}

#[test]
fn a_watch_that_has_ended_tells_nothing() {
    let Some((mut client, state)) = subject::with_volume() else { return };
    fs::write(state.join("file"), "x").unwrap();
    let begin = |watch, path| Command::Watch { watch, place: volume("state", path) };
    assert_eq!(client.get(begin(1, "file")), Answer::Watching { exists: true });
    client.fails(begin(1, "file"), "watch 1 is in use");
    client.get(Command::Unwatch { watch: 1 });
    client.get(begin(1, "second"));
    fs::remove_file(state.join("file")).unwrap();
    fs::write(state.join("second"), "x").unwrap();
    assert_eq!(client.notice(), (1, Change::Appeared));
}

#[test]
fn the_end_of_a_container_is_not_taken_for_the_end_of_its_files() {
    let script = "mount -t tmpfs tmpfs /mnt; echo x > /mnt/file";
    let Some((mut client, mut subject)) = subject::with(script) else { return };
    let begun = client.get(Command::Watch { watch: 2, place: subject.place("/mnt/file") });
    assert_eq!(begun, Answer::Watching { exists: true });
    fs::write(subject.path("/mnt/file"), "longer").unwrap();
    assert_eq!(client.notice(), (2, Change::Changed));
    subject.end();
    assert_eq!(client.notice(), (2, Change::Lost));
    client.fails(Command::Watch { watch: 3, place: subject.place("/mnt/file") }, "has ended");
    client.fails(Command::Unwatch { watch: 3 }, "there is no watch 3");
}
