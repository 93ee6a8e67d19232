//! `dns`: the name server of a container does not help any more.

use agent::{Answer, Command, DnsFault};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};

pub const KIND: Kind = Kind {
    key: "dns",
    summary: "makes the name server `refuse`, stay `silent`, or answer `servfail` or `nxdomain`",
    example: "dns = \"servfail\"",
    schema: How::json_schema,
    read: |written, problems| written.read::<How>(TABLE, problems).map(|how| boxed(Dns(how))),
};

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum How {
    /// Nobody listens where it was.
    Refuse,
    /// It never answers.
    Silent,
    /// It says that it failed.
    Servfail,
    /// It says that there is no such name.
    Nxdomain,
}

#[derive(Debug)]
struct Dns(How);

impl Action for Dns {
    fn words(&self) -> String {
        let does = match self.0 {
            How::Refuse => "refuse",
            How::Silent => "stay silent",
            How::Servfail => "answer SERVFAIL",
            How::Nxdomain => "answer NXDOMAIN",
        };
        format!("make the name server {does}")
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        let how = match self.0 {
            How::Refuse => DnsFault::Refuse,
            How::Silent => DnsFault::Silent,
            How::Servfail => DnsFault::Servfail,
            How::Nxdomain => DnsFault::Nxdomain,
        };
        vec![Act::Agent(Command::BreakDns { pid: ground.pid, how })]
    }

    /// Its own name is the one that it surely has.
    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::Resolve { pid: ground.pid, name: ground.name.clone() })]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let sign = match self.0 {
            How::Refuse => "ECONNREFUSED",
            How::Silent => "ETIMEDOUT",
            How::Servfail => "SERVFAIL",
            How::Nxdomain => "NXDOMAIN",
        };
        match (before.first(), now.first()) {
            (Some(Answered::Failed(words)), _) => Err(format!("no name was found before: {words}")),
            (_, Some(Answered::Failed(words))) if words.contains(sign) => Ok(words.clone()),
            (_, Some(Answered::Failed(words))) => Err(words.clone()),
            (_, Some(Answered::Agent(Answer::Addresses(addresses)))) => {
                Err(format!("a name is found: {}", addresses.join(", ")))
            }
            _ => Err("nobody looked".to_owned()),
        }
    }

    fn undo(&self, ground: &Ground, _: &[Answered]) -> Option<Vec<Act>> {
        Some(vec![Act::Agent(Command::MendDns { pid: ground.pid })])
    }

    fn is_undoable(&self) -> bool {
        true
    }

    fn needs_names(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn a_broken_name_server_finds_no_name_in_the_way_that_was_asked_for() {
        let found = [Answered::Agent(Answer::Addresses(vec!["10.0.0.2".to_owned()]))];
        let failed = |words: &str| [Answered::Failed(words.to_owned())];
        let servfail = "the name server 127.0.0.66 says SERVFAIL of subject";
        check("dns = \"servfail\"", &found, &failed(servfail), Ok(servfail));
        check("dns = \"nxdomain\"", &found, &failed(servfail), Err(servfail));
        check("dns = \"servfail\"", &found, &found, Err("a name is found: 10.0.0.2"));
        let never = "no name was found before: subject has no address";
        check("dns = \"silent\"", &failed("subject has no address"), &failed(servfail), Err(never));
    }
}
