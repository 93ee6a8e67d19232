//! `http`: what the subject answers, and to whom.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use toml::de::DeValue;

use super::fields::Fields;
use super::sight::{Claimed, Held, Looked, Wrong, unseen};
use super::{Expectation, Kind, Places, Reading, boxed};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::read;
use crate::scenario::value::{Duration, Pattern};
use crate::timeline::{Answer, Look, Origin, Request, Seen};

pub const KIND: Kind = Kind {
    key: "http",
    summary: "answers these requests so, from inside, from another container, or from the host",
    example: "http = [{ path = \"/health\", port = 8080, status = 200, json = { status = \"ok\" } }]",
    schema: Vec::<AsWritten>::json_schema,
    read,
    unsaid: None,
    places: Places::Throughout,
};

/// How much of an answer that is wrong is told.
const SHOWN: usize = 200;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct AsWritten {
    /// The path, with its query.
    path: String,
    /// The TCP port inside the container.
    port: u16,
    /// Where the request comes from: `inside` the subject, another `container`, or the engine's `host`.
    /// Example: `http = [{ path = "/admin", port = 8080, from = "container", status = 403 }]`.
    #[serde(default)]
    #[schemars(with = "From")]
    from: Origin,
    /// The method; `GET` unless said.
    /// Example: `http = [{ path = "/", port = 8080, method = "HEAD", status = 200 }]`.
    method: Option<String>,
    /// What the request carries.
    /// Example: `http = [{ path = "/", port = 8080, send = { headers = { accept = "text/html" } }, status = 200 }]`.
    #[serde(default)]
    send: Send,
    /// Whether there is an answer at all.
    /// Example: `http = [{ path = "/admin", port = 8080, from = "host", answers = false }]`.
    answers: Option<bool>,
    /// The status of the answer, or `refused` where nothing listens.
    status: Option<Status>,
    /// Headers of the answer, each with what it matches.
    /// Example: `http = [{ path = "/", port = 8080, headers = { retry-after = "[0-9]+" } }]`.
    #[serde(default)]
    headers: BTreeMap<String, Pattern>,
    /// The body matches each of these.
    /// Example: `http = [{ path = "/", port = 8080, contains = ["Welcome"] }]`.
    #[serde(default)]
    contains: Vec<Pattern>,
    /// The body matches none of these.
    /// Example: `http = [{ path = "/", port = 8080, absent = ["relation .* does not exist"] }]`.
    #[serde(default)]
    absent: Vec<Pattern>,
    /// The body is a JSON object with such fields; a name that begins with / is a pointer.
    json: Option<Fields>,
    /// It is asked again and again until that holds, for so long from the last start on.
    /// Example: `http = [{ path = "/ready", port = 8080, status = 200, within = "5s" }]`.
    within: Option<Duration>,
}

/// What the request carries.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
struct Send {
    /// Its headers.
    /// Example: `http = [{ path = "/", port = 8080, send = { headers = { accept = "text/html" } }, status = 200 }]`.
    headers: BTreeMap<String, String>,
    /// Its body.
    /// Example: `http = [{ path = "/login", port = 8080, method = "POST", send = { body = "name=x" }, status = 401 }]`.
    body: Option<String>,
}

/// Where a request comes from, for the schema.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
#[expect(dead_code, reason = "the schema alone knows it; `Origin` is read")]
enum From {
    Inside,
    Container,
    Host,
}

impl JsonSchema for Status {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "status".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "integer", "minimum": 100, "maximum": 599 }, { "const": "refused" }] })
    }
}

/// The status of an answer, or that there is no connection.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Status {
    Code(u16),
    Refused,
}

/// One request and what has to come back.
#[derive(Debug)]
struct Asked {
    request: Request,
    expected: Expected,
}

#[derive(Debug)]
enum Expected {
    /// Nothing listens there.
    Refused,
    /// Whatever happens, no answer comes.
    Silence,
    /// This answer.
    Answer {
        status: u16,
        headers: BTreeMap<String, Pattern>,
        contains: Vec<Pattern>,
        absent: Vec<Pattern>,
        json: Option<Fields>,
    },
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let mut all: Vec<Box<dyn Expectation>> = Vec::new();
    let place = written.clone();
    let sections = read::tables(written, "expect.http", reading.problems);
    if matches!(place.value.get_ref(), DeValue::Array(list) if list.is_empty()) {
        let problem = Problem::new(Some(place.span.clone()), "`http` asks nothing");
        reading.problems.add(problem.help("write [{ path = \"/health\", port = 8080 }]"));
    }
    for section in sections {
        let span = section.span();
        let Some(as_written) = section.read::<AsWritten>(reading.problems) else { continue };
        let within = as_written.within;
        match as_written.resolve() {
            Ok(claimed) => all.extend(Held::read(within, &place, reading).map(|held| boxed(Looked { claimed, held }))),
            Err(wrong) => reading.problems.add(Problem::new(Some(span), format!("`http`: {wrong}"))),
        }
    }
    all
}

