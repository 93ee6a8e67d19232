//! Why an image is not there, and what to do about it.

use std::path::PathBuf;

use crate::engine;
use crate::nearest::nearest;

/// Why an image could not be had. Each is a sentence that ends with the way out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No fixture has this name.
    #[error("there is no fixture `{name}` in fixtures/images{}", did_you_mean(nearest.as_deref(), known))]
    UnknownFixture {
        /// The name that was asked for.
        name: String,
        /// The known name that looks most like it.
        nearest: Option<String>,
        /// Every known name.
        known: Vec<String>,
    },
    /// The fixture's Dockerfile has no such stage.
    #[error("the fixture `{fixture}` has no stage `{stage}`{}", did_you_mean(nearest.as_deref(), known))]
    UnknownStage {
        /// The fixture.
        fixture: String,
        /// The stage that was asked for.
        stage: String,
        /// The known stage that looks most like it.
        nearest: Option<String>,
        /// Every known stage.
        known: Vec<String>,
    },
    /// Fixtures are built from source, and there is none here.
    #[error(
        "the image `{image}` is built from a checkout of Bootproof, and this folder is not inside one; \
         run this in a checkout, or name an image that the engine can pull"
    )]
    NoWorkspace {
        /// The image that was asked for.
        image: String,
    },
    /// A file of the checkout could not be read, or the lock not be taken.
    #[error("cannot {act}: {cause}")]
    File {
        /// What was tried.
        act: String,
        /// The operating system's words.
        cause: String,
    },
    /// A program that goes into images does not compile.
    #[error("the program `{name}` for the image does not compile for {target}{}", way_out(log, target))]
    Binary {
        /// The package.
        name: String,
        /// The compilation target.
        target: String,
        /// The end of the compiler's output.
        log: String,
    },
    /// An image that fixtures are built on is not there and could not be made.
    #[error(
        "the base image `{base}` is not in the engine, no registry gives it, and it could not be made here: {cause}"
    )]
    Base {
        /// The image.
        base: String,
        /// Why not, and what to do.
        cause: String,
    },
    /// An image could not be fetched.
    #[error(
        "the image `{image}` could not be pulled: {cause}; \
         check its name, or load it into the engine first (`docker load`, `docker pull`)"
    )]
    Pull {
        /// The image.
        image: String,
        /// The engine's words.
        cause: String,
    },
    /// An image is not there, and the scenario forbids to get it.
    #[error(
        "the image `{image}` is not in the engine{}, and `pull_policy = \"never\"` forbids to get it; \
         load it first, or choose another policy",
        has.as_ref().map(|platform| format!(" but for {platform}")).unwrap_or_default()
    )]
    Forbidden {
        /// The image.
        image: String,
        /// The platform that the engine has it for instead.
        has: Option<String>,
    },
    /// The registry has an image only for other platforms.
    #[error("the image `{image}` is there for {has}, and its registry has none for {wanted}")]
    OtherPlatform {
        /// The image.
        image: String,
        /// The platform that the scenario asks for.
        wanted: String,
        /// The platform that was had instead.
        has: String,
    },
    /// The engine is of another processor, and does not emulate it.
    #[error(
        "the engine cannot run programs for {platform}: it has a processor of the kind {own} and no emulator; \
         install one on its machine (qemu-user with binfmt), or leave `platform` out"
    )]
    CannotRun {
        /// The image's platform.
        platform: String,
        /// The engine's own processor.
        own: String,
    },
    /// The folder to build an image from is not there.
    #[error("there is no folder {path} to build an image from; `build` is relative to the scenario file")]
    NoFolder {
        /// Where it was looked for.
        path: String,
    },
    /// The engine failed; a build that failed carries its whole log.
    #[error(transparent)]
    Engine(#[from] engine::Error),
}

impl Error {
    /// The whole output of the build that failed, if one did.
    #[must_use]
    pub fn log(&self) -> &str {
        match self {
            Self::Binary { log, .. } | Self::Engine(engine::Error::Build { log, .. }) => log,
            _ => "",
        }
    }

    pub(super) fn unknown_fixture(name: &str, known: Vec<String>) -> Self {
        Self::UnknownFixture { name: name.to_owned(), nearest: near(name, &known), known }
    }

    pub(super) fn unknown_stage(fixture: &str, stage: &str, known: Vec<String>) -> Self {
        let nearest = near(stage, &known);
        Self::UnknownStage { fixture: fixture.to_owned(), stage: stage.to_owned(), nearest, known }
    }

    pub(super) fn file(act: &str, path: &std::path::Path, cause: &std::io::Error) -> Self {
        Self::File { act: format!("{act} {}", PathBuf::from(path).display()), cause: cause.to_string() }
    }
}

fn near(word: &str, known: &[String]) -> Option<String> {
    nearest(word, known.iter().map(String::as_str)).map(str::to_owned)
}

fn did_you_mean(nearest: Option<&str>, known: &[String]) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None if known.is_empty() => "; it has none at all".to_owned(),
        None => format!("; there are {}", known.join(", ")),
    }
}

/// What to do about the two things that every new machine lacks.
fn way_out(log: &str, target: &str) -> String {
    if log.contains("target may not be installed") {
        return format!("; run `rustup target add {target}`");
    }
    if log.contains("musl-gcc") {
        return "; install the package musl-tools, which has the C compiler for it".to_owned();
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: &Error, expected: &str) {
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_unknown_name_comes_with_the_nearest_known_one() {
        let known = || vec!["hub".to_owned(), "tome".to_owned()];
        check(
            &Error::unknown_fixture("tomb", known()),
            "there is no fixture `tomb` in fixtures/images; did you mean `tome`?",
        );
        check(
            &Error::unknown_fixture("elephant", known()),
            "there is no fixture `elephant` in fixtures/images; there are hub, tome",
        );
        check(
            &Error::unknown_stage("tome", "shel", vec!["shell".to_owned()]),
            "the fixture `tome` has no stage `shel`; did you mean `shell`?",
        );
        check(
            &Error::unknown_stage("tome", "shell", Vec::new()),
            "the fixture `tome` has no stage `shell`; it has none at all",
        );
    }

    #[test]
    fn a_program_that_does_not_compile_says_what_the_machine_lacks() {
        let error = |log: &str| Error::Binary {
            name: "entrypoint".to_owned(),
            target: "x86_64-unknown-linux-musl".to_owned(),
            log: log.to_owned(),
        };
        let log = "note: the `x86_64-unknown-linux-musl` target may not be installed";
        let expected = "the program `entrypoint` for the image does not compile for x86_64-unknown-linux-musl; \
                        run `rustup target add x86_64-unknown-linux-musl`";
        check(&error(log), expected);
        let expected = "the program `entrypoint` for the image does not compile for x86_64-unknown-linux-musl";
        check(&error("oops"), expected);
        assert_eq!(error("oops").log(), "oops");
    }
}
