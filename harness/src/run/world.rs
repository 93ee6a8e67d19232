//! Everything of one run that acts are done to: the subject, its services, the
//! agent beside them.

use std::collections::BTreeMap;

use agent::{Answer, Command, Place};
use futures_util::future::join_all;

use super::sessions::{Database, Sessions};
use super::{ImageNames, Invalid, Stage};
use crate::agent::Agent;
use crate::engine::{Attachment, Create, Created, Error, Executed, Mount, Start, Thing};
use crate::fault::{Act, Answered, Ground};
use crate::observe::look::{Looker, ServiceAt};
use crate::observe::sql;
use crate::plan::Trial;
use crate::sandbox::{Sandbox, Through};
use crate::scenario::service::Postgres;
use crate::scenario::subject::Subject;
use crate::scenario::wanted::Wanted;

/// What a service is called where a link stands in its place.
const BEHIND: &str = "behind-link";

/// The folder of a volume that holds its many files.
const MANY: &str = "many";

/// The containers of one run.
pub struct World<'a> {
    stage: &'a Stage,
    sandbox: &'a Sandbox,
    images: &'a ImageNames,
    network: Option<String>,
    /// The agent's container, and how it is commanded.
    agent: Option<(String, Agent)>,
    /// The volumes by their names in the file.
    mounts: BTreeMap<String, Mount>,
    /// The services' containers by their names in the file.
    services: BTreeMap<String, String>,
    /// How those of them are set up that are a Postgres.
    databases: BTreeMap<String, Postgres>,
    /// The sessions that a fault holds.
    sessions: Sessions,
    /// The subject's container; nothing where the engine did not make one.
    pub subject: String,
    /// The volumes that the subject has now.
    mounted: Vec<String>,
}

impl<'a> World<'a> {
    /// Makes everything without starting any of it; what becomes of the subject's
    /// container is an outcome.
    pub async fn make(
        trial: &Trial,
        images: &'a ImageNames,
        stage: &'a Stage,
        sandbox: &'a Sandbox,
    ) -> Result<(Self, Create), Invalid> {
        let network = async {
            match trial.needs_network() {
                true => sandbox.network().await.map(Some),
                false => Ok(None),
            }
        };
        let (network, mounts) = tokio::join!(network, sandbox.volumes(trial));
        let mut world = Self {
            stage,
            sandbox,
            images,
            network: network?,
            agent: None,
            mounts: mounts?,
            services: BTreeMap::new(),
            databases: databases_of(trial),
            sessions: Sessions::default(),
            subject: String::new(),
            mounted: trial.mounted(1),
        };
        // What is under way where one of them fails must not be left behind, so
        // each is waited for.
        let (agent, services, subject) = tokio::join!(
            world.make_holder(trial),
            world.make_services(trial),
            world.make_container(trial, &trial.subject)
        );
        (world.agent, world.services) = (agent?, services?);
        let made = subject?;
        world.take_over(&made);
        Ok((world, made))
    }

    /// Makes whatever holds the volumes: the agent, or for as long as it takes to
    /// fill them a container of the subject's image.
    async fn make_holder(&self, trial: &Trial) -> Result<Option<(String, Agent)>, Invalid> {
        let (engine, contents) = (&*self.stage.engine, &self.stage.contents);
        let Some(image) = &self.images.agent else {
            let image = name_of(self.images, &trial.subject.wanted())?;
            self.sandbox.fill(trial, &self.mounts, contents, Through::Image(image)).await?;
            return Ok(None);
        };
        let linked = trial.services.iter().filter(|(_, service)| service.link.is_some());
        let aliases: Vec<String> = linked.map(|(name, _)| name.clone()).collect();
        // It costs time to join one, and most agents have nobody to talk to there.
        let joins = !aliases.is_empty() || !trial.faults.is_empty() || trial.asks_from_outside();
        let network = self.network.clone().filter(|_| joins);
        let attachment = network.map(|network| Attachment { network, aliases });
        let id = self.sandbox.agent(image, &self.mounts, attachment).await?;
        let agent = Agent::hold(engine, &id).await?;
        Ok(Some((id, agent)))
    }

