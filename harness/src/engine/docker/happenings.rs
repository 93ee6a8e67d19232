//! What happens to a container, from the engine's event stream.

use std::collections::HashMap;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptions;
use futures_util::{StreamExt, future, stream};
use jiff::Timestamp;

use super::Docker;
use crate::engine::{Error, Flow, Happened, Happening};

/// One message of the stream, as far as it concerns us.
enum Message {
    Told(Happening),
    Removed,
    Other,
}

impl Docker {
    pub(super) fn events_of(&self, id: &str, since: Timestamp) -> Flow<Happening> {
        let filter = |key: &str, value: &str| (key.to_owned(), vec![value.to_owned()]);
        let options = EventsOptions {
            // The request goes out when the flow is first polled. With a moment
            // that lies before it, the engine replays what came in between.
            since: Some(engine_time(since)),
            until: None,
            filters: Some(HashMap::from([filter("type", "container"), filter("container", id)])),
        };
        let this = self.clone();
        let act = format!("follow the events of the container {id}");
        self.client
            .events(Some(options))
            .flat_map(move |message| {
                let read = match message {
                    Ok(message) => read(&message),
                    Err(error) => Err(this.failed(act.clone(), &error)),
                };
                stream::iter([read])
            })
            .take_while(|message| future::ready(!matches!(message, Ok(Message::Removed))))
            .filter_map(|message| {
                future::ready(match message {
                    Ok(Message::Told(happening)) => Some(Ok(happening)),
                    Ok(_) => None,
                    Err(error) => Some(Err(error)),
                })
            })
            .boxed()
    }
}

/// A moment as the engine reads it: seconds and nanoseconds since 1970.
fn engine_time(at: Timestamp) -> String {
    format!("{}.{:09}", at.as_second(), at.subsec_nanosecond())
}

fn read(message: &EventMessage) -> Result<Message, Error> {
    let action = message.action.as_deref().unwrap_or_default();
    let attribute = |name: &str| {
        let attributes = message.actor.as_ref()?.attributes.as_ref()?;
        attributes.get(name)?.parse::<i32>().ok()
    };
    let lacks = |name: &str| Error::Failed {
        act: format!("read the engine's event `{action}`"),
        cause: format!("it has no number in its attribute `{name}`"),
    };
    let what = match action {
        "start" => Happened::Started,
        "oom" => Happened::OutOfMemory,
        "kill" => Happened::Signalled(attribute("signal").ok_or_else(|| lacks("signal"))?),
        "die" => Happened::Died(attribute("exitCode").ok_or_else(|| lacks("exitCode"))?),
        "destroy" => return Ok(Message::Removed),
        _ => match action.strip_prefix("health_status: ") {
            Some(state) => Happened::Health(state.to_owned()),
            None => return Ok(Message::Other),
        },
    };
    let nanoseconds = message.time_nano.unwrap_or_default();
    let at = Timestamp::from_nanosecond(nanoseconds.into()).map_err(|error| Error::Failed {
        act: format!("read the time of the engine's event `{action}`"),
        cause: error.to_string(),
    })?;
    Ok(Message::Told(Happening { at, what }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::EventActor;

    fn check(action: &str, attributes: &[(&str, &str)], expected: Option<&Happened>) {
        let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let message = EventMessage {
            action: Some(action.to_owned()),
            actor: Some(EventActor { id: None, attributes: Some(attributes) }),
            time_nano: Some(1_700_000_000_000_000_001),
            ..EventMessage::default()
        };
        let seen = match read(&message).unwrap() {
            Message::Told(happening) => Some(happening.what),
            _ => None,
        };
        assert_eq!(seen.as_ref(), expected, "{action}");
    }

    #[test]
    fn dockers_words_become_happenings() {
        check("start", &[], Some(&Happened::Started));
        check("oom", &[], Some(&Happened::OutOfMemory));
        check("die", &[("exitCode", "137")], Some(&Happened::Died(137)));
        check("kill", &[("signal", "15")], Some(&Happened::Signalled(15)));
        check("health_status: unhealthy", &[], Some(&Happened::Health("unhealthy".to_owned())));
        check("exec_start: true", &[], None);
    }

    #[test]
    fn a_death_without_its_code_is_an_error() {
        let message = EventMessage { action: Some("die".to_owned()), ..EventMessage::default() };
        let error = read(&message).err().unwrap().to_string();
        let expected = "cannot read the engine's event `die`: it has no number in its attribute `exitCode`";
        assert_eq!(error, expected);
    }

    #[test]
    fn moments_keep_their_nanoseconds() {
        let at: Timestamp = "2024-05-01T00:00:01.000000042Z".parse().unwrap();
        assert_eq!(engine_time(at), "1714521601.000000042");
    }
}
