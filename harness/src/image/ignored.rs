//! What a folder's `.dockerignore` leaves out of the build context.

use std::fs;
use std::io;
use std::path::Path;

use regex::Regex;

/// The file's name.
pub const FILE: &str = ".dockerignore";

/// Patterns in their order; the last one that matches decides.
#[derive(Debug, Default)]
pub struct Ignored(Vec<Pattern>);

#[derive(Debug)]
struct Pattern {
    path: Regex,
    /// It puts in again what others leave out.
    keeps: bool,
}

impl Ignored {
    /// The patterns of a folder, if it has any.
    pub fn of(folder: &Path) -> io::Result<Self> {
        match fs::read_to_string(folder.join(FILE)) {
            Ok(text) => Self::read(&text).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn read(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let patterns = lines.map(|line| {
            let (keeps, glob) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let glob = glob.trim_start_matches("./").trim_matches('/');
            let path = Regex::new(&regex_of(glob)).map_err(|_| format!("`{line}` in {FILE} is not a pattern"))?;
            Ok(Pattern { path, keeps })
        });
        patterns.collect::<Result<_, String>>().map(Self)
    }

    /// Whether a path, or a folder that it lies in, is left out.
    pub fn leaves_out(&self, path: &str) -> bool {
        let parents = path.match_indices('/').map(|(slash, _)| &path[..slash]);
        let all: Vec<&str> = parents.chain([path]).collect();
        let last = self.0.iter().rfind(|pattern| all.iter().any(|part| pattern.path.is_match(part)));
        last.is_some_and(|pattern| !pattern.keeps)
    }

    /// Whether something in a folder that is left out may be put in again.
    pub fn keeps_any(&self) -> bool {
        self.0.iter().any(|pattern| pattern.keeps)
    }
}

/// Go's patterns of file names, with `**` for any number of folders.
fn regex_of(glob: &str) -> String {
    let mut regex = String::from("^");
    let mut rest = glob.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.next_if_eq(&'*').is_some() => match rest.next_if_eq(&'/') {
                Some(_) => regex += "(.*/)?",
                None => regex += ".*",
            },
            '*' => regex += "[^/]*",
            '?' => regex += "[^/]",
            '[' | ']' => regex.push(c),
            '\\' => regex += &regex::escape(&rest.next().map(String::from).unwrap_or_default()),
            c => regex += &regex::escape(&c.to_string()),
        }
    }
    regex + "$"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, left_out: &[&str], put_in: &[&str]) {
        let ignored = Ignored::read(text).unwrap();
        for path in left_out {
            assert!(ignored.leaves_out(path), "{path} is put in by {text:?}");
        }
        for path in put_in {
            assert!(!ignored.leaves_out(path), "{path} is left out by {text:?}");
        }
    }

    #[test]
    fn patterns_are_those_of_docker() {
        check("", &[], &["a"]);
        check("# comment\n\nnode_modules/", &["node_modules", "node_modules/a/b"], &["src/node_modules", "# comment"]);
        check("**/node_modules", &["node_modules", "a/b/node_modules/c"], &["node_modules2"]);
        check("*.log\n/tmp?", &["a.log", "tmp1"], &["a/b.log", "tmp", "tmp/1"]);
        check("a/**/z", &["a/z", "a/b/c/z"], &["z"]);
        check("[ab].txt", &["a.txt"], &["c.txt"]);
        check("a.b", &["a.b"], &["axb"]);
    }

    #[test]
    fn the_last_pattern_decides() {
        check("*\n!src\nsrc/*.tmp", &["a", "src/x.tmp"], &["src", "src/a.rs"]);
        assert!(Ignored::read("*\n!src").unwrap().keeps_any());
    }
}
