//! What a build needs to know of a Dockerfile before the engine reads it.

use std::collections::BTreeMap;

/// The stages of a Dockerfile, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dockerfile {
    /// The arguments that stand before the first stage, with their defaults.
    arguments: BTreeMap<String, String>,
    stages: Vec<Stage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Stage {
    name: Option<String>,
    base: String,
    /// The programs of ours that are copied into it.
    binaries: Vec<String>,
    /// The stages that files are copied from.
    sources: Vec<String>,
    /// Whether it says what a container runs.
    runs: bool,
}

/// Where the programs of ours lie in the build context.
const INJECTED: &str = "bootproof/";

/// What else lies there: the host's certificates.
pub const CERTIFICATES: &str = "ca-certificates.crt";

impl Dockerfile {
    /// Reads the instructions that matter here; the rest is the engine's business.
    pub fn read(text: &str) -> Self {
        let mut stages: Vec<Stage> = Vec::new();
        let mut arguments = BTreeMap::new();
        for line in instructions(text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some((instruction, words)) = words.split_first() else { continue };
            let instruction = instruction.to_ascii_uppercase();
            if instruction == "FROM" {
                stages.push(Stage::from(words));
            } else if let Some(stage) = stages.last_mut() {
                stage.take(&instruction, words);
            } else if instruction == "ARG" {
                let defaults = words.iter().filter_map(|word| word.split_once('='));
                let unquoted = |text: &str| text.trim_matches(['"', '\'']).to_owned();
                arguments.extend(defaults.map(|(name, value)| (name.to_owned(), unquoted(value))));
            }
        }
        Self { arguments, stages }
    }

    /// The same with these values in the place of its arguments, in the names of bases.
    pub fn given(mut self, arguments: &BTreeMap<String, String>) -> Self {
        self.arguments.extend(arguments.clone());
        for stage in &mut self.stages {
            stage.base = substituted(&stage.base, &self.arguments);
        }
        self
    }

    /// The names of the stages.
    pub fn names(&self) -> Vec<String> {
        self.stages.iter().filter_map(|stage| stage.name.clone()).collect()
    }

    /// The stages up to a target, all of which the classic builder builds;
    /// `None` when there is no such stage.
    pub fn up_to(&self, target: Option<&str>) -> Option<Self> {
        let end = match target {
            Some(target) => self.stages.iter().position(|stage| stage.is(target))? + 1,
            None => self.stages.len(),
        };
        Some(Self { stages: self.stages[..end].to_vec(), ..self.clone() })
    }

    /// The images it starts from or copies from, each once. A name that still has
    /// a variable in it is the builder's business.
    pub fn bases(&self) -> Vec<String> {
        let is_stage = |name: &String| name.parse::<usize>().is_ok() || self.stages.iter().any(|stage| stage.is(name));
        let outside = |name: &&String| *name != "scratch" && !name.contains('$') && !is_stage(name);
        let named = self.stages.iter().flat_map(|stage| std::iter::once(&stage.base).chain(&stage.sources));
        distinct(named.filter(outside))
    }

    /// The programs of ours that it copies, each once.
    pub fn binaries(&self) -> Vec<String> {
        distinct(self.stages.iter().flat_map(|stage| &stage.binaries))
    }

    /// The stages that containers are made of, `None` being the last one: those
    /// that say what a container runs, and those that no other stage builds on.
    pub fn stages_to_run(&self) -> Vec<Option<String>> {
        let Some((_, named)) = self.stages.split_last() else { return Vec::new() };
        let used =
            |name: &str| self.stages.iter().any(|stage| stage.base == name || stage.sources.iter().any(|s| s == name));
        let to_run = named.iter().filter_map(|stage| {
            let name = stage.name.as_ref()?;
            (stage.runs || !used(name)).then(|| Some(name.clone()))
        });
        std::iter::once(None).chain(to_run).collect()
    }
}

