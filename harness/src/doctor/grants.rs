//! What the engine lets a container have, found out by asking for it.
//!
//! What an engine says of itself leaves out its own rights: an engine that runs
//! in a container cannot give what it has not got. So each thing is asked for by
//! a container of an empty image, whose program does not exist. An engine that
//! complains of the program alone has granted everything else.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::engine::{Build, ContainerSpec, Create, Engine, Error, Labels, Start, Thing};
use crate::sandbox::{DEADLINE, RUN};
use crate::scenario::runtime::{Runtime, capability};

/// The program that does not exist.
const PROGRAM: &str = "/bootproof-asks";

/// How many containers ask at once.
const AT_ONCE: usize = 4;

/// What is asked for: its name, and the options that ask.
const ASKED: [(&str, &str); 12] = [
    ("`blkio_config.weight`", r#"{ "blkio_config": { "weight": 500 } }"#),
    ("`devices`", r#"{ "devices": ["/dev/null:/dev/bootproof"] }"#),
    ("`init`", r#"{ "init": true }"#),
    ("`ipc = \"host\"`", r#"{ "ipc": "host" }"#),
    ("`mem_swappiness`", r#"{ "mem_limit": "64m", "mem_swappiness": 50 }"#),
    ("`memswap_limit`", r#"{ "mem_limit": "64m", "memswap_limit": "64m" }"#),
    ("`oom_kill_disable`", r#"{ "mem_limit": "64m", "oom_kill_disable": true }"#),
    ("`oom_score_adj` below 0", r#"{ "oom_score_adj": -500 }"#),
    ("`privileged`", r#"{ "privileged": true }"#),
    ("`security_opt = [\"seccomp=unconfined\"]`", r#"{ "security_opt": ["seccomp=unconfined"] }"#),
    ("`sysctls` of the network", r#"{ "sysctls": { "net.ipv4.ip_unprivileged_port_start": 0 } }"#),
    ("`ulimits` without a limit", r#"{ "ulimits": { "memlock": -1 } }"#),
];

/// Something that a container can be given, and whether it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// What, in the words of a scenario.
    pub what: String,
    /// Why not, in the engine's words, if it is not.
    pub refused: Option<String>,
}

/// Asks for everything that an engine may refuse. What is made for that is
/// removed again.
pub async fn ask(engine: &dyn Engine, now: Timestamp) -> Result<Vec<Grant>, Error> {
    let asker = Asker::begin(engine, now).await?;
    let asked = asker.ask_all().await;
    let removed = engine.remove(&Thing::Image(asker.image.clone())).await;
    // A failed cleanup must not hide the first cause.
    let grants = asked?;
    removed.map(|()| grants)
}

/// An engine, and an empty image on it.
struct Asker<'a> {
    engine: &'a dyn Engine,
    image: String,
    labels: Labels,
}

impl<'a> Asker<'a> {
    async fn begin(engine: &'a dyn Engine, now: Timestamp) -> Result<Self, Error> {
        let run = format!("bootproof-doctor-{:x}-{:x}", now.as_millisecond(), std::process::id());
        let image = format!("bootproof/doctor:{run}");
        let deadline = now.checked_add(SignedDuration::from_mins(2)).unwrap_or(now);
        let labels = [(RUN, run), (DEADLINE, deadline.as_second().to_string())];
        let labels: Labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let empty = tar::Builder::new(Vec::new()).into_inner().unwrap_or_default();
        engine.import(&image, &labels, stream::iter([Ok(empty.into())]).boxed()).await?;
        Ok(Self { engine, image, labels })
    }

    async fn ask_all(&self) -> Result<Vec<Grant>, Error> {
        let asked = stream::iter(ASKED).map(async |(what, options)| {
            let runtime = serde_json::from_str(options)
                .map_err(|error| Error::Failed { act: format!("ask for {what}"), cause: error.to_string() })?;
            let refused = self.refusal(what, runtime).await?;
            Ok(Grant { what: what.to_owned(), refused })
        });
        let mut grants: Vec<Grant> = asked.buffered(AT_ONCE).try_collect().await?;
        grants.extend(self.capabilities().await?);
        grants.push(self.mounts_in_builds().await?);
        Ok(grants)
    }

    /// A builder that knows them fails for the program alone, which it does not find.
    async fn mounts_in_builds(&self) -> Result<Grant, Error> {
        let text = format!("FROM {}\nRUN --mount=type=cache,target=/cache [\"{PROGRAM}\"]\n", self.image);
        let mut context = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        let failed = |error: std::io::Error| Error::Failed { act: "pack a build".to_owned(), cause: error.to_string() };
        context.append_data(&mut header, "Dockerfile", text.as_bytes()).map_err(failed)?;
        let build = Build {
            tag: self.image.clone(),
            dockerfile: "Dockerfile".to_owned(),
            target: None,
            args: BTreeMap::new(),
            platform: None,
            context: context.into_inner().map_err(failed)?.into(),
            labels: self.labels.clone(),
        };
        let refused = match self.engine.build(&build, &|_| ()).await {
            Ok(()) => None,
            Err(Error::Build { cause, .. }) => Some(cause).filter(|words| words.contains("--mount")),
            Err(error) => return Err(error),
        };
        Ok(Grant { what: "`RUN --mount` in a `build`".to_owned(), refused })
    }

    /// All at once; where that is refused, halves of them until the culprits are found.
    async fn capabilities(&self) -> Result<Vec<Grant>, Error> {
        let mut open = vec![&capability::ALL[..]];
        let mut refused: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        while let Some(asked) = open.pop() {
            let cap_add = asked.iter().map(|&name| name.to_owned()).collect();
            let runtime = Runtime { cap_add, ..Runtime::default() };
            let Some(words) = self.refusal(&format!("caps {} {}", asked[0], asked.len()), runtime).await? else {
                continue;
            };
            match asked {
                [one] => refused.entry(words.replace(one, "…")).or_default().push(one),
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    open.extend([second, first]);
                }
            }
        }
        let others = if refused.is_empty() { "" } else { " other" };
        let granted = Grant { what: format!("`cap_add` of any{others} capability"), refused: None };
        let all_refused = refused.values().map(Vec::len).sum::<usize>() == capability::ALL.len();
        let refused = refused
            .into_iter()
            .map(|(words, names)| Grant { what: format!("`cap_add` of {}", names.join(", ")), refused: Some(words) });
        Ok(Some(granted).filter(|_| !all_refused).into_iter().chain(refused).collect())
    }

    /// Asks for something, and says why it was refused if it was.
    async fn refusal(&self, what: &str, mut runtime: Runtime) -> Result<Option<String>, Error> {
        runtime.entrypoint = Some(vec![PROGRAM.to_owned()]);
        let word: String = what.chars().filter(char::is_ascii_alphanumeric).collect();
        let run = self.labels.get(RUN).map_or("", String::as_str);
        let spec = ContainerSpec {
            name: format!("{run}-{word}"),
            image: self.image.clone(),
            labels: self.labels.clone(),
            runtime,
            no_network: true,
            ..ContainerSpec::default()
        };
        let made = match self.engine.create(&spec).await {
            Ok(Create::Made(made)) => made,
            Ok(Create::Refused(words)) | Err(Error::NotGranted(words)) => return Ok(Some(words)),
            Err(error) => return Err(error),
        };
        let started = self.engine.start(&made.id).await;
        let removed = self.engine.remove(&Thing::Container(made.id)).await;
        let refused = match started {
            Ok(Start::Started) => None,
            Ok(Start::Refused(words)) => Some(words).filter(|words| !words.contains(PROGRAM)),
            Err(Error::NotGranted(words)) => Some(words),
            Err(error) => return Err(error),
        };
        removed?;
        let discarded = made.warnings.into_iter().find(|warning| warning.contains("discarded"));
        Ok(refused.or(discarded).map(|words| shortened(&words).to_owned()))
    }
}

/// The end of the engine's sentence, which begins with all who passed it on.
fn shortened(words: &str) -> &str {
    let words = words.strip_suffix(": unknown").unwrap_or(words);
    words.rsplit_once("container process: ").map_or(words, |(_, end)| end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::{Boot, Fake, Script};

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    /// Asks an engine that does this with every container; says what is refused, and why.
    async fn check(script: Script, expected: &[(&str, &str)]) {
        let fake = Fake::new();
        fake.script("bootproof/doctor", script);
        let grants = ask(&fake, now()).await.unwrap();
        let refused = grants.iter().filter_map(|grant| Some((grant.what.as_str(), grant.refused.as_deref()?)));
        assert_eq!(refused.collect::<Vec<_>>(), expected);
        assert_eq!(fake.left(), []);
        assert_eq!(fake.images(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn an_engine_that_misses_only_the_program_grants_everything() {
        let missing = "OCI runtime create failed: exec: \"/bootproof-asks\": no such file or directory: unknown";
        check(Script::boot(Boot::refused(missing)), &[]).await;
        check(Script::boot(Boot::new()), &[]).await;
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_the_engines_last_words() {
        let fake = Fake::new();
        let words = "OCI runtime create failed: unable to start container process: unable to apply caps: operation \
                     not permitted: unknown";
        fake.script("bootproof/doctor", Script::boot(Boot::refused(words)));
        let grants = ask(&fake, now()).await.unwrap();
        let privileged = grants.iter().find(|grant| grant.what == "`privileged`").unwrap();
        assert_eq!(privileged.refused.as_deref(), Some("unable to apply caps: operation not permitted"));
        let capabilities = grants.iter().find(|grant| grant.what.starts_with("`cap_add`")).unwrap();
        assert!(capabilities.what.starts_with("`cap_add` of AUDIT_CONTROL, AUDIT_READ, "), "{capabilities:?}");
        let granted: Vec<&str> =
            grants.iter().filter(|grant| grant.refused.is_none()).map(|grant| grant.what.as_str()).collect();
        assert_eq!(granted, ["`RUN --mount` in a `build`"], "which starts no container");

        fake.fail_on("build", "the --mount option requires BuildKit");
        let grants = ask(&fake, now()).await.unwrap();
        let refused = grants.last().and_then(|grant| grant.refused.as_deref());
        assert_eq!(refused, Some("the --mount option requires BuildKit"));
    }

    #[tokio::test]
    async fn an_engine_in_trouble_is_told_and_nothing_is_left() {
        let fake = Fake::new();
        fake.fail_on("start", "it is on fire");
        ask(&fake, now()).await.unwrap_err();
        assert_eq!((fake.left(), fake.images()), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_is_asked_for_can_be_read() {
        for (what, options) in ASKED {
            let read = serde_json::from_str::<Runtime>(options);
            assert!(read.is_ok(), "{what}: {read:?}");
        }
    }
}
