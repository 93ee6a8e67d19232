//! Connections from the subject's network, and what listens there.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use agent::{Answer, Command, Listener};
use nix::libc;

use crate::client::Client;
use crate::subject::{self, Subject};

/// A server in the subject's network that answers one client with what it got, backwards, at its end.
fn serve(subject: &Subject, address: &str) -> u16 {
    let listener = subject.in_network(|| TcpListener::bind((address, 0))).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).unwrap();
        got.reverse();
        client.write_all(&got).unwrap();
    });
    port
}

fn dial(pid: Option<u32>, host: &str, port: u16, channel: u32) -> Command {
    Command::Dial { pid, host: host.into(), port, timeout_ms: 5000, channel }
}

#[track_caller]
fn converse(client: &mut Client, dial: Command, channel: u32) {
    let id = client.send(dial);
    // Sent before the connection stands: nothing is lost.
    client.carry(channel, b"ab");
    assert_eq!(client.reply(id), Ok(Answer::Done));
    client.carry(channel, b"c");
    client.carry(channel, b"");
    assert_eq!(client.carried(channel), b"cba");
}

#[test]
fn bytes_pass_both_ways_and_each_side_is_closed_by_itself() {
    let Some((mut client, subject)) = subject::with("") else { return };
    let port = serve(&subject, "127.0.0.1");
    converse(&mut client, dial(Some(subject.pid), "localhost", port, 5), 5);
    let port = serve(&subject, "::1");
    converse(&mut client, dial(Some(subject.pid), "localhost", port, 6), 6);
}

#[test]
fn localhost_means_the_containers_own_address_too() {
    let Some((mut client, subject)) = subject::with("ip addr add 192.0.2.7/32 dev lo") else { return };
    let port = serve(&subject, "192.0.2.7");
    converse(&mut client, dial(Some(subject.pid), "localhost", port, 1), 1);
}

#[test]
fn a_name_in_the_containers_hosts_is_known() {
    let script = "mount -t tmpfs tmpfs /mnt; echo '127.0.0.9 db' > /mnt/hosts; mount --bind /mnt/hosts /etc/hosts";
    let Some((mut client, subject)) = subject::with(script) else { return };
    let port = serve(&subject, "127.0.0.9");
    converse(&mut client, dial(Some(subject.pid), "db", port, 1), 1);
}

#[test]
fn without_a_process_it_dials_from_the_agents_own_network() {
    let Some((mut client, subject)) = subject::with("") else { return };
    let theirs = serve(&subject, "127.0.0.1");
    let ours = TcpListener::bind("127.0.0.1:0").unwrap();
    client.get(dial(None, "127.0.0.1", ours.local_addr().unwrap().port(), 1));
    client.get(dial(Some(subject.pid), "127.0.0.1", theirs, 2));
}

#[test]
fn nothing_listens_and_nobody_answers_are_told_apart() {
    let Some((mut client, subject)) = subject::with("") else { return };
    let refused = client.ask(dial(Some(subject.pid), "localhost", 9, 1)).unwrap_err();
    assert_eq!(refused.errno, Some(libc::ECONNREFUSED));
    assert!(refused.cause.contains("cannot connect to 127.0.0.1:9: ECONNREFUSED"), "{refused}");
    // A port with a queue of one, in which one waits already.
    let listener = subject.in_network(|| TcpListener::bind("127.0.0.1:0")).unwrap();
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
    let port = listener.local_addr().unwrap().port();
    client.get(dial(Some(subject.pid), "127.0.0.1", port, 2));
    let command = Command::Dial { pid: Some(subject.pid), host: "127.0.0.1".into(), port, timeout_ms: 200, channel: 3 };
    assert_eq!(client.ask(command).unwrap_err().errno, Some(libc::ETIMEDOUT));
}

#[test]
fn a_channel_carries_one_connection_at_a_time_and_never_that_of_control() {
    let Some((mut client, subject)) = subject::with("") else { return };
    let port = serve(&subject, "127.0.0.1");
    client.fails(dial(Some(subject.pid), "localhost", port, 0), "channel 0 is in use");
    client.get(dial(Some(subject.pid), "localhost", port, 1));
    client.fails(dial(Some(subject.pid), "localhost", port, 1), "channel 1 is in use");
    // A second end breaks off, where the server waits for more.
    client.carry(1, b"");
    client.carry(1, b"");
    client.carried(1);
}

#[test]
fn what_listens_is_told_and_nothing_else() {
    let Some((mut client, subject)) = subject::with("") else { return };
    let pid = subject.pid;
    assert_eq!(client.get(Command::Listeners { pid }), Answer::Listeners(vec![]));
    let any: SocketAddr = (Ipv4Addr::UNSPECIFIED, 8080).into();
    let _one = subject.in_network(|| TcpListener::bind(any)).unwrap();
    let _two = subject.in_network(|| TcpListener::bind("[::1]:443")).unwrap();
    let _other = TcpListener::bind("127.0.0.1:0").unwrap();
    let expected =
        vec![Listener { port: 443, address: "::1".into() }, Listener { port: 8080, address: "0.0.0.0".into() }];
    assert_eq!(client.get(Command::Listeners { pid }), Answer::Listeners(expected));
}

#[test]
fn a_way_to_an_address_is_there_or_not() {
    let Some((mut client, subject)) = subject::with("") else { return };
    let route = |address: &str| Command::TryRoute { pid: subject.pid, address: address.into() };
    assert_eq!(client.get(route("127.0.0.1")), Answer::Tried(Ok(())));
    assert_eq!(client.get(route("192.0.2.1")), Answer::Tried(Err("ENETUNREACH".into())));
    client.fails(route("db"), "db is no address");
}