    /// Starts the agent, and has it make the volumes and links what the trial says.
    pub async fn set_up(&self, trial: &Trial) -> Result<(), Invalid> {
        let Some((id, agent)) = &self.agent else { return Ok(()) };
        agent.begin(&*self.stage.engine, id).await?;
        let volumes = async {
            self.sandbox.fill(trial, &self.mounts, &self.stage.contents, Through::Agent(id)).await?;
            self.crowd_volumes(trial).await
        };
        let (volumes, links) = tokio::join!(volumes, self.open_links(trial));
        volumes.and(links)
    }

    /// Makes volumes hold many files, and little room.
    async fn crowd_volumes(&self, trial: &Trial) -> Result<(), Invalid> {
        for (name, volume) in &trial.volumes {
            let place = |path: &str| Place::Volume { volume: name.clone(), path: path.to_owned() };
            if let Some(count) = volume.many_files {
                let count = u64::try_from(i64::from(count)).unwrap_or_default();
                self.command(Command::ManyFiles { place: place(MANY), count }).await?;
            }
            if let Some(free) = volume.free {
                self.command(Command::Fill { place: place(""), leave: free.0 }).await?;
            }
        }
        Ok(())
    }

    async fn make_services(&self, trial: &Trial) -> Result<BTreeMap<String, String>, Invalid> {
        let Some(network) = &self.network else { return Ok(BTreeMap::new()) };
        let made = trial.services.iter().map(async |(name, service)| {
            let image = name_of(self.images, &service.wanted)?;
            let alias = upstream(name, service.link.is_some());
            match self.sandbox.service(name, &alias, service, image, network).await? {
                Create::Made(Created { id, warnings }) => match warnings.into_iter().find(|text| not_enforced(text)) {
                    Some(text) => Err(Invalid::NotEnforced(text)),
                    None => Ok((name.clone(), id)),
                },
                Create::Refused(reason) => {
                    Err(Invalid::Service { name: name.clone(), what: format!("cannot be made: {reason}") })
                }
            }
        });
        join_all(made).await.into_iter().collect()
    }

    /// Starts a service.
    pub async fn start_service(&self, name: &str) -> Result<(), Invalid> {
        match self.stage.engine.start(self.container(Some(name))?).await? {
            Start::Started => Ok(()),
            Start::Refused(reason) => {
                Err(Invalid::Service { name: name.to_owned(), what: format!("cannot be started: {reason}") })
            }
        }
    }

    async fn open_links(&self, trial: &Trial) -> Result<(), Invalid> {
        for (name, service) in &trial.services {
            let Some(link) = &service.link else { continue };
            let open = Command::OpenLink {
                name: name.clone(),
                listen_port: link.port,
                upstream_host: upstream(name, true),
                upstream_port: link.port,
                seed: self.stage.seed,
            };
            self.command(open).await?;
            // Without its acts no fault may be found to have taken effect, and this is one's.
            if let Some(first) = link.script.first().filter(|_| !self.stage.blunt) {
                let condition = crate::fault::condition(&first.condition);
                self.command(Command::SetLink { name: name.clone(), condition }).await?;
            }
        }
        Ok(())
    }

    /// How the agent is commanded, in a run that has one.
    pub fn agent(&self) -> Option<&Agent> {
        self.agent.as_ref().map(|(_, agent)| agent)
    }

    /// Has the agent do something that must not fail.
    pub async fn command(&self, command: Command) -> Result<Answer, Invalid> {
        let agent = self.agent().ok_or_else(no_agent)?;
        agent.ask(command).await?.map_err(|failure| Invalid::Fault(failure.cause))
    }

    /// Makes another container in the place of the subject's, without starting it.
    pub async fn make_subject(&mut self, trial: &Trial, step: u32) -> Result<Create, Invalid> {
        self.mounted = trial.mounted(step);
        let made = self.make_container(trial, trial.subject_at(step)).await?;
        self.take_over(&made);
        Ok(made)
    }

