//! `delete`: what stands at a path is removed, with all below it. A mount point
//! itself cannot go; it is emptied.

use agent::{Answer, Command, Kind as FileKind, Seen};

use super::{Act, Action, Answered, Ground, Kind, boxed, path};

pub const KIND: Kind = Kind {
    key: "delete",
    summary: "removes a path with everything below it; a mount point is emptied",
    example: "delete = \"/data/app.db\"",
    read: |written, problems| path(written, problems).map(|path| boxed(Delete(path))),
};

#[derive(Debug)]
struct Delete(String);

impl Action for Delete {
    fn words(&self) -> String {
        format!("delete {}", self.0)
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::Delete { place: ground.place(&self.0) })]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::Look { pid: ground.pid, path: self.0.clone(), content: false })]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let (Some(before), Some(now)) = (seen(before)?, seen(now)?) else { return Err("nobody looked".to_owned()) };
        match (before.exists, now.exists) {
            (false, _) => Err("there was nothing to delete".to_owned()),
            (true, false) => Ok(format!("the subject finds no {}", self.0)),
            (true, true) if before.inode != now.inode => {
                Ok(format!("the subject finds another {} in its place", self.0))
            }
            // A directory that is a mount point stays; what it held is gone, which its own times and links show.
            (true, true) if now.kind == FileKind::Directory && before != now => {
                Ok(format!("the subject finds {} changed", self.0))
            }
            (true, true) => Err(format!("the subject still finds {}", self.0)),
        }
    }
}

fn seen(answers: &[Answered]) -> Result<Option<&Seen>, String> {
    match answers.first() {
        Some(Answered::Agent(Answer::Seen(seen))) => Ok(Some(seen)),
        Some(Answered::Failed(words)) => Err(words.clone()),
        _ => Ok(None),
    }
}
