//! What a running app's supervisor does next: state × event, every pair written out, no side effects.

/// Where the app is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The leader, the process that was started as the app, runs.
    Running,
    /// The leader was asked to stop and its grace runs.
    Stopping,
    /// The leader has ended, others are left and have the rest of the grace.
    Draining,
    /// The grace is over and KILL was sent; the kernel needs a moment.
    Killing,
    /// Nothing is left to supervise.
    Done,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// TERM, INT or QUIT arrived.
    Stop,
    /// Another signal that is meant for the app arrived.
    Signal,
    /// The leader ended and others of its processes are left.
    LeaderEnded,
    /// The last process ended, the leader included.
    AllEnded,
    /// The deadline of the state passed.
    Deadline,
}

/// What is to be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Pass the signal on to the leader.
    Forward,
    /// Send the leader CONT: a stopped process takes no other signal.
    WakeLeader,
    /// The grace begins now.
    StartGrace,
    /// Send the others TERM and CONT.
    StopOthers,
    /// Send everything that is left KILL.
    KillAll,
    /// The kernel's moment begins now.
    StartLastWait,
    /// Say that a signal was not passed on, because nobody is there to get it.
    Ignore,
    /// Say that something cannot be killed.
    GiveUp,
}

/// The table.
pub fn decide(state: State, event: Event) -> (State, &'static [Act]) {
    use Act::*;
    match (state, event) {
        (State::Running, Event::Stop) => (State::Stopping, &[Forward, WakeLeader, StartGrace]),
        (State::Running, Event::Signal) => (State::Running, &[Forward]),
        (State::Running, Event::LeaderEnded) => (State::Draining, &[StopOthers, StartGrace]),
        (State::Running, Event::AllEnded) => (State::Done, &[]),
        // Running has no deadline.
        (State::Running, Event::Deadline) => (State::Running, &[]),

        // Passed on again, since some apps take the second as "now"; the grace does not start anew,
        // or an impatient operator would wait longer.
        (State::Stopping, Event::Stop) => (State::Stopping, &[Forward, WakeLeader]),
        (State::Stopping, Event::Signal) => (State::Stopping, &[Forward]),
        // A leader that ends in time does not cancel the escalation for the others.
        (State::Stopping, Event::LeaderEnded) => (State::Draining, &[StopOthers]),
        (State::Stopping, Event::AllEnded) => (State::Done, &[]),
        (State::Stopping, Event::Deadline) => (State::Killing, &[KillAll, StartLastWait]),

        (State::Draining, Event::Stop) => (State::Draining, &[Ignore]),
        (State::Draining, Event::Signal) => (State::Draining, &[Ignore]),
        // A leader ends once.
        (State::Draining, Event::LeaderEnded) => (State::Draining, &[]),
        (State::Draining, Event::AllEnded) => (State::Done, &[]),
        (State::Draining, Event::Deadline) => (State::Killing, &[KillAll, StartLastWait]),

        (State::Killing, Event::Stop) => (State::Killing, &[Ignore]),
        (State::Killing, Event::Signal) => (State::Killing, &[Ignore]),
        (State::Killing, Event::LeaderEnded) => (State::Killing, &[]),
        (State::Killing, Event::AllEnded) => (State::Done, &[]),
        (State::Killing, Event::Deadline) => (State::Done, &[GiveUp]),

        (State::Done, Event::Stop) => (State::Done, &[]),
        (State::Done, Event::Signal) => (State::Done, &[]),
        (State::Done, Event::LeaderEnded) => (State::Done, &[]),
        (State::Done, Event::AllEnded) => (State::Done, &[]),
        (State::Done, Event::Deadline) => (State::Done, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 5] = [State::Running, State::Stopping, State::Draining, State::Killing, State::Done];
    const EVENTS: [Event; 5] = [Event::Stop, Event::Signal, Event::LeaderEnded, Event::AllEnded, Event::Deadline];

    fn life(events: &[Event]) -> (State, Vec<Act>) {
        events.iter().fold((State::Running, Vec::new()), |(state, mut acts), event| {
            let (state, more) = decide(state, *event);
            acts.extend_from_slice(more);
            (state, acts)
        })
    }

    #[track_caller]
    fn check(events: &[Event], state: State, acts: &[Act]) {
        assert_eq!(life(events), (state, acts.to_vec()), "{events:?}");
    }

    #[test]
    fn a_life_ends_as_its_events_say() {
        use Act::*;
        use Event::*;
        let asked = [Forward, WakeLeader, StartGrace];
        check(&[AllEnded], State::Done, &[]);
        check(&[Stop, AllEnded], State::Done, &asked);
        check(&[Stop, Deadline, AllEnded], State::Done, &[&asked[..], &[KillAll, StartLastWait]].concat());
        check(
            &[Stop, LeaderEnded, Deadline, AllEnded],
            State::Done,
            &[&asked[..], &[StopOthers, KillAll, StartLastWait]].concat(),
        );
        check(&[LeaderEnded, Stop, AllEnded], State::Done, &[StopOthers, StartGrace, Ignore]);
    }

    #[test]
    fn two_deadlines_end_every_life_that_was_asked_to_end() {
        for state in STATES.into_iter().filter(|state| *state != State::Running) {
            let (next, _) = decide(state, Event::Deadline);
            assert_eq!(decide(next, Event::Deadline).0, State::Done, "{state:?}");
        }
    }

    #[test]
    fn no_event_leads_back() {
        for state in STATES {
            for event in EVENTS {
                assert!(decide(state, event).0 as u8 >= state as u8, "{state:?} × {event:?}");
            }
        }
    }

    #[test]
    fn the_grace_starts_once() {
        for state in STATES {
            for event in EVENTS {
                let (next, acts) = decide(state, event);
                let leaves = state == State::Running && next != State::Running && next != State::Done;
                assert_eq!(acts.contains(&Act::StartGrace), leaves, "{state:?} × {event:?}");
            }
        }
    }
}
