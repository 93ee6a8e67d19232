//! How a subject's image is had: built from a folder, or pulled from a registry.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{PushImageOptions, TagImageOptions};
use futures_util::TryStreamExt;
use harness::engine::{Build, Labels, Thing};
use harness::image::{self, FIXTURE_LABEL, Images, Workspace};

use crate::desk::Desk;
use crate::engine::bench::Bench;

/// A small image whose program exits with the code that it is built with.
async fn exits(bench: &Bench) -> String {
    let images = Images::new(Arc::clone(&bench.engine), Workspace::find(Path::new(".")));
    images.ensure(&"fixture:misbehave/bare".parse().unwrap(), &|line| eprintln!("{line}")).await.unwrap()
}

/// Holds a claim, then removes the images that were built at the desk, whether it held or not.
async fn hold<F: Future<Output = ()> + Send + 'static>(claim: impl FnOnce(Bench, Arc<Desk>) -> F) {
    let Some(bench) = Bench::real().await else { return };
    let desk = Arc::new(Desk::new());
    let held = tokio::spawn(claim(bench.clone(), desk.clone())).await;
    for owned in bench.engine.images_labelled(FIXTURE_LABEL).await.unwrap() {
        if owned.labels[FIXTURE_LABEL].starts_with(&desk.folder().display().to_string()) {
            bench.engine.remove(&owned.thing).await.unwrap();
        }
    }
    if let Err(error) = held {
        std::panic::resume_unwind(error.into_panic());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_built_as_its_dockerfile_says() {
    hold(builds).await;
}

async fn builds(bench: Bench, desk: Arc<Desk>) {
    let base = exits(&bench).await;
    let misbehave = "ENV MISBEHAVE=exit\nCOPY . /app/\n";
    let dockerfile = format!(
        "ARG BASE={base}\nFROM ${{BASE}} AS three\n{misbehave}ENV CODE=3\nFROM three\nARG GIVEN=4\nENV CODE=$GIVEN\n"
    );
    desk.write("app/Dockerfile", &dockerfile);
    desk.write("app/secret", "");
    desk.write("app/.dockerignore", "secret\n");
    desk.write("app/other/Dockerfile", &format!("FROM {base}\n{misbehave}ENV CODE=5\n"));
    desk.write("outside.Dockerfile", &format!("FROM {base}\n{misbehave}ENV CODE=6\n"));
    desk.write("bad/Dockerfile", &format!("FROM {base}\nCOPY no-such-file /\n"));
    let subjects = [
        ("image = \"build:app\"", 4),
        ("build = \"./app\"", 4),
        ("build = { context = \"app\", target = \"three\" }", 3),
        ("build = { context = \"app\", args = { GIVEN = 7 } }", 7),
        ("build = { context = \"app\", args = [\"GIVEN=8\"] }", 8),
        ("build = { context = \"app\", dockerfile = \"other/Dockerfile\" }", 5),
        ("build = { context = \"app\", dockerfile = \"../outside.Dockerfile\" }", 6),
        ("build = \"app\"\npull_policy = \"build\"", 4),
        ("build = \"app\"\npull_policy = \"never\"", 4),
    ];
    for (subject, code) in subjects {
        desk.check(subject, code, 0, &[]);
    }
    // What was not asked for is not taken in, and what was is seen as another image.
    desk.check("build = \"app\"\nentrypoint = \"/app/secret\"", 0, 1, &["/app/secret: no such file or directory"]);
    desk.write("app/new", "");
    desk.check("build = \"app\"\npull_policy = \"never\"", 4, 3, &["`pull_policy = \"never\"` forbids to get it"]);

    // A build that fails proves nothing, and shows what the builder said.
    desk.check("build = \"bad\"", 0, 3, &["does not build", "COPY no-such-file /"]);
    desk.check("build = { context = \"app\", target = \"four\" }", 0, 3, &["does not build", "four"]);
    desk.check("build = \"app\"\nplatform = \"linux/nonsense\"", 4, 3, &["could not be pulled"]);
    if !image::runs(bench.engine.as_ref(), "s390x").await.unwrap() {
        let subject = "build = \"app\"\nplatform = \"linux/s390x\"";
        desk.check(subject, 4, 3, &["the engine cannot run programs for linux/s390x"]);
    }
    desk.check("build = \"nowhere\"", 0, 3, &["there is no folder", "nowhere to build an image from"]);
}

/// Debian's package docker-registry, on a port of its own.
struct Registry {
    process: Child,
    port: u16,
}

/// The user that it knows, with a hash as htpasswd makes it.
const USER: (&str, &str) = ("tester", "sesame");
const HTPASSWD: &str = "tester:$2y$04$t8e0FXBhiXBOtqqf2UniXuXHOEEw4bvZolSZDSjii7pCPKriwvifu\n";

impl Registry {
    /// `None`, with the reason told, where it is not installed.
    async fn start(desk: &Desk) -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let users = desk.write("registry/htpasswd", HTPASSWD);
        let storage = desk.path("registry/storage");
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n\
             auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
            storage.display(),
            users.display()
        );
        let config = desk.write("registry/config.yml", &config);
        let spawned = Command::new("docker-registry")
            .args(["serve", &config.display().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match spawned {
            Ok(process) => process,
            Err(error) => {
                eprintln!("left out: docker-registry does not run ({error}); install Debian's package of that name");
                return None;
            }
        };
        let registry = Self { process, port };
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(registry)
    }

    fn name(&self, tag: &str) -> String {
        format!("127.0.0.1:{}/team/demo:{tag}", self.port)
    }

    /// Gives a local image a name in the registry, and pushes it.
    async fn push(&self, image: &str, tag: &str) {
        let docker = bollard::Docker::connect_with_defaults().unwrap();
        let (repository, tag) = (format!("127.0.0.1:{}/team/demo", self.port), tag.to_owned());
        let named = TagImageOptions { repo: Some(repository.clone()), tag: Some(tag.clone()) };
        docker.tag_image(image, Some(named)).await.unwrap();
        let credentials = DockerCredentials {
            username: Some(USER.0.to_owned()),
            password: Some(USER.1.to_owned()),
            ..DockerCredentials::default()
        };
        let options = PushImageOptions { tag: Some(tag), ..PushImageOptions::default() };
        let steps = docker.push_image(&repository, Some(options), Some(credentials));
        steps.try_collect::<Vec<_>>().await.unwrap();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An image that exits with this code, under a name that only this test has.
async fn built(bench: &Bench, desk: &Desk, base: &str, code: i32) -> String {
    let mut context = tar::Builder::new(Vec::new());
    let text = format!("FROM {base}\nENV MISBEHAVE=exit CODE={code}\n");
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    context.append_data(&mut header, "Dockerfile", text.as_bytes()).unwrap();
    let build = Build {
        tag: format!("{}:{code}", bench.name("built")),
        dockerfile: "Dockerfile".to_owned(),
        target: None,
        args: [].into(),
        platform: None,
        context: context.into_inner().unwrap().into(),
        labels: Labels::from([(FIXTURE_LABEL.to_owned(), desk.folder().display().to_string())]),
    };
    bench.engine.build(&build, &|_| ()).await.unwrap();
    build.tag
}

/// Docker's configuration with these words, and helpers that know the user.
fn configuration(desk: &Desk, words: &str) -> PathBuf {
    desk.write("docker/config.json", words);
    let helper = |name: &str, script: &str| {
        let path = desk.write(&format!("helpers/docker-credential-{name}"), script);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let (user, password) = USER;
    helper(
        "knows",
        &format!("#!/bin/sh\nread server\necho '{{\"Username\": \"{user}\", \"Secret\": \"{password}\"}}'\n"),
    );
    helper("locked", "#!/bin/sh\nread server\necho 'the keychain is locked' >&2\nexit 1\n");
    helper("empty", "#!/bin/sh\nread server\necho 'credentials not found in native keychain'\nexit 1\n");
    desk.path("docker")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_pulled_as_whoever_the_user_is_to_the_registry() {
    hold(credentials).await;
}

async fn credentials(bench: Bench, desk: Arc<Desk>) {
    let Some(registry) = Registry::start(&desk).await else { return };
    let image = built(&bench, &desk, &exits(&bench).await, 3).await;
    let name = registry.name("1");
    registry.push(&image, "1").await;
    let forget = async || bench.engine.remove(&Thing::Image(name.clone())).await.unwrap();
    let subject = format!("image = \"{name}\"");
    let path = std::env::var("PATH").unwrap();
    let helpers = desk.path("helpers").display().to_string();
    let check = async |words: &str, expected: i32, said: &[&str]| {
        forget().await;
        let folder = configuration(&desk, words);
        desk.check_as(&subject, 3, expected, said, |command| {
            command.env("DOCKER_CONFIG", folder).env("PATH", format!("{helpers}:{path}"));
        });
    };
    let host = format!("127.0.0.1:{}", registry.port);
    let refused = "could not be pulled";
    check("{}", 3, &[refused, "no basic auth credentials"]).await;
    // As `docker login` writes it: user and password, encoded.
    check(&format!(r#"{{ "auths": {{ "{host}": {{ "auth": "dGVzdGVyOnNlc2FtZQ==" }} }} }}"#), 0, &[]).await;
    check(
        &format!(r#"{{ "auths": {{ "{host}": {{ "auth": "dGVzdGVyOndyb25n" }} }} }}"#),
        3,
        &[refused, "unauthorized"],
    )
    .await;
    check(&format!(r#"{{ "credHelpers": {{ "{host}": "knows" }} }}"#), 0, &[]).await;
    check(r#"{ "credsStore": "knows" }"#, 0, &[]).await;
    check(r#"{ "credsStore": "empty" }"#, 3, &[refused, "no basic auth credentials"]).await;
    let why = "it was asked without credentials: docker-credential-locked failed: the keychain is locked";
    check(r#"{ "credsStore": "locked" }"#, 3, &[refused, why]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_says_when_an_image_is_pulled_and_a_platform_which() {
    hold(policies).await;
}

async fn policies(bench: Bench, desk: Arc<Desk>) {
    let Some(registry) = Registry::start(&desk).await else { return };
    let base = exits(&bench).await;
    let (old, new) = (built(&bench, &desk, &base, 3).await, built(&bench, &desk, &base, 4).await);
    let name = registry.name("latest");
    let user = format!(r#"{{ "auths": {{ "127.0.0.1:{}": {{ "auth": "dGVzdGVyOnNlc2FtZQ==" }} }} }}"#, registry.port);
    let folder = configuration(&desk, &user);
    let check = |more: &str, code: i32, expected: i32, words: &[&str]| {
        let subject = format!("image = \"{name}\"\n{more}");
        desk.check_as(&subject, code, expected, words, |command| {
            command.env("DOCKER_CONFIG", &folder);
        });
    };
    // The registry has a newer one under the name that the engine knows.
    registry.push(&new, "latest").await;
    bollard::Docker::connect_with_defaults()
        .unwrap()
        .tag_image(
            &old,
            Some(TagImageOptions {
                repo: Some(name.trim_end_matches(":latest").to_owned()),
                tag: Some("latest".to_owned()),
            }),
        )
        .await
        .unwrap();
    check("", 3, 0, &[]);
    check("pull_policy = \"never\"", 3, 0, &[]);
    check("pull_policy = \"if_not_present\"", 3, 0, &[]);
    check("pull_policy = \"always\"", 4, 0, &[]);

    let ours = bench.engine.about().await.unwrap().platform;
    check(&format!("platform = \"{ours}\""), 4, 0, &[]);
    check(
        "platform = \"linux/s390x\"",
        4,
        3,
        &[&format!("is there for {ours}, and its registry has none for linux/s390x")],
    );
    check("platform = \"linux/s390x\"\npull_policy = \"never\"", 4, 3, &[&format!("not in the engine but for {ours}")]);
    check("platform = \"non sense\"", 4, 3, &["could not be pulled", "non sense"]);

    bench.engine.remove(&Thing::Image(name.clone())).await.unwrap();
    check("pull_policy = \"never\"", 4, 3, &["is not in the engine, and `pull_policy = \"never\"` forbids to get it"]);
    check("pull_policy = \"missing\"", 4, 0, &[]);
    drop(registry);
    check("pull_policy = \"missing\"", 4, 0, &[]);
    check("pull_policy = \"always\"", 4, 3, &["could not be pulled", "connection refused"]);
}
