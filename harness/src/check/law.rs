//! The law that all checks keep: what is broken stays broken, by the same event.
//! Only what was broken by the absence of one may find it later.
//!
//! A run asks the checks while it goes on and judges by them when it is over.
//! If those two could differ, a run might end because of one thing and be
//! judged by another.

use super::testing::{claim, file, line, state, step, timeline};
use super::{Breach, Outcome};
use crate::timeline::{Verb, What, When};

/// One of each kind, and more of those that look at several things.
const EXPECTATIONS: [&str; 16] = [
    "exit_code = 1",
    "files = { \"/a\" = { grew = true } }",
    "files = { \"/a\" = { present = false } }",
    "logger = \"intact\"",
    "logs = { contains = [\"up\"] }",
    "logs = { absent = [\"up\"] }",
    "oom = true",
    "oom = false",
    "ready_within = \"40ms\"",
    "boot.2.ready_within = \"40ms\"",
    "restarts = 0",
    "restarts = 1",
    "state = \"running\"",
    "state = \"exited\"",
    "state = \"refused\"",
    "stop = \"30ms\"",
];

/// A reproducible source of choices (Knuth's linear congruence).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A life as an engine could tell it, from the first look at files to the last.
fn life(seed: u64) -> Vec<(i64, What)> {
    let mut dice = Dice(seed);
    let mut at = 0;
    let mut events = vec![(at, file("/a", None, When::Before))];
    let mut push = |dice: &mut Dice, events: &mut Vec<(i64, What)>, what: What| {
        at += i64::try_from(dice.roll(20)).unwrap_or(0);
        events.push((at, what));
    };
    if dice.roll(8) == 0 {
        push(&mut dice, &mut events, What::Refused { reason: "no such file".to_owned(), again: false });
    } else {
        'boots: loop {
            push(&mut dice, &mut events, What::Started);
            loop {
                let what = match dice.roll(9) {
                    0 | 1 => line("up"),
                    2 => line("Error: sonic boom is not ready yet"),
                    3 => What::Ready { sign: "it logs /up/".to_owned() },
                    4 => What::Probe { asked: "GET /".to_owned(), answer: "503".to_owned() },
                    5 => What::OutOfMemory,
                    6 => What::Elapsed { limit: "time".to_owned() },
                    _ => break,
                };
                push(&mut dice, &mut events, what);
            }
            if dice.roll(4) == 0 {
                push(&mut dice, &mut events, step(Verb::Stop));
                push(&mut dice, &mut events, What::Signalled { signal: 15 });
            }
            let stopped = matches!(events.last(), Some((_, What::Signalled { .. })));
            let code = i32::try_from(dice.roll(3)).unwrap_or(0);
            push(&mut dice, &mut events, What::Died { code });
            let again = !stopped && dice.roll(2) == 0;
            push(&mut dice, &mut events, state(if again { "restarting" } else { "exited" }, 0));
            if !again {
                break 'boots;
            }
        }
    }
    let size = [None, Some(0), Some(9)][usize::try_from(dice.roll(3)).unwrap_or(0)];
    push(&mut dice, &mut events, file("/a", size, When::After));
    push(&mut dice, &mut events, What::Over);
    events
}

#[test]
fn what_is_broken_stays_broken_by_the_same_event() {
    for seed in 0..400 {
        let events = life(seed);
        for toml in EXPECTATIONS {
            let claim = claim(toml);
            let mut broken: Option<Breach> = None;
            for end in 0..=events.len() {
                match (claim.judge(&timeline(&events[..end])), &broken) {
                    (Outcome::Broken(now), Some(before)) => {
                        let decided_by = before.decided_by.or(now.decided_by);
                        assert_eq!(now.decided_by, decided_by, "seed {seed}: {toml} over {:#?}", &events[..end]);
                    }
                    (Outcome::Broken(now), None) => broken = Some(now),
                    (other, Some(before)) => {
                        panic!(
                            "seed {seed}: {toml} was broken by {before:?}, then {other:?}, over {:#?}",
                            &events[..end]
                        );
                    }
                    (_, None) => {}
                }
            }
        }
    }
}