impl AsWritten {
    fn resolve(self) -> Result<Asked, String> {
        let Self { path, port, from, method, send, answers, status, headers, contains, absent, json, within: _ } = self;
        if !path.starts_with('/') {
            return Err(format!("the path `{path}` does not begin with /"));
        }
        let method = method.unwrap_or_else(|| "GET".to_owned());
        if method.is_empty() || !method.chars().all(|c| c.is_ascii_uppercase() || c == '-') {
            return Err(format!("`{method}` is not a method; write it as `POST`"));
        }
        let headers: BTreeMap<String, Pattern> =
            headers.into_iter().map(|(name, pattern)| (name.to_ascii_lowercase(), pattern)).collect();
        let of_answer = !headers.is_empty() || !contains.is_empty() || !absent.is_empty() || json.is_some();
        let expected = match (answers, status) {
            (Some(false), None) if !of_answer => Expected::Silence,
            (None, Some(Status::Refused)) if !of_answer => Expected::Refused,
            (Some(false), _) | (_, Some(Status::Refused)) => {
                return Err(format!("{path} is to give no answer, and something is expected of it"));
            }
            (Some(true) | None, code) => {
                let status = if let Some(Status::Code(code)) = code { code } else { 200 };
                Expected::Answer { status, headers, contains, absent, json }
            }
        };
        let request = Request { from, method, path, port, headers: send.headers, body: send.body };
        Ok(Asked { request, expected })
    }
}

impl Claimed for Asked {
    fn words(&self) -> String {
        let asked = format!("{} on port {}", self.request, self.request.port);
        let Expected::Answer { status, headers, contains, absent, json } = &self.expected else {
            return match self.expected {
                Expected::Refused => format!("refuses {asked}"),
                _ => format!("gives no answer to {asked}"),
            };
        };
        let mut words = format!("answers {asked} with {status}");
        let mut more: Vec<String> =
            headers.iter().map(|(name, pattern)| format!("the header {name}: /{pattern}/")).collect();
        more.extend(contains.iter().map(|pattern| format!("/{pattern}/ in it")));
        more.extend(json.iter().map(|fields| format!("JSON with {fields}")));
        more.extend(absent.iter().map(|pattern| format!("no /{pattern}/ in it")));
        for one in more {
            words += &format!(", {one}");
        }
        words
    }

    fn look(&self) -> Look {
        Look::Http(self.request.clone())
    }

    fn wrong(&self, saw: &Seen, _before: Option<&Seen>) -> Option<Wrong> {
        match (&self.expected, saw) {
            (Expected::Refused, Seen::Refused) | (Expected::Silence, Seen::Refused | Seen::Unanswered(_)) => None,
            (_, Seen::Refused) => Some("the connection was refused".into()),
            (_, Seen::Unanswered(words)) => Some(format!("it gave no answer: {words}").into()),
            (Expected::Refused | Expected::Silence, Seen::Answer(answer)) => {
                Some(Wrong { saw: format!("it answered {}", answer.status), detail: shown(answer) })
            }
            (Expected::Answer { .. }, Seen::Answer(answer)) => {
                self.expected.wrong_in(answer).map(|saw| Wrong { saw, detail: shown(answer) })
            }
            (_, other) => Some(unseen(other)),
        }
    }
}

impl Expected {
    fn wrong_in(&self, answer: &Answer) -> Option<String> {
        let Self::Answer { status, headers, contains, absent, json } = self else { return None };
        if answer.status != *status {
            return Some(format!("it answered {}", answer.status));
        }
        let wrong_header = headers.iter().find_map(|(name, pattern)| match answer.headers.get(name) {
            Some(value) if pattern.matches(value) => None,
            Some(value) => Some(format!("its header {name} is `{value}`")),
            None => Some(format!("it has no header {name}")),
        });
        let body = &answer.body;
        let holds = |pattern: &&Pattern| body.lines().any(|line| pattern.matches(line));
        wrong_header
            .or_else(|| {
                contains.iter().find(|pattern| !holds(pattern)).map(|pattern| format!("its body has no /{pattern}/"))
            })
            .or_else(|| absent.iter().find(holds).map(|pattern| format!("its body has /{pattern}/")))
            .or_else(|| json.as_ref().and_then(|fields| wrong_field(fields, body)))
    }
}

