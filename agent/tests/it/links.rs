//! Links: each condition is seen by a client, on new connections and on open ones.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command as Program;
use std::thread;
use std::time::{Duration, Instant};

use agent::{Answer, Command, Condition, Counters};
use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{setsockopt, sockopt};

use crate::client::{Client, PATIENCE, until};

/// Long enough for bytes that come at all, short enough to wait for those that do not.
const SILENCE: Duration = Duration::from_millis(150);

struct Link {
    client: Client,
    port: u16,
}

/// Runs a test in a network of its own, where nobody else is refused or reset, over a link to a service.
fn linked(serve: fn(TcpStream), test: impl FnOnce(&mut Link) + Send) {
    thread::scope(|scope| {
        scope.spawn(|| {
            let can = unshare(CloneFlags::CLONE_NEWNET).is_ok()
                && Program::new("ip").args(["link", "set", "lo", "up"]).status().is_ok_and(|ended| ended.success());
            if !can {
                eprintln!("skipped: making a network needs root, CAP_SYS_ADMIN and ip");
                return;
            }
            let upstream_port = service(serve);
            let mut client = Client::start();
            let open = Command::OpenLink {
                name: "db".into(),
                listen_port: 0,
                upstream_host: "127.0.0.1".into(),
                upstream_port,
                seed: 1,
            };
            let Answer::Port(port) = client.get(open) else { panic!() };
            test(&mut Link { client, port });
        });
    });
}

fn service(serve: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            thread::spawn(move || serve(client.unwrap()));
        }
    });
    port
}

/// Sends back what it gets, until its end.
fn echo(mut client: TcpStream) {
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = client.read(&mut piece) {
        client.write_all(&piece[..read]).unwrap();
    }
}

/// Sends 100 000 bytes at once, and nothing more.
fn flood(mut client: TcpStream) {
    let _ = client.write_all(&[b'x'; 100_000]);
    let _ = client.read(&mut [0]);
}

/// The same, once it is asked to by a byte: until then a client has time to be there.
fn flood_when_asked(mut client: TcpStream) {
    if let Ok(1..) = client.read(&mut [0]) {
        flood(client);
    }
}

/// Breaks off at the first byte.
fn abrupt(mut client: TcpStream) {
    let _ = client.read(&mut [0]);
    setsockopt(&client, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 }).unwrap();
}

impl Link {
    fn set(&mut self, condition: Condition) {
        self.client.get(Command::SetLink { name: "db".into(), condition });
    }

