//! Which command does what.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent::{Answer, Command, Place};

use crate::acts::{corrupt, delete, fill, names, ownership, rewrite};
use crate::dns::{self, fault::Faults};
use crate::failure::{Outcome, refuse};
use crate::groups::{self, Groups, cpu, memory, pids, usage};
use crate::link::Links;
use crate::looks::{look, probe, read, space, tree};
use crate::place::{self, below_root};
use crate::subject::{Rights, Subject};
use crate::tunnels::Tunnels;
use crate::watch::Watches;
use crate::wire::Wire;
use crate::{dial, disk, files_limit, fork, freezer, listeners, processes};

/// Everything that outlives a command.
pub struct Agent {
    /// The way to the harness.
    pub wire: Arc<Wire>,
    /// Connections on channels.
    pub tunnels: Tunnels,
    volumes: PathBuf,
    links: Links,
    watches: Watches,
    names: Faults,
}

impl Agent {
    /// An agent with its volumes mounted below a path.
    pub fn new(volumes: PathBuf) -> io::Result<Agent> {
        Ok(Agent {
            wire: Arc::new(Wire::stdout()?),
            tunnels: Tunnels::default(),
            volumes,
            links: Links::default(),
            watches: Watches::default(),
            names: Faults::default(),
        })
    }

    /// Does what is asked.
    pub fn execute(&self, command: Command) -> Outcome<Answer> {
        match command {
            Command::Hello => Ok(Answer::Hello { version: env!("CARGO_PKG_VERSION").into() }),

            Command::Delete { place } => {
                let top = match place {
                    Place::Container { .. } => delete::Top::Goes,
                    Place::Volume { .. } => delete::Top::MayStay,
                };
                self.at(&place, |path| delete::delete(path, top))
            }
            Command::Replace { place, content } => self.at(&place, |path| rewrite::replace(path, &content)),
            Command::Write { place, content } => self.at(&place, |path| rewrite::write(path, &content)),
            Command::Corrupt { place, bytes, seed } => self.at(&place, |path| corrupt::corrupt(path, bytes, seed)),
            Command::Truncate { place, size } => self.at(&place, |path| rewrite::truncate(path, size)),
            Command::Fill { place, leave } => {
                let machine_disks = fill::machine_disks();
                self.at(&place, |path| fill::fill(path, leave, &machine_disks))
            }
            Command::Unfill { place } => self.at(&place, fill::unfill),
            Command::Chmod { place, mode, recursive } => {
                self.at(&place, |path| ownership::chmod(path, mode, recursive))
            }
            Command::Chown { place, uid, gid, recursive } => {
                self.at(&place, |path| ownership::chown(path, uid, gid, recursive))
            }
            Command::Rename { place, to } => self.at(&place, |path| names::rename(path, &below_root(&to))),
            Command::CopyTruncate { place, to } => {
                self.at(&place, |path| rewrite::copy_truncate(path, &below_root(&to)))
            }
            Command::MakeDirectory { place } => self.at(&place, names::make_directory),
            Command::ManyFiles { place, count } => self.at(&place, |path| names::many_files(path, count)),

            Command::Look { pid, path, content } => Subject::at(pid)?
                .enter(Rights::Subject, || Ok(Answer::Seen(Box::new(look::look(&below_root(&path), content))))),
            Command::LookAt { place, content } => {
                self.at(&place, |path| Ok(Answer::Seen(Box::new(look::without_rights(path, content)))))
            }
            Command::TryWrite { pid, path } => {
                Subject::at(pid)?.enter(Rights::Subject, || Ok(Answer::Tried(probe::try_write(&below_root(&path)))))
            }
            Command::Read { place, limit } => self.at(&place, |path| read::read(path, limit)),
            Command::Tree { place } => self.at(&place, tree::tree),
            Command::Free { place } => self.at(&place, |path| space::space(path).map(Answer::Space)),

            Command::Signal { pid, signal } => processes::signal(pid, signal),
            Command::Processes { pid } => processes::processes(pid),
            Command::OpenFiles { pid } => processes::open_files(pid),
            Command::LimitFiles { pid, leave } => files_limit::limit(pid, leave),
            Command::UnlimitFiles { pid, limits } => files_limit::unlimit(pid, &limits),

            Command::Usage { pid } => {
                let groups = Groups::of(Subject::at(pid)?)?;
                Ok(Answer::Usage(Box::new(usage::usage(&groups))))
            }
            Command::ThrottleCpu { pid, cpus } => {
                cpu::throttle(&Groups::of(Subject::at(pid)?)?, cpus).map(Answer::Settings)
            }
            Command::ThrottleIo { pid, path, read_bps, write_bps } => {
                let rates = groups::io::Rates { read: read_bps, write: write_bps };
                let path = below_root(&path.unwrap_or_default());
                groups::io::throttle(Subject::at(pid)?, &path, rates).map(Answer::Settings)
            }
            Command::LimitMemory { pid, leave } => {
                memory::limit(&Groups::of(Subject::at(pid)?)?, leave).map(Answer::Settings)
            }
            Command::LimitPids { pid, leave } => {
                pids::limit(&Groups::of(Subject::at(pid)?)?, leave).map(Answer::Settings)
            }
            Command::Restore { pid, settings } => groups::restore(Subject::at(pid)?, &settings),
            Command::TryFork { pid } => fork::try_fork(pid),
            Command::TryRun { pid } => freezer::try_run(pid),
            Command::TimeDisk { pid, path, write, bytes } => {
                let way = if write { disk::Way::Write } else { disk::Way::Read };
                disk::time(Subject::at(pid)?, &below_root(&path), way, bytes)
            }

            Command::Dial { .. } => Err(refuse("a connection was dialled without a channel")),
            Command::TryRoute { pid, address } => dial::try_route(Subject::at(pid)?, &address),
            Command::Resolve { pid, name } => dns::resolve(pid, &name),
            Command::BreakDns { pid, how } => self.names.inject(pid, how),
            Command::MendDns { pid } => self.names.mend(pid),
            Command::Listeners { pid } => listeners::listeners(pid),

            Command::OpenLink { name, listen_port, upstream_host, upstream_port, seed } => {
                self.links.open(&name, listen_port, (upstream_host, upstream_port), seed)
            }
            Command::SetLink { name, condition } => self.links.set(&name, condition),
            Command::LinkCounters { name } => self.links.counters(&name),
            Command::CloseLink { name } => self.links.close(&name),

            Command::Watch { watch, place } => self.watches.begin(watch, &place, &self.volumes, &self.wire),
            Command::Unwatch { watch } => self.watches.end(watch),
        }
    }

    fn at(&self, place: &Place, act: impl FnOnce(&Path) -> Outcome<Answer> + Send) -> Outcome<Answer> {
        place::at(place, &self.volumes, act)
    }
}