fn wrong_field(fields: &Fields, body: &str) -> Option<String> {
    let Ok(value) = serde_json::from_str(body) else { return Some("its body is no JSON".to_owned()) };
    let (name, seen) = fields.wrong_in(&value)?;
    Some(match seen {
        Some(seen) => format!("{name} in its body is {seen}"),
        None => format!("its body has no {name}"),
    })
}

/// The beginning of an answer's body.
fn shown(answer: &Answer) -> Vec<String> {
    let beginning: String = answer.body.chars().take(SHOWN).collect();
    let lines = beginning.lines().map(str::to_owned).collect::<Vec<_>>();
    lines.into_iter().filter(|line| !line.trim().is_empty()).collect()
}

impl<'de> Deserialize<'de> for Status {
    /// A number, or the word for none.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Statuses;
        impl Visitor<'_> for Statuses {
            type Value = Status;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status such as 200, or \"refused\"")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Status, E> {
                match u16::try_from(number) {
                    Ok(code @ 100..=599) => Ok(Status::Code(code)),
                    _ => Err(E::custom(format!("{number} is no status of HTTP; they go from 100 to 599"))),
                }
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<Status, E> {
                match word {
                    "refused" => Ok(Status::Refused),
                    other => Err(E::custom(format!("`{other}` is no status; write a number, or `refused`"))),
                }
            }
        }
        deserializer.deserialize_any(Statuses)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, looked};
    use super::*;
    use crate::timeline::{What, When};

    fn request() -> Request {
        Request {
            from: Origin::Inside,
            method: "GET".to_owned(),
            path: "/health".to_owned(),
            port: 8080,
            headers: BTreeMap::new(),
            body: None,
        }
    }

    fn saw(seen: Seen) -> [(i64, What); 1] {
        [(9, looked(Look::Http(request()), seen, When::After))]
    }

    fn answer(status: u16, body: &str) -> [(i64, What); 1] {
        let headers = BTreeMap::from([("retry-after".to_owned(), "5".to_owned())]);
        saw(Seen::Answer(Answer { status, headers, body: body.to_owned() }))
    }

    fn http(rest: &str) -> String {
        format!("http = [{{ path = \"/health\", port = 8080{rest} }}]")
    }

    #[test]
    fn an_answer_has_a_status() {
        check(&http(""), &answer(200, ""), "holds");
        check(&http(""), &answer(503, ""), "it answered 503");
        check(&http(", status = 503"), &answer(503, ""), "holds");
        check(&http(""), &saw(Seen::Refused), "the connection was refused");
        check(&http(""), &[], "unbroken");
    }

    #[test]
    fn an_answer_has_headers_and_a_body() {
        let ok = answer(200, "{\"db\":{\"state\":\"ok\"}}");
        check(&http(", headers = { Retry-After = \"^[0-9]+$\" }"), &ok, "holds");
        check(&http(", headers = { server = \"x\" }"), &ok, "it has no header server");
        check(&http(", headers = { retry-after = \"6\" }"), &ok, "its header retry-after is `5`");
        check(&http(", contains = [\"ok\"], absent = [\"relation\"]"), &ok, "holds");
        check(&http(", contains = [\"fine\"]"), &ok, "its body has no /fine/");
        check(&http(", absent = [\"state\"]"), &ok, "its body has /state/");
        check(&http(", json = { \"/db/state\" = \"ok\" }"), &ok, "holds");
        check(&http(", json = { \"/db/state\" = \"bad\" }"), &ok, "/db/state in its body is \"ok\"");
        check(&http(", json = { uptime = 1 }"), &ok, "its body has no uptime");
        check(&http(", json = { uptime = 1 }"), &answer(200, "ok"), "its body is no JSON");
    }

    #[test]
    fn no_answer_can_be_what_is_expected() {
        let silent = saw(Seen::Unanswered("no answer within 5 s".to_owned()));
        check(&http(", status = \"refused\""), &saw(Seen::Refused), "holds");
        check(&http(", status = \"refused\""), &silent, "it gave no answer: no answer within 5 s");
        check(&http(", answers = false"), &silent, "holds");
        check(&http(", answers = false"), &saw(Seen::Refused), "holds");
        check(&http(", answers = false"), &answer(500, ""), "it answered 500");
        let dead = "it could not be seen: no process of it runs";
        check(&http(", answers = false"), &saw(Seen::Failed("no process of it runs".to_owned())), dead);
    }
}