    async fn make_container(&self, trial: &Trial, subject: &Subject) -> Result<Create, Invalid> {
        let image = name_of(self.images, &subject.wanted())?;
        let mounts = self.mounted.iter().filter_map(|name| self.mounts.get(name)).cloned().collect();
        Ok(self.sandbox.subject(subject, image, mounts, trial.published(), self.network.as_deref()).await?)
    }

    fn take_over(&mut self, made: &Create) {
        self.subject = match made {
            Create::Made(created) => created.id.clone(),
            Create::Refused(_) => String::new(),
        };
    }

    /// Whether the subject has a container.
    pub fn has_subject(&self) -> bool {
        !self.subject.is_empty()
    }

    /// Removes the subject's container, in whose place another is to be made.
    pub async fn remove_subject(&mut self) -> Result<(), Invalid> {
        let gone = Thing::Container(std::mem::take(&mut self.subject));
        Ok(self.stage.engine.remove(&gone).await?)
    }

    /// Whoever looks at the subject as this step made it.
    pub fn looker(&self, trial: &Trial, step: u32) -> Looker {
        let services = trial.services.iter().filter_map(|(name, service)| {
            let id = self.services.get(name)?.clone();
            Some((name.clone(), ServiceAt { id, postgres: service.postgres.clone() }))
        });
        Looker::new(
            self.stage.engine.clone(),
            self.agent().cloned(),
            self.stage.clock,
            self.subject.clone(),
            services.collect(),
            trial.subject_at(step).runtime.inner_mounts().map(str::to_owned).collect(),
        )
    }

    /// The container that a fault is done to, as it is now.
    pub async fn ground(&self, service: Option<&str>, seed: u64) -> Result<Ground, Invalid> {
        let id = self.container(service)?;
        let seen = self.stage.engine.inspect(id).await?;
        let volumes = match service {
            None => self
                .mounted
                .iter()
                .filter_map(|name| Some((self.mounts.get(name)?.target.clone(), name.clone())))
                .collect(),
            Some(_) => Vec::new(),
        };
        let name = service.unwrap_or(crate::sandbox::SUBJECT).to_owned();
        Ok(Ground { pid: seen.pid.unwrap_or(0), volumes, service: service.map(str::to_owned), name, seed })
    }

    /// Does one act, or asks one thing. What a look cannot see is an answer; so
    /// is what an act cannot do, and whoever asked decides what that means.
    pub async fn act(&self, act: Act, service: Option<&str>) -> Result<Answered, Invalid> {
        let engine = &*self.stage.engine;
        let id = self.container(service)?;
        let done = match act {
            Act::Agent(command) => {
                let agent = self.agent().ok_or_else(no_agent)?;
                return Ok(match agent.ask(command).await? {
                    Ok(answer) => Answered::Agent(answer),
                    Err(failure) => Answered::Failed(failure.cause),
                });
            }
            Act::Pause => engine.pause(id).await,
            Act::Unpause => engine.unpause(id).await,
            Act::Run { command, exit_code } => {
                return Ok(match engine.exec(id, &command).await {
                    Ok(ran) if exit_code.is_some_and(|wanted| wanted != ran.code) => Answered::Failed(ended(&ran)),
                    Ok(ran) => Answered::Ran { code: ran.code, output: ran.output },
                    Err(error) => Answered::Failed(error.to_string()),
                });
            }
            Act::Disconnect => self.disconnect(id).await,
            Act::Connect => self.connect(id, service).await,
            Act::Connections { leave } => return Ok(said(self.connections(service, leave).await)),
            Act::Disconnections => {
                self.sessions.give_back(service.unwrap_or_default());
                Ok(())
            }
            Act::Session => return Ok(said(self.session(service).await)),
        };
        Ok(done.map_or_else(|error| Answered::Failed(error.to_string()), |()| Answered::Done))
    }

