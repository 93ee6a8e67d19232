//! Whom the agent never touches, and what it says of whom it cannot reach.

use std::process;

use agent::{Command, Condition, Place};
use nix::libc;
use rstest::rstest;

use crate::client::{BINARY, Client, volume};
use crate::subject;

#[rstest]
#[case::its_own_group(0, "never reached into")]
#[case::the_machine(1, "never reached into")]
#[case::nobody(u32::MAX - 1, "has ended")]
fn a_process_that_is_no_container_is_refused_by_every_kind_of_command(#[case] pid: u32, #[case] words: &str) {
    let mut client = Client::start();
    let place = Place::Container { pid, path: "/nowhere".into() };
    let path = String::from("/nowhere");
    for command in [
        Command::Delete { place: place.clone() },
        Command::Watch { watch: 1, place },
        Command::Look { pid, path, content: false },
        Command::Signal { pid, signal: 0 },
        Command::Processes { pid },
        Command::LimitFiles { pid, leave: 0 },
        Command::Usage { pid },
        Command::ThrottleCpu { pid, cpus: 1.0 },
        Command::TryFork { pid },
        Command::Resolve { pid, name: "db".into() },
        Command::Listeners { pid },
        Command::Dial { pid: Some(pid), host: "localhost".into(), port: 1, timeout_ms: 100, channel: 1 },
    ] {
        client.fails(command, words);
    }
}

#[test]
fn it_does_not_reach_into_itself_nor_into_the_host() {
    let mut client = Client::start();
    let itself = client.child.id();
    client.fails(Command::Signal { pid: itself, signal: libc::SIGKILL }, "shares the agent's files");
    client.fails(Command::Signal { pid: process::id(), signal: 0 }, "never reached into");
    client.get(Command::Hello);
}

#[test]
fn from_a_container_of_its_own_it_tells_the_host_from_a_container() {
    let Some((_, subject)) = subject::with("") else { return };
    let mut client = Client::start_by(&["unshare", "--mount", "--", BINARY]);
    client.fails(Command::Signal { pid: process::id(), signal: 0 }, "it is the host's");
    client.get(Command::Signal { pid: subject.pid, signal: 0 });
}

#[test]
fn a_process_that_has_ended_is_said_to_have() {
    let Some((mut client, mut subject)) = subject::with("") else { return };
    let pid = subject.pid;
    client.get(Command::Processes { pid });
    subject.end();
    client.fails(Command::Delete { place: subject.place("/tmp/x") }, "has ended");
    let failure = client.ask(Command::Look { pid, path: "/".into(), content: false }).unwrap_err();
    assert_eq!(failure.errno, Some(libc::ESRCH));
}

#[test]
fn a_volume_that_it_has_not_is_refused_and_so_is_a_way_out() {
    let Some((mut client, _)) = subject::with_volume() else { return };
    for name in ["other", "..", ".", "", "state/..", "/"] {
        client.fails(Command::Tree { place: volume(name, "") }, &format!("no volume `{name}`"));
    }
    client.get(Command::Tree { place: volume("state", "") });
}

#[test]
fn a_link_or_a_watch_that_is_not_there_is_said_not_to_be() {
    let mut client = Client::start();
    let name = || String::from("db");
    client.fails(Command::SetLink { name: name(), condition: Condition::default() }, "there is no link db");
    client.fails(Command::LinkCounters { name: name() }, "there is no link db");
    client.fails(Command::CloseLink { name: name() }, "there is no link db");
    client.fails(Command::Unwatch { watch: 3 }, "there is no watch 3");
}
