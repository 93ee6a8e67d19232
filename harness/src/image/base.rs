//! The images that fixtures are built on.

use std::process::Stdio;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdout, Command};

use super::error::Error;
use super::output;
use crate::engine::{self, Engine, Flow, Image, Labels, Progress, Thing};
use crate::scenario::wanted::PullPolicy;

/// The label of a base image that was made here rather than pulled.
pub const LABEL: &str = "io.bootproof.base";

/// How much of a base image is held in memory at a time.
const CHUNK: usize = 256 * 1024;

/// Keeps a Debian small, as the published images are: no manuals, no
/// translations, no package files left behind.
const SMALL: [&str; 7] = [
    "--aptopt=Acquire::Languages \"none\"",
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--customize-hook=echo 'DPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true\"; };' \
     > \"$1/etc/apt/apt.conf.d/99clean\"",
];

/// Sees to it that the engine has a base image, and gives its identity.
pub async fn ensure(engine: &dyn Engine, base: &str, progress: Progress<'_>) -> Result<String, Error> {
    ensure_as(engine, base, PullPolicy::Missing, None, progress).await.map(|image| image.id)
}

/// Sees to it that the engine has an image, of this platform if one is said.
pub async fn ensure_as(
    engine: &dyn Engine,
    name: &str,
    policy: PullPolicy,
    platform: Option<&str>,
    progress: Progress<'_>,
) -> Result<Image, Error> {
    let present = engine.image(name).await?;
    let (fits, has) = match present {
        Some(image) if is_of(&image, platform) => (Some(image), None),
        Some(image) => (None, Some(image.platform)),
        None => (None, None),
    };
    match (policy, fits) {
        (PullPolicy::Always, _) => pull(engine, name, platform, progress).await?,
        (_, Some(image)) => return Ok(image),
        (PullPolicy::Never, None) => return Err(Error::Forbidden { image: name.to_owned(), has }),
        (PullPolicy::Missing | PullPolicy::Build, None) => get(engine, name, platform, progress).await?,
    }
    let cause = "the engine does not know it after all".to_owned();
    let image = engine.image(name).await?.ok_or(Error::Base { base: name.to_owned(), cause })?;
    match platform {
        // Some engines take what there is, and only warn.
        Some(platform) if !is_of(&image, Some(platform)) => {
            Err(Error::OtherPlatform { image: name.to_owned(), wanted: platform.to_owned(), has: image.platform })
        }
        _ => Ok(image),
    }
}

/// Whether an image is of a platform, of which the variant may be left out.
fn is_of(image: &Image, platform: Option<&str>) -> bool {
    let parts = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    platform.is_none_or(|wanted| parts(wanted).iter().zip(parts(&image.platform)).all(|(one, other)| *one == other))
}

/// A Debian is made here where no registry gives it.
async fn get(engine: &dyn Engine, name: &str, platform: Option<&str>, progress: Progress<'_>) -> Result<(), Error> {
    let suite = name.strip_prefix("debian:").filter(|suite| suite.chars().all(|c| c.is_ascii_lowercase()));
    match suite.filter(|_| platform.is_none()) {
        // A pull from a registry that does not answer takes long; the question is bounded in time.
        Some(suite) if !engine.in_registry(name).await => debootstrap(engine, name, suite, progress).await,
        _ => pull(engine, name, platform, progress).await,
    }
}

async fn pull(engine: &dyn Engine, name: &str, platform: Option<&str>, progress: Progress<'_>) -> Result<(), Error> {
    progress(&format!("pulling {name}"));
    let pulled = engine.pull(name, platform, progress).await;
    pulled.map_err(|error| Error::Pull { image: name.to_owned(), cause: cause(&error) })
}

/// The engine's words without what was tried, which the sentence says already.
pub fn cause(error: &engine::Error) -> String {
    match error {
        engine::Error::Failed { cause, .. } => cause.clone(),
        other => other.to_string(),
    }
}

/// Makes a Debian from its packages, as they come.
async fn debootstrap(engine: &dyn Engine, base: &str, suite: &str, progress: Progress<'_>) -> Result<(), Error> {
    let failed = |cause: String| Error::Base { base: base.to_owned(), cause };
    progress(&format!("making {base} with mmdebstrap, since no registry answers"));
    let mut running = Command::new("mmdebstrap")
        .args(["--variant=minbase", "--format=tar"])
        .args(SMALL)
        .args([suite, "-"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            failed(format!("mmdebstrap does not run: {error}; run `make engine`, or install the package mmdebstrap"))
        })?;
    let (Some(stdout), Some(stderr)) = (running.stdout.take(), running.stderr.take()) else {
        return Err(failed("mmdebstrap has no output".to_owned()));
    };
    let ended_badly = Arc::new(OnceLock::new());
    let tar = archive(running, stdout, Arc::clone(&ended_badly));
    let labels = Labels::from([(LABEL.to_owned(), "mmdebstrap".to_owned())]);
    let (imported, log) = tokio::join!(engine.import(base, &labels, tar), output::tell(stderr, progress));
    // An archive that breaks off fails the import too; the cause is who broke it off.
    if let Some(ended) = ended_badly.get() {
        engine.remove(&Thing::Image(base.to_owned())).await?;
        return Err(failed(format!("mmdebstrap ended with {ended}; it said:\n{log}")));
    }
    imported.map_err(Error::from)
}

/// The program's output, which is whole only if the program ended well.
fn archive(running: Child, stdout: ChildStdout, ended_badly: Arc<OnceLock<String>>) -> Flow<Bytes> {
    let state = Some((running, stdout, ended_badly));
    stream::unfold(state, |state| async {
        let (mut running, mut stdout, ended_badly) = state?;
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let ended = match stdout.read_buf(&mut chunk).await {
            Ok(length) if length > 0 => return Some((Ok(chunk.freeze()), Some((running, stdout, ended_badly)))),
            Ok(_) => running.wait().await,
            Err(error) => Err(error),
        };
        let ended = match ended {
            Ok(status) if status.success() => return None,
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let error = engine::Error::Failed { act: "make a base image".to_owned(), cause: ended.clone() };
        ended_badly.get_or_init(|| ended);
        Some((Err(error), None))
    })
    .boxed()
}