    fn counters(&mut self) -> Counters {
        let Answer::Counters(counters) = self.client.get(Command::LinkCounters { name: "db".into() }) else { panic!() };
        counters
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect_timeout(&self.address(), PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// The reset may come while the client is still connecting, as it sees it.
    fn resets_who_is_new(&self) -> bool {
        match TcpStream::connect_timeout(&self.address(), PATIENCE) {
            Ok(mut stream) => drained(&mut stream) == (0, true),
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    /// A connection through which a byte has passed and come back.
    fn established(&self) -> TcpStream {
        let mut stream = self.connect();
        echoes(&mut stream, b"!");
        stream
    }
}

#[track_caller]
fn echoes(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    comes(stream, bytes);
}

#[track_caller]
fn comes(stream: &mut TcpStream, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(got, bytes);
}

/// Nothing comes, not even an end.
#[track_caller]
fn is_silent(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
}

/// What comes until the end, and whether that is a reset.
fn drained(stream: &mut TcpStream) -> (usize, bool) {
    let mut got = Vec::new();
    let ended = stream.read_to_end(&mut got);
    (got.len(), ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset))
}

fn millis(latency_ms: u64, jitter_ms: u64) -> Condition {
    Condition { latency_ms, jitter_ms, ..Condition::default() }
}

#[test]
fn everything_passes_and_each_side_is_closed_by_itself() {
    linked(echo, |link| {
        let mut stream = link.connect();
        echoes(&mut stream, b"ping");
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(drained(&mut stream), (0, false));
        until("the link has seen the end", || link.counters().open == 0);
        let counters = link.counters();
        assert_eq!((counters.accepted, counters.bytes_up, counters.bytes_down), (1, 4, 4));
        assert_eq!(counters, Counters { accepted: 1, bytes_up: 4, bytes_down: 4, ..Counters::default() });
    });
}

#[test]
fn a_service_may_close_its_side_and_still_listen() {
    fn close_then_read(mut client: TcpStream) {
        client.shutdown(Shutdown::Write).unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).unwrap();
        assert_eq!(got, b"late");
    }
    linked(close_then_read, |link| {
        let mut stream = link.connect();
        assert_eq!(drained(&mut stream), (0, false));
        stream.write_all(b"late").unwrap();
        until("the bytes arrived", || link.counters().bytes_up == 4);
        drop(stream);
        until("the link has seen the end", || link.counters().open == 0);
        assert_eq!(link.counters().reset, 0);
    });
}

#[test]
fn a_refused_connection_is_refused_by_the_kernel_and_counted() {
    linked(echo, |link| {
        let mut open = link.established();
        link.set(Condition { refuse: true, ..Condition::default() });
        assert_eq!(link.counters().refused, 0);
        for refused in 1..=3 {
            let error = TcpStream::connect(link.address()).unwrap_err();
            assert_eq!((error.kind(), link.counters().refused), (ErrorKind::ConnectionRefused, refused));
        }
        echoes(&mut open, b"an open connection goes on");
        link.set(Condition::default());
        link.established();
        assert_eq!(link.counters().refused, 3);
    });
}

#[test]
fn a_silent_link_accepts_and_passes_nothing_until_it_is_told_to() {
    linked(echo, |link| {
        let mut open = link.established();
        link.set(Condition { silent: true, ..Condition::default() });
        let mut new = link.connect();
        for stream in [&mut open, &mut new] {
            stream.write_all(b"held").unwrap();
            is_silent(stream);
        }
        let counters = link.counters();
        assert_eq!((counters.silenced, counters.bytes_up, counters.open), (2, 1, 2));
        link.set(Condition::default());
        comes(&mut open, b"held");
        comes(&mut new, b"held");
    });
}

#[test]
fn a_silenced_client_that_breaks_off_is_forgotten() {
    linked(echo, |link| {
        let open = link.established();
        link.set(Condition { silent: true, ..Condition::default() });
        setsockopt(&open, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 }).unwrap();
        drop(open);
        until("the link has seen the end", || link.counters().open == 0);
    });
}

#[test]
fn a_black_hole_answers_no_one_and_swallows_what_is_open() {
    linked(echo, |link| {
        let mut open = link.established();
        link.set(Condition { black_hole: true, ..Condition::default() });
        assert_eq!(link.counters().unanswered, 0);
        for _ in 0..2 {
            let error = TcpStream::connect_timeout(&link.address(), SILENCE).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        }
        assert!(link.counters().unanswered >= 2, "{:?}", link.counters());
        open.write_all(b"held").unwrap();
        is_silent(&mut open);
        assert_eq!(link.counters().silenced, 1);
        link.set(Condition::default());
        comes(&mut open, b"held");
        link.established();
        assert_eq!(link.counters().accepted, 2, "nobody else was let in");
    });
}

#[test]
fn a_black_hole_may_follow_a_refusal_and_a_refusal_a_black_hole() {
    linked(echo, |link| {
        let refusing = || Condition { refuse: true, ..Condition::default() };
        link.set(refusing());
        link.set(Condition { black_hole: true, ..Condition::default() });
        let error = TcpStream::connect_timeout(&link.address(), SILENCE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        link.set(refusing());
        assert_eq!(link.counters().refused, 0);
        let error = TcpStream::connect_timeout(&link.address(), SILENCE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        link.set(Condition::default());
        link.established();
    });
}

#[test]
fn latency_holds_bytes_back_in_each_direction_and_at_once() {
    linked(echo, |link| {
        let mut stream = link.established();
        link.set(millis(100, 0));
        let start = Instant::now();
        echoes(&mut stream, b"x");
        assert!(start.elapsed() >= Duration::from_millis(200));
        let counters = link.counters();
        assert_eq!((counters.delayed_chunks, counters.delayed_ms), (2, 200));
        link.set(millis(3_600_000, 0));
        stream.write_all(b"under way").unwrap();
        is_silent(&mut stream);
        link.set(Condition::default());
        comes(&mut stream, b"under way");
    });
}

#[test]
fn jitter_keeps_the_order_of_bytes() {
    linked(echo, |link| {
        link.set(millis(1, 20));
        let mut stream = link.connect();
        let sent: Vec<u8> = (0..=255).collect();
        for byte in &sent {
            stream.write_all(&[*byte]).unwrap();
        }
        comes(&mut stream, &sent);
        assert!(link.counters().delayed_ms > 0);
    });
}

#[test]
fn latency_does_not_lose_or_stop_a_flood() {
    linked(flood, |link| {
        link.set(millis(20, 10));
        let mut stream = link.connect();
        stream.write_all(b"!").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(drained(&mut stream), (100_000, false));
    });
}

#[test]
fn bandwidth_takes_its_time() {
    linked(flood, |link| {
        link.set(Condition { bytes_per_second: Some(200_000), ..Condition::default() });
        let start = Instant::now();
        let mut stream = link.connect();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(drained(&mut stream).0, 100_000);
        assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
        assert!(link.counters().throttled_ms > 0);
    });
}

#[test]
fn bandwidth_may_change_midway() {
    linked(flood, |link| {
        link.set(Condition { bytes_per_second: Some(0), ..Condition::default() });
        let mut stream = link.connect();
        is_silent(&mut stream);
        link.set(Condition::default());
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(drained(&mut stream).0, 100_000);
    });
}

#[test]
fn a_cut_is_exact_to_the_byte() {
    linked(flood, |link| {
        for bytes in [1, 12_345, 99_999] {
            link.set(Condition { cut_after: Some(bytes), ..Condition::default() });
            let mut stream = link.connect();
            assert_eq!(drained(&mut stream), (bytes as usize, false));
        }
        link.set(Condition { cut_after: Some(100_001), ..Condition::default() });
        let mut stream = link.connect();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(drained(&mut stream).0, 100_000, "the quota was not used up");
        assert_eq!(link.counters().cut, 3);
    });
}

#[test]
fn a_reset_after_bytes_is_exact_too() {
    linked(flood_when_asked, |link| {
        for bytes in [1, 12_345, 99_999] {
            link.set(Condition { reset_after: Some(bytes), ..Condition::default() });
            let mut stream = link.connect();
            stream.write_all(b"!").unwrap();
            assert_eq!(drained(&mut stream), (bytes as usize, true));
        }
        assert_eq!(link.counters().cut, 3);
    });
}

#[test]
fn a_cut_midway_counts_from_the_moment_that_it_is_asked_for() {
    linked(echo, |link| {
        let mut stream = link.established();
        link.set(Condition { cut_after: Some(3), ..Condition::default() });
        stream.write_all(b"abcdef").unwrap();
        let mut got = Vec::new();
        stream.read_to_end(&mut got).unwrap();
        assert_eq!(got, b"abc");
        let mut new = link.connect();
        link.set(Condition { reset_after: Some(0), ..Condition::default() });
        assert_eq!(drained(&mut new), (0, true));
    });
}

#[test]
fn a_reset_reaches_open_and_new_connections() {
    linked(echo, |link| {
        let mut open = link.established();
        link.set(Condition { reset: true, ..Condition::default() });
        assert_eq!(drained(&mut open), (0, true));
        assert!(link.resets_who_is_new());
        assert_eq!((link.counters().reset, link.counters().open), (2, 0));
    });
}

#[test]
fn a_close_is_an_ordinary_end_for_open_and_new_connections() {
    linked(echo, |link| {
        let mut open = link.established();
        link.set(Condition { close: true, ..Condition::default() });
        assert_eq!(drained(&mut open), (0, false));
        let mut new = link.connect();
        assert_eq!(drained(&mut new), (0, false));
        until("both are closed", || link.counters().closed == 2 && link.counters().open == 0);
    });
}

#[test]
fn a_service_that_breaks_off_is_heard_of() {
    linked(abrupt, |link| {
        let mut stream = link.connect();
        stream.write_all(b"!").unwrap();
        assert_eq!(drained(&mut stream), (0, true));
        assert_eq!(link.counters().reset, 1);
    });
}

#[test]
fn a_service_that_is_not_there_resets_the_client_and_may_come_later() {
    linked(echo, |link| {
        // A port that was free a moment ago.
        let upstream_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (name, upstream_host) = (String::from("late"), "localhost".into());
        let open = Command::OpenLink { name: name.clone(), listen_port: 0, upstream_host, upstream_port, seed: 1 };
        let Answer::Port(port) = link.client.get(open) else { panic!() };
        let late = Link { client: Client::start(), port };
        assert!(late.resets_who_is_new());
        let Answer::Counters(counters) = link.client.get(Command::LinkCounters { name }) else { panic!() };
        assert_eq!((counters.reset, counters.open), (1, 0));
        let listener = TcpListener::bind(("127.0.0.1", upstream_port)).unwrap();
        thread::spawn(move || echo(listener.accept().unwrap().0));
        echoes(&mut late.connect(), b"there");
    });
}

#[test]
fn a_closed_link_is_gone_and_its_port_is_free() {
    linked(echo, |link| {
        let open = |port| Command::OpenLink {
            name: "db".into(),
            listen_port: port,
            upstream_host: "127.0.0.1".into(),
            upstream_port: 1,
            seed: 1,
        };
        let port = link.port;
        let mut stream = link.established();
        link.client.fails(open(0), "is open already");
        let Answer::Counters(counters) = link.client.get(Command::CloseLink { name: "db".into() }) else { panic!() };
        assert_eq!((counters.accepted, counters.bytes_up), (1, 1));
        assert_eq!(drained(&mut stream).0, 0);
        assert_eq!(TcpStream::connect(link.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        let _taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
        link.client.fails(open(port), "EADDRINUSE");
        drop(_taken);
        assert_eq!(link.client.get(open(port)), Answer::Port(port));
    });
}
