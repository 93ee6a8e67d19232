//! Images are had once, by whoever comes first, and what cannot be had says why.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::engine::fake::{Boot, Fake, Script};
use harness::engine::{Engine, Error as EngineError, Thing};
use harness::image::{self, Error, FIXTURE_LABEL, Images, Workspace};
use harness::sandbox;
use harness::scenario::wanted::{PullPolicy, Wanted};

/// A small checkout: one fixture, and one program that compiles.
struct Checkout(tempfile::TempDir);

impl Checkout {
    fn new(dockerfile: &str) -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        checkout.write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"demo\"]\nresolver = \"3\"\n\n[profile.image]\ninherits = \"release\"\n",
        );
        checkout.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"demo\"\nversion = \"0.1.0\"\n");
        checkout.write("demo/Cargo.toml", "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        checkout.write("demo/src/main.rs", "fn main() {}\n");
        checkout.write("fixtures/images/hub/Dockerfile", dockerfile);
        checkout.write("fixtures/images/hub/app.sh", "echo up\n");
        checkout
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// As another process would see the engine.
    fn images(&self, fake: &Fake) -> Images {
        Images::new(Arc::new(fake.clone()), Workspace::find(self.0.path()))
    }
}

async fn ensure(images: &Images, image: &str) -> Result<String, Error> {
    images.ensure(&image.parse().unwrap(), &|_| ()).await
}

