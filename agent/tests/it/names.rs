//! Name servers: a container's own is asked, and can be made useless.

use std::fs;
use std::net::UdpSocket;
use std::thread;

use agent::{Answer, Command, DnsFault};

use crate::client::Client;
use crate::subject::{self, Subject};

/// A configuration of its own, mounted as engines do it.
const CONF: &str = "
mount -t tmpfs tmpfs /mnt
printf 'search lan\\nnameserver 127.0.0.53\\n' > /mnt/conf
touch /etc/resolv.conf; mount --bind /mnt/conf /etc/resolv.conf";

/// A name server that gives every name but those in `lan` the address 192.0.2.1, and no other kind.
fn serve(subject: &Subject) {
    let socket = subject.in_network(|| UdpSocket::bind("127.0.0.53:53")).unwrap();
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut question) {
            let mut answer = question[..length].to_vec();
            answer[2] |= 0x80;
            if answer[length - 3] == 1 {
                answer[7] = 1;
                answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1]);
            }
            socket.send_to(&answer, client).unwrap();
        }
    });
}

fn resolve(client: &mut Client, subject: &Subject) -> Result<Answer, String> {
    let resolved = client.ask(Command::Resolve { pid: subject.pid, name: "db".into() });
    resolved.map_err(|failure| failure.cause)
}

#[track_caller]
fn breaks(client: &mut Client, subject: &Subject, how: DnsFault, words: &str) {
    client.get(Command::BreakDns { pid: subject.pid, how });
    let failure = resolve(client, subject).unwrap_err();
    assert!(failure.contains(words), "{how:?}: {failure}");
    let conf = fs::read_to_string(subject.path("/etc/resolv.conf")).unwrap();
    assert_eq!(conf, "search lan\nnameserver 127.0.0.66\n");
}

#[test]
fn a_name_server_is_useless_in_each_way_and_then_as_before() {
    let Some((mut client, subject)) = subject::with(CONF) else { return };
    serve(&subject);
    let found = Ok(Answer::Addresses(vec!["192.0.2.1".into()]));
    assert_eq!(resolve(&mut client, &subject), found);
    let before = fs::read_to_string(subject.path("/etc/resolv.conf")).unwrap();
    breaks(&mut client, &subject, DnsFault::Nxdomain, "says NXDOMAIN of db");
    breaks(&mut client, &subject, DnsFault::Servfail, "says SERVFAIL of db");
    breaks(&mut client, &subject, DnsFault::Refuse, "ECONNREFUSED");
    breaks(&mut client, &subject, DnsFault::Silent, "ETIMEDOUT");
    client.get(Command::MendDns { pid: subject.pid });
    assert_eq!(fs::read_to_string(subject.path("/etc/resolv.conf")).unwrap(), before);
    assert_eq!(resolve(&mut client, &subject), found);
    client.fails(Command::MendDns { pid: subject.pid }, "was not broken");
}

#[test]
fn a_read_only_configuration_is_changed_where_it_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("conf");
    fs::write(&source, "nameserver 127.0.0.53\n").unwrap();
    let target = "/etc/resolv.conf";
    let script = format!("mount --bind {} {target}; mount -o remount,bind,ro {target}", source.display());
    let Some((mut client, subject)) = subject::with(&script) else { return };
    client.get(Command::BreakDns { pid: subject.pid, how: DnsFault::Refuse });
    assert_eq!(fs::read_to_string(&source).unwrap(), "nameserver 127.0.0.66\n");
    client.get(Command::MendDns { pid: subject.pid });
    assert_eq!(fs::read_to_string(&source).unwrap(), "nameserver 127.0.0.53\n");
}

#[test]
fn where_nobody_can_answer_nothing_is_broken() {
    let Some((mut client, subject)) = subject::with(CONF) else { return };
    let _taken = subject.in_network(|| UdpSocket::bind("127.0.0.66:53")).unwrap();
    client.fails(Command::BreakDns { pid: subject.pid, how: DnsFault::Silent }, "EADDRINUSE");
    let conf = fs::read_to_string(subject.path("/etc/resolv.conf")).unwrap();
    assert_eq!(conf, "search lan\nnameserver 127.0.0.53\n");
    client.fails(Command::MendDns { pid: subject.pid }, "was not broken");
}
