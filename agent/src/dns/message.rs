//! The few parts of DNS messages that are needed (RFC 1035).

use std::net::IpAddr;

/// Bytes of the header.
const HEAD: usize = 12;

/// The class of the Internet.
const INTERNET: u16 = 1;

/// The kinds of record that hold an address, old and new.
pub const ADDRESSES: [u16; 2] = [1, 28];

/// What a name server answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// These addresses; none, if the name has others only.
    Addresses(Vec<IpAddr>),
    /// An error.
    Error(u8),
}

/// A question for a kind of record. None if the text can be no name.
pub fn question(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    let mut message = id.to_be_bytes().to_vec();
    // Recursion is desired; one question.
    message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&INTERNET.to_be_bytes());
    Some(message)
}

/// Reads a reply. None if it is none, or none to this question.
pub fn reply(message: &[u8], id: u16) -> Option<Reply> {
    let is_reply = message.get(2)? & 0x80 != 0;
    if number(message, 0)? != id || !is_reply {
        return None;
    }
    match message.get(3)? & 0x0f {
        0 => records(message).map(Reply::Addresses),
        error => Some(Reply::Error(error)),
    }
}

/// The reply to a question that says nothing but an error. None if it is no question.
pub fn error(question: &[u8], error: u8) -> Option<Vec<u8>> {
    let is_question = question.get(2)? & 0x80 == 0;
    let end = after_name(question, HEAD)? + 4;
    let mut message = question.get(..end)?.to_vec();
    message[2] = 0x80 | (question[2] & 0x01);
    message[3] = 0x80 | error;
    // Whatever followed the question is left out.
    message[4..HEAD].copy_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]);
    is_question.then_some(message)
}

/// The name of an error.
pub fn error_name(error: u8) -> String {
    match error {
        1 => "FORMERR".into(),
        2 => "SERVFAIL".into(),
        3 => "NXDOMAIN".into(),
        4 => "NOTIMP".into(),
        5 => "REFUSED".into(),
        other => format!("error {other}"),
    }
}

fn records(message: &[u8]) -> Option<Vec<IpAddr>> {
    let (questions, answers) = (number(message, 4)?, number(message, 6)?);
    let mut at = HEAD;
    for _ in 0..questions {
        at = after_name(message, at)? + 4;
    }
    let mut addresses = Vec::new();
    for _ in 0..answers {
        // A record is name, kind, class, time to live, length, data.
        at = after_name(message, at)?;
        let kind = number(message, at)?;
        let length = usize::from(number(message, at + 8)?);
        let data = message.get(at + 10..at + 10 + length)?;
        addresses.extend(address(kind, data));
        at += 10 + length;
    }
    Some(addresses)
}

fn address(kind: u16, data: &[u8]) -> Option<IpAddr> {
    match (kind, data.len()) {
        (1, 4) => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
        (28, 16) => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
        _ => None,
    }
}

/// Where a name ends: after an empty label, or after a pointer to a name that came before.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

fn number(message: &[u8], at: usize) -> Option<u16> {
    message.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reply to "db" by a server that compresses names: an alias, then an address.
    fn answer() -> Vec<u8> {
        let mut message = question(7, "db", 1).unwrap();
        message[2] |= 0x80;
        message[7] = 2;
        message.extend_from_slice(&[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12]);
        message.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 172, 17, 0, 2]);
        message
    }

    #[test]
    fn addresses_are_found_among_other_records() {
        assert_eq!(reply(&answer(), 7), Some(Reply::Addresses(vec![[172, 17, 0, 2].into()])));
    }

    #[test]
    fn what_is_no_reply_to_the_question_is_passed_over() {
        assert_eq!(reply(&answer(), 8), None);
        assert_eq!(reply(&question(7, "db", 1).unwrap(), 7), None);
        for end in 0..answer().len() {
            assert_eq!(reply(&answer()[..end], 7), None, "cut after {end} bytes");
        }
    }

    #[test]
    fn an_error_answers_its_question() {
        let asked = question(9, "db.example.org", 28).unwrap();
        assert_eq!(reply(&error(&asked, 3).unwrap(), 9), Some(Reply::Error(3)));
        assert_eq!(error(&answer(), 3), None);
        assert_eq!(error(b"noise", 3), None);
        assert_eq!(error_name(3), "NXDOMAIN");
    }

    #[test]
    fn a_text_that_can_be_no_name_is_not_asked_for() {
        let long = "x".repeat(64);
        for name in ["", "a..b", ".a", long.as_str()] {
            assert_eq!(question(1, name, 1), None, "{name:?}");
        }
    }
}