fn calls_of(fake: &Fake, method: &str) -> Vec<String> {
    let calls = fake.calls();
    calls.iter().filter_map(|call| call.strip_prefix(method)?.strip_prefix(' ')).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_reference_is_used_as_it_is_or_else_pulled() {
    let fake = Fake::new();
    fake.publish("postgres:17");
    let images = Images::new(Arc::new(fake.clone()), None);
    for _ in 0..2 {
        assert_eq!(ensure(&images, "postgres:17").await.unwrap(), "postgres:17");
    }
    assert_eq!(calls_of(&fake, "pull"), ["postgres:17"]);
    let error = ensure(&images, "mysql:9").await.unwrap_err().to_string();
    let expected = "the image `mysql:9` could not be pulled: no registry answers; \
                    check its name, or load it into the engine first (`docker load`, `docker pull`)";
    assert_eq!(error, expected);
}

/// An image as a scenario's `[subject]` asks for it.
fn wanted(image: &str, pull_policy: PullPolicy, platform: Option<&str>) -> Wanted {
    Wanted { image: image.parse().unwrap(), pull_policy, platform: platform.map(str::to_owned) }
}

#[tokio::test]
async fn what_is_always_pulled_is_so_once_in_a_process() {
    let fake = Fake::new();
    fake.publish("app:1");
    let always = wanted("app:1", PullPolicy::Always, None);
    for process in 1..3 {
        let images = Images::new(Arc::new(fake.clone()), None);
        for _ in 0..2 {
            assert_eq!(images.obtain(&always, &|_| ()).await.unwrap(), "app:1");
        }
        assert_eq!(calls_of(&fake, "pull").len(), process);
    }
}

#[tokio::test]
async fn what_is_never_pulled_has_to_be_there() {
    let fake = Fake::new();
    fake.publish("app:1");
    let never = wanted("app:1", PullPolicy::Never, None);
    let images = Images::new(Arc::new(fake.clone()), None);
    let error = images.obtain(&never, &|_| ()).await.unwrap_err().to_string();
    let expected = "the image `app:1` is not in the engine, and `pull_policy = \"never\"` forbids to get it; load it \
                    first, or choose another policy";
    assert_eq!(error, expected);
    fake.pull("app:1", None, &|_| ()).await.unwrap();
    assert_eq!(images.obtain(&never, &|_| ()).await.unwrap(), "app:1");
}

#[tokio::test]
async fn an_image_of_another_platform_is_another_image() {
    let fake = Fake::new();
    fake.publish("app:1");
    let emulated = Boot::new().exits(Duration::from_millis(1), 0);
    fake.script("bootproof/processor", Script::boot(emulated));
    let images = Images::new(Arc::new(fake.clone()), None);
    let of = async |platform: Option<&str>| {
        images.obtain(&wanted("app:1", PullPolicy::Missing, platform), &|_| ()).await.unwrap()
    };
    assert_eq!(of(None).await, "app:1");
    assert_eq!(of(Some("linux/amd64")).await, fake.image("app:1").await.unwrap().unwrap().id);
    assert_eq!(calls_of(&fake, "pull"), ["app:1"]);
    let arm = of(Some("linux/arm64/v8")).await;
    assert_eq!(arm, fake.image("app:1").await.unwrap().unwrap().id);
    assert_eq!(calls_of(&fake, "pull"), ["app:1", "app:1"]);
    // The name is that of the other now; who runs this one does so by its identity.
    assert_eq!(of(Some("linux/arm64/v8")).await, arm);
}

#[tokio::test]
async fn a_subject_is_not_blamed_for_a_processor_that_the_engine_lacks() {
    let fake = Fake::new();
    fake.publish("app:1");
    fake.script("bootproof/processor", Script::boot(Boot::refused("exec format error")));
    let images = Images::new(Arc::new(fake.clone()), None);
    let arm = wanted("app:1", PullPolicy::Missing, Some("linux/arm64"));
    let expected = "the engine cannot run programs for linux/arm64: it has a processor of the kind amd64 and no \
                    emulator; install one on its machine (qemu-user with binfmt), or leave `platform` out";
    for _ in 0..2 {
        assert_eq!(images.obtain(&arm, &|_| ()).await.unwrap_err().to_string(), expected);
    }
    assert_eq!(calls_of(&fake, "import").len(), 1, "it was asked twice");
}

/// The real engine runs the smallest program of its own kind, so the others fail for what they are.
#[tokio::test]
async fn the_engine_is_asked_with_a_program_of_each_processor() {
    let Some(bench) = super::engine::bench::Bench::real().await else { return };
    let about = bench.engine.about().await.unwrap();
    let own = about.platform.rsplit('/').next().unwrap().to_owned();
    assert!(image::runs(bench.engine.as_ref(), &own).await.unwrap(), "it does not run {own}");
    let left = bench.engine.images_labelled(sandbox::RUN).await.unwrap();
    assert!(!left.iter().any(|it| it.thing.to_string().contains(&format!("bootproof-{own}-"))), "{left:?}");
}

#[tokio::test]
async fn a_fixture_is_built_once_until_it_changes() {
    let fake = Fake::new();
    let checkout = Checkout::new("FROM scratch AS old\nCMD [\"/a\"]\nFROM scratch\n");
    let first = ensure(&checkout.images(&fake), "fixture:hub").await.unwrap();
    assert!(first.starts_with("bootproof/hub:"), "{first}");
    let image = fake.image(&first).await.unwrap().unwrap();
    assert_eq!(image.labels.get(FIXTURE_LABEL).map(String::as_str), Some("hub"));
    assert_eq!(ensure(&checkout.images(&fake), "fixture:hub").await.unwrap(), first);

    let old = ensure(&checkout.images(&fake), "fixture:hub/old").await.unwrap();
    assert!(old.starts_with("bootproof/hub-old:"), "{old}");
    checkout.write("fixtures/images/hub/app.sh", "echo down\n");
    let second = ensure(&checkout.images(&fake), "fixture:hub").await.unwrap();
    assert_ne!(second, first);
    assert_eq!(calls_of(&fake, "build"), [first, old, second]);
}

#[tokio::test]
async fn two_who_want_a_fixture_at_once_build_it_once() {
    let fake = Fake::new();
    let checkout = Checkout::new("FROM scratch\n");
    let (one, two) = (checkout.images(&fake), checkout.images(&fake));
    let (one, two) = tokio::join!(ensure(&one, "fixture:hub"), ensure(&two, "fixture:hub"));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(calls_of(&fake, "build").len(), 1);
}

#[tokio::test]
async fn another_base_makes_another_image() {
    let fake = Fake::new();
    fake.publish("debian:trixie");
    let checkout = Checkout::new("FROM debian:trixie\n");
    let first = ensure(&checkout.images(&fake), "fixture:hub").await.unwrap();
    assert_eq!(calls_of(&fake, "pull"), ["debian:trixie"]);
    // The base gets security updates under the same name.
    fake.pull("debian:trixie", None, &|_| ()).await.unwrap();
    assert_ne!(ensure(&checkout.images(&fake), "fixture:hub").await.unwrap(), first);
}

#[tokio::test]
async fn a_program_goes_into_the_image_and_into_its_tag() {
    let fake = Fake::new();
    let checkout = Checkout::new("FROM scratch AS bare\nCMD [\"/a\"]\nFROM scratch\nCOPY bootproof/demo /demo\n");
    let first = ensure(&checkout.images(&fake), "fixture:hub").await.unwrap();
    let bare = ensure(&checkout.images(&fake), "fixture:hub/bare").await.unwrap();
    checkout.write("demo/src/main.rs", "fn main() { println!(\"changed\"); }\n");
    assert_ne!(ensure(&checkout.images(&fake), "fixture:hub").await.unwrap(), first);
    assert_eq!(ensure(&checkout.images(&fake), "fixture:hub/bare").await.unwrap(), bare, "it has no program");

    checkout.write("demo/src/main.rs", "fn main() { nonsense }\n");
    let error = ensure(&checkout.images(&fake), "fixture:hub").await.unwrap_err();
    let expected = "the program `demo` for the image does not compile for x86_64-unknown-linux-musl";
    assert_eq!(error.to_string(), expected);
    assert!(error.log().contains("cannot find value `nonsense`"), "{}", error.log());
}

#[tokio::test]
async fn a_build_that_fails_shows_its_log() {
    let fake = Fake::new();
    fake.fail_on("build", "npm ci returned a non-zero code: 1");
    let checkout = Checkout::new("FROM scratch\n");
    let told = Mutex::new(Vec::new());
    let progress = |line: &str| told.lock().unwrap().push(line.to_owned());
    let error = checkout.images(&fake).ensure(&"fixture:hub".parse().unwrap(), &progress).await.unwrap_err();
    let Error::Engine(EngineError::Build { log, .. }) = &error else { panic!("{error}") };
    assert_eq!(log, "npm ci returned a non-zero code: 1\n");
    assert!(error.to_string().ends_with("does not build: npm ci returned a non-zero code: 1"), "{error}");
    assert_eq!(told.lock().unwrap()[1..], ["npm ci returned a non-zero code: 1"]);
}

#[tokio::test]
async fn what_cannot_be_had_says_why() {
    let fake = Fake::new();
    let checkout = Checkout::new("FROM debian:nosuchsuite\n");
    for (image, expected) in [
        ("fixture:hubb", "there is no fixture `hubb` in fixtures/images; did you mean `hub`?"),
        ("fixture:hub/shell", "the fixture `hub` has no stage `shell`; it has none at all"),
        (
            "fixture:hub",
            "the base image `debian:nosuchsuite` is not in the engine, no registry gives it, and it could not be made \
             here: mmdebstrap ",
        ),
    ] {
        let error = ensure(&checkout.images(&fake), image).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    assert!(calls_of(&fake, "build").is_empty());
    let error = ensure(&Images::new(Arc::new(fake), None), "fixture:hub").await.unwrap_err().to_string();
    assert!(error.starts_with("the image `fixture:hub` is built from a checkout of Bootproof"), "{error}");
}

#[test]
fn every_fixture_of_this_checkout_is_listed() {
    let workspace = Workspace::find(Path::new(".")).expect("the tests run in a checkout");
    let images = Images::new(Arc::new(Fake::new()), Some(workspace));
    let listed: Vec<String> = images.fixtures().unwrap().iter().map(ToString::to_string).collect();
    for fixture in ["fixture:misbehave", "fixture:misbehave/bare", "fixture:tome", "fixture:tome/shell"] {
        assert!(listed.iter().any(|image| image == fixture), "{fixture} of {listed:?}");
    }
}

/// The whole way once, on the real engine: cargo, the builder, a container.
#[tokio::test]
async fn a_fixture_boots_on_the_real_engine() {
    let Some(bench) = super::engine::bench::Bench::real().await else { return };
    let workspace = Workspace::find(Path::new(".")).expect("the tests run in a checkout");
    let images = Images::new(Arc::clone(&bench.engine), Some(workspace));
    let reference =
        images.ensure(&"fixture:misbehave/bare".parse().unwrap(), &|line| eprintln!("{line}")).await.unwrap();
    let labelled = bench.engine.images_labelled(&format!("{FIXTURE_LABEL}=misbehave")).await.unwrap();
    assert!(labelled.iter().any(|owned| owned.thing == Thing::Image(reference.clone())), "{labelled:?}");
    bench.hold(|bench| super::engine::exits_with_3(bench, reference)).await;
}
