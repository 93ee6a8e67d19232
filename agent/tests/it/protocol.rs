//! The loop: who is answered when, and what ends it.

use agent::{Answer, CONTROL, Command};

use crate::client::{Client, until};

#[test]
fn it_says_who_it_is() {
    let version = env!("CARGO_PKG_VERSION").into();
    assert_eq!(Client::start().get(Command::Hello), Answer::Hello { version });
}

#[test]
fn a_request_that_it_does_not_know_is_answered_by_a_failure() {
    let mut client = Client::start();
    client.carry(CONTROL, br#"{"id":77,"do":"levitate"}"#);
    let failure = client.reply(77).unwrap_err();
    assert!(failure.cause.contains("does not understand"), "{failure}");
    client.get(Command::Hello);
}

#[test]
fn a_slow_request_blocks_no_other() {
    let mut client = Client::start();
    // An address from which nothing answers, or which cannot be reached at all.
    let host = "192.0.2.1".into();
    let slow = client.send(Command::Dial { pid: None, host, port: 9, timeout_ms: 300, channel: 1 });
    client.get(Command::Hello);
    assert!(client.reply(slow).is_err());
}

#[test]
fn the_end_of_stdin_is_its_end() {
    let mut client = Client::start();
    client.get(Command::Hello);
    drop(client.input.take());
    until("the agent has ended", || client.child.try_wait().unwrap().is_some());
    assert!(client.child.wait().unwrap().success());
}

#[test]
fn noise_on_stdin_is_its_end_with_last_words() {
    let mut client = Client::start();
    client.carry(CONTROL, b"noise");
    until("the agent has ended", || client.child.try_wait().unwrap().is_some());
    assert!(!client.child.wait().unwrap().success());
}

#[test]
fn many_requests_at_once_are_each_answered() {
    let mut client = Client::start();
    let ids: Vec<u64> = (0..200).map(|_| client.send(Command::Hello)).collect();
    for id in ids.iter().rev() {
        client.reply(*id).unwrap();
    }
}