impl Stage {
    /// From the words after `FROM`: `--platform=x IMAGE AS NAME`.
    fn from(words: &[&str]) -> Self {
        let words: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with("--")).collect();
        let name = match words.as_slice() {
            [_, word, name, ..] if word.eq_ignore_ascii_case("as") => Some((*name).to_owned()),
            _ => None,
        };
        Self { name, base: words.first().copied().unwrap_or_default().to_owned(), ..Self::default() }
    }

    fn take(&mut self, instruction: &str, words: &[&str]) {
        match instruction {
            "ENTRYPOINT" | "CMD" => self.runs = true,
            "COPY" | "ADD" => {
                for word in words {
                    if let Some(stage) = word.strip_prefix("--from=") {
                        self.sources.push(stage.to_owned());
                    }
                    // COPY has a form in JSON as well.
                    let word = word.trim_matches(['[', ']', '"', ',']).trim_start_matches("./");
                    let binary = word.strip_prefix(INJECTED).filter(|name| !name.is_empty() && *name != CERTIFICATES);
                    self.binaries.extend(binary.map(str::to_owned));
                }
            }
            _ => {}
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }
}

/// A text with `$NAME`, `${NAME}` and `${NAME:-default}` replaced, as far as they are known.
fn substituted(text: &str, values: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = text.split_once('$') else { return text.to_owned() };
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (name, default, after) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((inside, after)) => match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default), after),
            None => (inside, None, after),
        },
        None => {
            let end = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
            (&rest[..end], None, &rest[end..])
        }
    };
    match values.get(name).map(String::as_str).or(default) {
        Some(value) => format!("{before}{value}{}", substituted(after, values)),
        None => text.to_owned(),
    }
}

/// Whole instructions: comments left out, continued lines joined.
fn instructions(text: &str) -> Vec<String> {
    let mut whole = Vec::new();
    let mut begun = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_suffix('\\') {
            Some(part) => {
                begun.push_str(part);
                begun.push(' ');
            }
            None => whole.push(std::mem::take(&mut begun) + line),
        }
    }
    whole
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen: Vec<String> = names.cloned().collect();
    seen.sort();
    seen.dedup();
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMO: &str = r#"
# FROM comment
FROM debian:trixie AS node
RUN apt-get update \
    # a comment within
    && echo FROM nowhere
FROM node AS modules
COPY bootproof/ca-certificates.crt /ca.crt
FROM --platform=linux/amd64 node as app
COPY --from=modules /a b
FROM app AS shell
ENTRYPOINT ["/sh"]
FROM shell AS wrapper
COPY --chown=1:1 ["./bootproof/misbehave", "/x"]
FROM scratch AS spare
FROM app
COPY bootproof/entrypoint bootproof/misbehave \
     /bin/
CMD ["node"]
"#;

    fn check(target: Option<&str>, bases: &[&str], binaries: &[&str]) {
        let part = Dockerfile::read(DEMO).up_to(target).unwrap();
        assert_eq!((part.bases(), part.binaries()), (strings(bases), strings(binaries)), "up to {target:?}");
    }

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_target_needs_what_the_stages_up_to_it_need() {
        check(Some("shell"), &["debian:trixie"], &[]);
        check(Some("wrapper"), &["debian:trixie"], &["misbehave"]);
        check(None, &["debian:trixie"], &["entrypoint", "misbehave"]);
        assert_eq!(Dockerfile::read(DEMO).up_to(Some("nothing")), None);
    }

    #[test]
    fn arguments_stand_in_the_names_of_bases() {
        let text = "ARG SUITE=trixie\nARG BASE\nFROM debian:${SUITE} AS a\nFROM $BASE\nCOPY --from=nginx:1 / /\n\
                    COPY --from=0 / /\nFROM ${NONE:-node}:22\n";
        let bases = |given: &[(&str, &str)]| {
            let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Dockerfile::read(text).given(&given).bases()
        };
        assert_eq!(bases(&[]), ["debian:trixie", "nginx:1", "node:22"]);
        assert_eq!(bases(&[("SUITE", "sid"), ("BASE", "a")]), ["debian:sid", "nginx:1", "node:22"]);
        assert_eq!(bases(&[("BASE", "app:1"), ("NONE", "x")]), ["app:1", "debian:trixie", "nginx:1", "x:22"]);
    }

    #[test]
    fn a_stage_that_only_serves_others_is_not_run() {
        let run: Vec<String> = Dockerfile::read(DEMO)
            .stages_to_run()
            .into_iter()
            .map(|stage| stage.unwrap_or("(last)".to_owned()))
            .collect();
        assert_eq!(run, ["(last)", "shell", "wrapper", "spare"]);
    }

    #[test]
    fn a_file_without_stages_has_nothing_to_run() {
        assert_eq!(Dockerfile::read("# nothing\n").stages_to_run(), []);
    }
}
