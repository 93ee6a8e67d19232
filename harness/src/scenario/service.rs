//! What the subject depends on.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::Surroundings;
use super::image::ImageRef;
use super::link::Link;
use super::problem::{Problem, Problems};
use super::read::{Section, described, unless_bad};
use super::ready::Ready;
use super::runtime::Runtime;
use super::trigger::Trigger;
use super::value::{Duration, Plain};
use super::wanted::{self, Wanted};

/// The port that Postgres listens on.
const POSTGRES_PORT: u16 = 5432;

/// The fixture that is a Postgres, where there is a checkout of Bootproof.
const POSTGRES_FIXTURE: &str = "postgres";

/// What is fetched elsewhere, unless a version is named.
const POSTGRES_VERSION: &str = "17";

/// A dependency of the subject.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Service {
    /// The image it is made of, and how the engine gets it.
    #[serde(flatten)]
    pub wanted: Wanted,
    /// How it is run.
    pub runtime: Runtime,
    /// What "ready" means for it.
    pub ready: Option<Ready>,
    /// When it is started; without it before the subject.
    pub when: Option<Trigger>,
    /// Whether the subject is started only once it is ready.
    pub wait: bool,
    /// How long it may take to be ready.
    pub timeout: Duration,
    /// The way to it, where that is not simply the network.
    pub link: Option<Link>,
    /// Files put into it before it starts: absolute path and text.
    pub files: BTreeMap<String, String>,
    /// How a Postgres is set up.
    pub postgres: Option<Postgres>,
}

/// How a Postgres is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// Its major version. Unsaid: the one that is at hand.
    /// Example: `postgres = { version = 17 }`.
    pub version: Option<Plain>,
    /// The superuser.
    /// Example: `postgres = { user = "app" }`.
    pub user: String,
    /// The superuser's password.
    /// Example: `postgres = { password = "secret" }`.
    pub password: String,
    /// The database that is made.
    /// Example: `postgres = { database = "app" }`.
    pub database: String,
    /// Settings of `postgresql.conf`, such as `max_connections`.
    /// Example: `postgres = { config = { max_connections = 10 } }`.
    pub config: BTreeMap<String, Plain>,
    /// SQL that is run once, when the database is made.
    /// Example: `postgres = { init = "CREATE TABLE users (id int)" }`.
    pub init: Option<String>,
    /// Roles that are made, by name, with their attributes: `"LOGIN PASSWORD 'secret'"`.
    /// Example: `postgres = { roles = { reader = "LOGIN PASSWORD 'secret'" } }`.
    pub roles: BTreeMap<String, String>,
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            version: None,
            user: "app".to_owned(),
            password: "app-password".to_owned(),
            database: "app".to_owned(),
            config: BTreeMap::new(),
            init: None,
            roles: BTreeMap::new(),
        }
    }
}

/// As it is written.
#[derive(JsonSchema)]
#[schemars(rename = "service", deny_unknown_fields)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys one by one")]
pub struct AsWritten {
    #[schemars(flatten)]
    wanted: wanted::AsWritten,
    /// Makes it a Postgres, and says how it is set up; `{}` is one with a database and a superuser
    /// that are both called `app`. It brings its own image.
    /// Example: `postgres = { config = { max_connections = 10 } }`.
    postgres: Option<Postgres>,
    /// What "ready" means for it. A `postgres` is ready when it answers a query.
    /// Example: `image = "redis:7"`, `ready = { tcp = 6379 }`.
    ready: Option<Ready>,
    /// When it is started. Unsaid: before the subject.
    /// Example: `postgres = {}`, `when = { after = "5s" }`.
    when: Option<Trigger>,
    /// Whether the subject is started only once it is ready.
    /// Example: `postgres = {}`, `wait = false`.
    #[schemars(default = "yes")]
    wait: bool,
    /// How long it may take to be ready; longer makes the run `invalid`.
    /// Example: `postgres = {}`, `timeout = "2m"`.
    #[schemars(default = "Service::default_timeout")]
    timeout: Duration,
    /// The way to it, which the harness can make slow, or break.
    /// Example: `postgres = {}`, `link = { latency = "200ms" }`.
    link: Option<Link>,
    /// Files put into it before it starts: absolute path and text.
    /// Example: `image = "redis:7"`, `files = { "/etc/redis.conf" = "maxclients 2" }`.
    #[schemars(default)]
    files: BTreeMap<String, String>,
    #[schemars(flatten)]
    runtime: Runtime,
}

/// Reads every `[services.NAME]`.
pub fn read_all(section: Section<'_>, around: &Surroundings, problems: &mut Problems) -> BTreeMap<String, Service> {
    let mut services = BTreeMap::new();
    for written in section.into_written() {
        let name = written.key;
        let place = format!("[services.{name}]");
        let table = match written.value.into_inner() {
            DeValue::Table(table) => table,
            other => {
                let title = format!("a service is a table: write {place}, not {}", described(&other));
                problems.add(Problem::new(Some(written.span), title));
                continue;
            }
        };
        if let Some(service) = Service::read(Section::new(&place, written.span, table), around, problems) {
            services.insert(name, service);
        }
    }
    services
}

