//! An engine that is reached over the network: nothing of a run may need this
//! machine's files or processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::engine::Engine;
use harness::engine::docker::Docker;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};

use crate::desk::Desk;
use crate::engine::{FAR, bench::Bench};

/// A port of this machine that leads to the engine's socket, and how many have come through it.
struct Door {
    address: String,
    passed: Arc<AtomicUsize>,
}

impl Door {
    /// `None`, with the reason told, where the engine has no socket here.
    async fn open() -> Option<Self> {
        let near = Bench::real().await?;
        let endpoint = near.engine.about().await.unwrap().endpoint;
        let Some(socket) = endpoint.strip_prefix("unix://").map(str::to_owned) else {
            eprintln!("left out: the engine at {endpoint} is far away already");
            return None;
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let passed = Arc::new(AtomicUsize::new(0));
        let count = passed.clone();
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let socket = socket.clone();
                tokio::spawn(async move {
                    let mut to = UnixStream::connect(socket).await?;
                    copy_bidirectional(&mut from, &mut to).await
                });
            }
        });
        Some(Self { address, passed })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_over_the_network_does_the_same() {
    let Some(door) = Door::open().await else { return };
    for (name, claim) in FAR {
        eprintln!("{name}");
        let docker = Docker::at(&door.address).await.unwrap();
        Bench::on(docker).await.hold(claim).await;
    }
}

/// State, readiness over HTTP, a look at files, a stop: each by way of the engine alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_is_run_over_the_network() {
    let Some(door) = Door::open().await else { return };
    let desk = Desk::new();
    let docker = Docker::at(&door.address).await.unwrap();
    assert_eq!(docker.about().await.unwrap().endpoint, door.address);
    let images =
        harness::image::Images::new(Arc::new(docker), harness::image::Workspace::find(std::path::Path::new(".")));
    let image = images.ensure(&"fixture:misbehave/bare".parse().unwrap(), &|line| eprintln!("{line}")).await.unwrap();
    let body = format!(
        r#"
[subject]
image = "{image}"
user = "1000:1000"
ready = {{ http = "/health", port = 8080 }}
environment = {{ MISBEHAVE = "log-file", LOG_DEST = "/data/app.log" }}
[volumes.data]
target = "/data"
owner = "1000:1000"
files = {{ "app.log" = "before\n" }}
[expect]
ready_within = "20s"
files = {{ "/data/app.log" = {{ grew = true }} }}
stop = {{ within = "10s", exit_code = 0 }}
"#
    );
    let before = door.passed.load(Ordering::Relaxed);
    let address = door.address.clone();
    let (code, told) = tokio::task::spawn_blocking(move || {
        desk.run(&body, |command| {
            command.env("DOCKER_HOST", address);
        })
    })
    .await
    .unwrap();
    assert_eq!(code, Some(0), "{told}");
    assert!(door.passed.load(Ordering::Relaxed) > before, "it went another way");
}
