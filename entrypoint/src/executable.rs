//! The file behind a command: where it may be, and why it could not be executed.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Exit, Failure};
use crate::log::Line;

/// What a program is looked for in when PATH is not set.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The paths at which a command may be, in the order in which a shell tries them.
pub fn candidates(program: &OsStr, path: Option<&OsStr>) -> Vec<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return vec![PathBuf::from(program)];
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    std::env::split_paths(path)
        .map(|directory| {
            // An empty entry is the working directory.
            let here = directory.as_os_str().is_empty();
            if here { Path::new(".").join(program) } else { directory.join(program) }
        })
        .collect()
}

/// A word of the command as C wants it. Arguments of a process hold no NUL; one that did would end there.
pub fn c_string(word: OsString) -> CString {
    let bytes = word.into_vec();
    CString::new(bytes).unwrap_or_else(|error| {
        let end = error.nul_position();
        CString::new(&error.into_vec()[..end]).unwrap_or_default()
    })
}

/// Says why none of the candidates could be executed. The codes are the shells': 127 when there is
/// no such file, 126 when there is one and it cannot be executed.
pub fn explain(program: &OsStr, candidates: &[PathBuf], error: &io::Error) -> Failure {
    let name = program.to_string_lossy();
    let found = candidates.iter().find(|path| fs::metadata(path).is_ok_and(|seen| !seen.is_dir()));
    let found = found.or_else(|| candidates.iter().find(|path| path.exists()));
    let (exit, why, way_out) = match (error.raw_os_error(), found) {
        (Some(libc::EAGAIN | libc::ENOMEM), _) => (
            Exit::General,
            format!("the system refuses another process: {error}"),
            "raise `pids_limit` or `mem_limit` of the container".to_owned(),
        ),
        (Some(libc::ENOENT | libc::ENOTDIR), None) => not_found(program, candidates),
        (_, Some(path)) => {
            let (why, way_out) = refused(path, error);
            (Exit::NotExecutable, why, way_out)
        }
        (_, None) => (
            Exit::NotExecutable,
            error.to_string(),
            "look at the directories of its path: this user may not search one of them".to_owned(),
        ),
    };
    let line = Line::error(format!("cannot execute the command `{name}`: {why}"))
        .with("command", name.into_owned())
        .with("suggestion", way_out);
    Failure::new(exit, line)
}

fn not_found(program: &OsStr, candidates: &[PathBuf]) -> (Exit, String, String) {
    let name = program.to_string_lossy();
    if program.as_bytes().contains(&b'/') {
        let way_out = "look whether the image has this file, and whether a volume hides it";
        return (Exit::NotFound, "there is no such file".to_owned(), way_out.to_owned());
    }
    let looked: Vec<_> =
        candidates.iter().filter_map(|path| path.parent()).map(|directory| directory.to_string_lossy()).collect();
    let why = format!("it is not in PATH ({})", looked.join(":"));
    let way_out = if name.contains(' ') {
        "the command is one word with spaces in it: write CMD as a list, such as CMD [\"node\", \"server.js\"]"
    } else {
        "install it in the image, or write its whole path in CMD"
    };
    (Exit::NotFound, why, way_out.to_owned())
}

/// Why the kernel refused a file that is there, and the way out.
fn refused(path: &Path, error: &io::Error) -> (String, String) {
    let shown = path.display();
    let start = start_of(path);
    let metadata = fs::metadata(path);
    let mode = metadata.as_ref().map_or(0, |seen| seen.permissions().mode() & 0o7777);
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) => missing_interpreter(path, &start),
        Some(libc::EACCES) if metadata.is_ok_and(|seen| seen.is_dir()) => {
            (format!("{shown} is a directory"), "name the program in it".to_owned())
        }
        Some(libc::EACCES | libc::EPERM) if mode & 0o111 == 0 => (
            format!("{shown} has mode {mode:04o}: no execute bit"),
            format!("run `chmod +x {shown}` in the Dockerfile, or use COPY --chmod=755"),
        ),
        Some(libc::EACCES | libc::EPERM) => (
            format!("{shown} has mode {mode:04o}, and still: {error}"),
            "look whether its mount has the option `noexec`, its interpreter is executable, and \
             this user may search its directories"
                .to_owned(),
        ),
        Some(libc::ENOEXEC) if start.starts_with(b"\x7fELF") => (
            format!("{shown} is a program for another kind of processor"),
            "pull or build the image for this machine's platform (`docker build --platform`)".to_owned(),
        ),
        Some(libc::ENOEXEC) => (
            format!("{shown} is neither a program nor a script with a `#!` line"),
            "make `#!/bin/sh` its first line, with nothing before it, not even a byte order mark".to_owned(),
        ),
        _ => (format!("{shown}: {error}"), "look at the file in the image".to_owned()),
    }
}

/// The kernel says "no such file" of a file that is there when its interpreter is missing.
fn missing_interpreter(path: &Path, start: &[u8]) -> (String, String) {
    let shown = path.display();
    if !start.starts_with(b"#!") {
        return (
            format!("{shown} is there, and the dynamic loader that it names is not"),
            "link it statically, or use a base image with the C library it was built for \
             (glibc on Debian, musl on Alpine)"
                .to_owned(),
        );
    }
    let line = start[2..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let interpreter = line.split_whitespace().next().unwrap_or_default();
    if line.ends_with('\r') {
        return (
            format!("the first line of {shown} ends in CRLF, so that its interpreter is `{interpreter}\\r`"),
            format!("save {shown} with LF line ends; `*.sh text eol=lf` in .gitattributes keeps them"),
        );
    }
    (
        format!("{shown} is there, and its interpreter `{interpreter}` is not"),
        format!("install `{interpreter}` in the image, or change the first line of {shown}"),
    )
}

fn start_of(path: &Path) -> Vec<u8> {
    let mut start = Vec::new();
    // Best effort: a file may be executable and not readable. Only a regular file can be read
    // without the risk of waiting for ever.
    if fs::metadata(path).is_ok_and(|seen| seen.is_file())
        && let Ok(file) = File::open(path)
    {
        let _ = file.take(256).read_to_end(&mut start);
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(program: &str, path: Option<&str>, expected: &[&str]) {
        let found = candidates(OsStr::new(program), path.map(OsStr::new));
        assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_name_is_looked_for_in_path_and_a_path_is_taken_as_it_is() {
        check("/app", Some("/bin"), &["/app"]);
        check("./app", Some("/bin"), &["./app"]);
        check("app", Some("/bin::/sbin"), &["/bin/app", "./app", "/sbin/app"]);
        assert!(candidates(OsStr::new("app"), None).contains(&PathBuf::from("/bin/app")));
    }
}