fn yes() -> bool {
    true
}

impl Service {
    fn default_timeout() -> Duration {
        Duration(std::time::Duration::from_secs(60))
    }

    fn read(mut section: Section<'_>, around: &Surroundings, problems: &mut Problems) -> Option<Self> {
        let place = section.name().to_owned();
        let span = section.span();
        let says_image = section.has("image") || section.has("build");
        let postgres = section.take("postgres").map(|written| written.read::<Postgres>(&place, problems));
        let ready = section.take("ready").map(|written| Ready::read(written, problems));
        let when = section.take("when").map(|written| Trigger::read(written, &place, problems));
        let wait = section.take("wait").map(|written| written.read::<bool>(&place, problems));
        let timeout = section.take("timeout").map(|written| written.read::<Duration>(&place, problems));
        let link = section.take("link");
        let files = section.take("files").map(|written| written.read(&place, problems));
        if !says_image && postgres.is_none() {
            problems.add(
                Problem::new(Some(span), format!("{place} has neither an `image` nor a `postgres`"))
                    .help("write `postgres = {}`, or name any image and say when it is `ready`"),
            );
        }
        let known_port = postgres.is_some().then_some(POSTGRES_PORT);
        let link = link.map(|written| Link::read(written, known_port, &place, problems));
        let wanted = says_image.then(|| Wanted::read(&mut section, around, problems));
        let runtime = section.read::<Runtime>(problems);

        let postgres = unless_bad(postgres)?;
        let wanted = match (unless_bad(wanted)?, &postgres) {
            (Some(wanted), _) => wanted,
            (None, Some(postgres)) => Wanted::from(postgres.image(around)),
            (None, None) => return None,
        };
        let mut service = Self {
            wanted,
            runtime: runtime?,
            ready: unless_bad(ready)?,
            when: unless_bad(when)?,
            wait: unless_bad(wait)?.unwrap_or_else(yes),
            timeout: unless_bad(timeout)?.unwrap_or_else(Self::default_timeout),
            link: unless_bad(link)?,
            files: unless_bad(files)?.unwrap_or_default(),
            postgres,
        };
        service.set_postgres_up();
        Some(service)
    }

    /// Says in the image's own words what `postgres` asks for.
    fn set_postgres_up(&mut self) {
        let Some(postgres) = &self.postgres else { return };
        let environment = &mut self.runtime.environment;
        for (name, value) in [
            ("POSTGRES_USER", &postgres.user),
            ("POSTGRES_PASSWORD", &postgres.password),
            ("POSTGRES_DB", &postgres.database),
        ] {
            environment.entry(name.to_owned()).or_insert_with(|| Plain(value.clone()));
        }
        if !postgres.config.is_empty() && self.runtime.command.is_none() {
            let settings =
                postgres.config.iter().flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]);
            self.runtime.command = Some(std::iter::once("postgres".to_owned()).chain(settings).collect());
        }
        let roles = postgres.roles.iter().map(|(name, attributes)| format!("CREATE ROLE \"{name}\" {attributes};\n"));
        let script: String = roles.chain(postgres.init.clone()).collect();
        if !script.is_empty() {
            self.files.insert("/docker-entrypoint-initdb.d/bootproof.sql".to_owned(), script);
        }
        if self.ready.is_none() {
            self.ready = Some(Ready::Database { url: postgres.url("localhost") });
        }
    }
}

impl Postgres {
    /// How it is reached at this host, as its superuser.
    #[must_use]
    pub fn url(&self, host: &str) -> String {
        format!("postgres://{}:{}@{host}:{POSTGRES_PORT}/{}", self.user, self.password, self.database)
    }

    fn image(&self, around: &Surroundings) -> ImageRef {
        let fixture = ImageRef::Fixture { name: POSTGRES_FIXTURE.to_owned(), stage: None };
        match (&self.version, &around.fixtures) {
            (None, Some(fixtures)) if fixtures.contains(&fixture) => fixture,
            (version, _) => {
                let version = version.as_ref().map_or(POSTGRES_VERSION, |version| version.0.as_str());
                ImageRef::Reference(format!("postgres:{version}"))
            }
        }
    }
}

/// Whether a key of the file names something that is there.
pub fn check_name(
    name: &str,
    services: &BTreeMap<String, Service>,
    span: std::ops::Range<usize>,
    problems: &mut Problems,
) {
    if !services.contains_key(name) {
        let known: Vec<&str> = services.keys().map(String::as_str).collect();
        let problem = super::read::unknown_word("service", name, "this file", &known, span);
        problems.add(if known.is_empty() { problem.help("describe it in [services.NAME]") } else { problem });
    }
}
