//! What stands at a path, as the subject sees it: with its own user, groups and capabilities.

use agent::{Answer, Command, Seen, Tried, UNTRIED};

use super::{Act, Answered, Ground};

/// Asks what stands at a path. Where no process of the container lives, the agent
/// looks for itself: there is nobody else.
pub fn look(ground: &Ground, path: &str) -> Act {
    Act::Agent(match ground.pid {
        0 => Command::LookAt { place: ground.place(path), content: true },
        pid => Command::Look { pid, path: path.to_owned(), content: true },
    })
}

/// What the look with this place in the row of looks has seen.
pub fn seen(answers: &[Answered], place: usize) -> Result<&Seen, String> {
    match answers.get(place) {
        Some(Answered::Agent(Answer::Seen(seen))) => Ok(seen),
        Some(Answered::Failed(words)) => Err(words.clone()),
        _ => Err("nobody looked".to_owned()),
    }
}

/// Whether two looks saw one file, and not a new one that has the old one's number.
pub fn is_same(one: &Seen, other: &Seen) -> bool {
    (one.dev, one.inode, one.born) == (other.dev, other.inode, other.born)
}

/// Whether a file has lost what it held beyond a size. Whoever writes on where he
/// was leaves zeros in its place, and the file is no shorter.
pub fn was_cut(before: &Seen, now: &Seen, size: u64) -> bool {
    let zeros = |seen: &Seen| {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        seen.text.as_ref().and_then(|text| text.as_bytes().get(size)).is_some_and(|byte| *byte == 0)
    };
    before.size > size && (now.size < before.size || (zeros(now) && !zeros(before)))
}

/// What the subject may do with what it sees, as a part of a sentence.
pub fn access(seen: &Seen) -> String {
    if seen.read == Err(UNTRIED.to_owned()) {
        return "no process lives that could read or write it".to_owned();
    }
    let one = |able: &str, unable: &str, tried: &Tried| match tried {
        Ok(()) => format!("can be {able}"),
        Err(errno) => format!("cannot be {unable} ({errno})"),
    };
    format!("{}, {}", one("read", "read", &seen.read), one("written", "written", &seen.write))
}

#[cfg(test)]
pub(super) mod testing {
    use agent::Kind;

    use super::*;

    /// A file as it is seen that has nothing special.
    pub fn file() -> Seen {
        Seen {
            exists: true,
            kind: Kind::File,
            dev: 1,
            inode: 7,
            born: Some(5),
            links: 1,
            size: 3,
            mode: 0o644,
            uid: 1000,
            gid: 1000,
            sha256: Some("aa".to_owned()),
            text: Some("abc".to_owned()),
            entries: None,
            read: Ok(()),
            write: Ok(()),
        }
    }

    /// A directory that holds these.
    pub fn directory(names: &[&str]) -> Seen {
        let entry = |name: &&str| agent::Entry { name: (*name).to_owned(), inode: 9, born: Some(1) };
        let entries = Some(names.iter().map(entry).collect());
        Seen { kind: Kind::Directory, sha256: None, text: None, entries, ..file() }
    }

    /// Nothing.
    pub fn absent() -> Seen {
        Seen { exists: false, inode: 0, born: None, size: 0, sha256: None, text: None, ..file() }
    }

    /// What looks have seen.
    pub fn saw(seen: impl IntoIterator<Item = Seen>) -> Vec<Answered> {
        seen.into_iter().map(|seen| Answered::Agent(Answer::Seen(Box::new(seen)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::file;
    use super::*;

    #[test]
    fn a_file_was_cut_when_it_is_shorter_or_begins_with_nothing() {
        let sized = |size: u64, text: &str| Seen { size, text: Some(text.to_owned()), ..file() };
        let check = |now: Seen, size: u64, expected: bool| {
            assert_eq!(was_cut(&sized(3, "abc"), &now, size), expected, "{now:?}");
        };
        check(sized(0, ""), 0, true);
        check(sized(3, "abc"), 0, false);
        check(sized(4, "abcd"), 0, false);
        check(sized(5, "\0\0\0de"), 0, true);
        check(sized(5, "a\0\0de"), 1, true);
        check(sized(2, "ab"), 3, false);
    }
}