    /// Takes all sessions of a service, but for some.
    async fn connections(&self, service: Option<&str>, leave: u32) -> Result<(), String> {
        let (agent, name, postgres) = self.database(service)?;
        let pid = self.stage.engine.inspect(self.services.get(name).ok_or("it is not there")?).await;
        let pid = pid.map_err(|error| error.to_string())?.pid;
        let of = Database { service: name.to_owned(), agent: agent.clone(), pid, postgres: postgres.clone() };
        self.sessions.take(of, leave, self.stage.clock).await
    }

    /// Opens a session as the subject would, and ends it. Without a subject there
    /// is the agent, which is in the same network.
    async fn session(&self, service: Option<&str>) -> Result<(), String> {
        let (agent, name, postgres) = self.database(service)?;
        let pid = self.stage.engine.inspect(&self.subject).await.map_err(|error| error.to_string())?.pid;
        let (_, driver) =
            sql::connect(agent, pid, name, &postgres.url(name)).await.map_err(|missed| missed.to_string())?;
        driver.abort();
        Ok(())
    }

    fn database<'b>(&'b self, service: Option<&'b str>) -> Result<(&'b Agent, &'b str, &'b Postgres), String> {
        let name = service.unwrap_or_default();
        let postgres = self.databases.get(name).ok_or_else(|| format!("the service {name} is no Postgres"))?;
        Ok((self.agent().ok_or("this run has no agent")?, name, postgres))
    }

    async fn disconnect(&self, id: &str) -> Result<(), Error> {
        let networks = self.stage.engine.inspect(id).await?.addresses;
        for network in networks.keys() {
            self.stage.engine.disconnect(network, id).await?;
        }
        Ok(())
    }

    async fn connect(&self, id: &str, service: Option<&str>) -> Result<(), Error> {
        let alias = service.unwrap_or(crate::sandbox::SUBJECT).to_owned();
        let network = self.network.as_deref().unwrap_or("bridge");
        let aliases = if self.network.is_some() { vec![alias] } else { Vec::new() };
        self.stage.engine.connect(network, id, &aliases).await
    }

    /// The identifier of the subject or of a service.
    pub fn container(&self, service: Option<&str>) -> Result<&str, Invalid> {
        match service {
            None => Ok(&self.subject),
            Some(name) => self
                .services
                .get(name)
                .map(String::as_str)
                .ok_or_else(|| Invalid::Service { name: name.to_owned(), what: "is not there".to_owned() }),
        }
    }
}

/// What came of something of which there is nothing to tell but a failure.
fn said(done: Result<(), String>) -> Answered {
    done.map_or_else(Answered::Failed, |()| Answered::Done)
}

/// How a command ended that should have ended otherwise.
fn ended(ran: &Executed) -> String {
    let words = ran.output.trim();
    let said = if words.is_empty() { String::new() } else { format!(": {words}") };
    format!("the command ended with {}{said}", ran.code)
}

fn databases_of(trial: &Trial) -> BTreeMap<String, Postgres> {
    let databases = trial.services.iter().filter_map(|(name, service)| Some((name.clone(), service.postgres.clone()?)));
    databases.collect()
}

/// What a service is called in the network: behind a link by another name.
fn upstream(name: &str, linked: bool) -> String {
    if linked { format!("{name}-{BEHIND}") } else { name.to_owned() }
}

/// Whether a warning of the engine's says that it leaves out what was asked for.
pub fn not_enforced(warning: &str) -> bool {
    warning.contains("discarded")
}

fn name_of<'a>(images: &'a ImageNames, wanted: &Wanted) -> Result<&'a str, Invalid> {
    images.names.get(wanted).map(String::as_str).ok_or_else(|| {
        let act = format!("find the image {}", wanted.image);
        Invalid::Engine(Error::Failed { act, cause: "it was not made ready".to_owned() })
    })
}

fn no_agent() -> Invalid {
    let (act, cause) = ("ask the agent".to_owned(), "this run has none".to_owned());
    Invalid::Engine(Error::Failed { act, cause })
}
