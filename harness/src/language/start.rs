//! The start of a new file: what most scenarios say, and in comments what they may.

use crate::scenario::VERSION;
use crate::scenario::image::ImageRef;

/// What is known of a scenario that somebody begins to write.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The image of its subject.
    pub image: Option<ImageRef>,
    /// What it claims.
    pub claim: Option<String>,
    /// Where the bug was met.
    pub origin: Option<String>,
    /// Where its schema is, as seen from the file.
    pub schema: Option<String>,
}

impl Start {
    /// The file, which is a scenario as it is. A comment that begins without a
    /// blank is a line to take, alone or with the lines around it.
    #[must_use]
    pub fn text(&self) -> String {
        let schema = match &self.schema {
            Some(path) => format!("#:schema {path}\n"),
            None => "# Editors complete: `harness schema > scenario.schema.json`, then begin this file with\n\
                     # `#:schema scenario.schema.json`.\n"
                .to_owned(),
        };
        let claim = quoted(self.claim.as_deref().unwrap_or("It boots, and stops when it is asked to"));
        let origin = match &self.origin {
            Some(origin) => format!("origin  = {}", quoted(origin)),
            None => "#origin = \"where the bug was met: an issue, a report\"".to_owned(),
        };
        let image = self.image.as_ref().map_or_else(|| "nginx:1".to_owned(), ToString::to_string);
        let image = quoted(&image);
        format!(
            r#"{schema}# One claim about one container. `harness explain FILE` says what this does, `harness run FILE` does it.
# A line that begins with # and no blank is there to be taken. docs/reference.md has every key.
version = {VERSION}
claim   = {claim}
{origin}
#timeout = "2m"                      # how long it may take to come to a decision

# The container under test, under the conditions in which it was met.
[subject]
image = {image}
ready = {{ http = "/", port = 80 }}    # or {{ log = "listening" }}, {{ tcp = 5432 }}, {{ health = true }}
#environment = {{ LOG_DEST = "/data/app.log" }}
#user = "1000:1000"
#cpus = 0.25                         # the NAS with a quarter of a core
#mem_limit = "256m"
#read_only = true
#restart = "on-failure:3"

# State that is mounted into it.
#[volumes.data]
#target = "/data"
#owner = "1000:1000"
#mode = "0750"
#files = {{ "config/app.toml" = "port = 80" }}
#size = "8m"                         # of which it may use no more

# What it depends on, reached by its name: here `db`.
#[services.db]
#postgres = {{}}
#link = {{ latency = "200ms" }}        # or {{ script = [{{ for = "2s", refuse = true }}, {{}}] }}

# What is done to it while it runs.
#[[fault]]
#when = "ready"
#delete = "/data"

# What becomes of it, one after another.
#[[step]]
#do = "restart"                      # or crash, kill, stop, start, recreate, upgrade, soak
#when = "ready"
#expect.ready_within = "10s"

# What must be true.
[expect]
ready_within = "30s"
stop = "10s"
#logs = {{ contains = ["ready"], absent = ["panicked", "(?i)permission denied"] }}
#files = {{ "/data/app.log" = {{ present = true }} }}
#exit_code = 1

# The same against a broken subject: it must fail by this expectation, decided by an event that matches. Without it
# nothing shows that this scenario can fail.
#[control]
#image = {image}
#fails = "ready_within"
#because = "exit 1"
"#
        )
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
