//! How a scripted engine makes a container, or refuses to.

use super::tree::Tree;
use super::world::{Container, Status, Volume, World, failed};
use crate::engine::{ContainerSpec, Create, Created, Error, Labels, Mount, Source};

impl World {
    pub fn make(&mut self, spec: &ContainerSpec) -> Result<Create, Error> {
        let act = || format!("create the container {}", spec.name);
        if self.container(&spec.name).is_some() {
            return Err(failed(act(), format!("the name {} is already in use", spec.name)));
        }
        if self.script(&spec.image).is_none() && !self.images.contains_key(&spec.image) {
            return Err(failed(act(), format!("No such image: {}", spec.image)));
        }
        if let Some(words) = self.script(&spec.image).and_then(|script| script.refusal.clone()) {
            return Ok(Create::Refused(words));
        }
        if let Some(path) = self.missing_bind(&spec.mounts) {
            let words = format!("invalid mount config for type \"bind\": bind source path does not exist: {path}");
            return Ok(Create::Refused(words));
        }
        spec.mounts.iter().for_each(|mount| self.provide(&mount.source));
        let id = format!("fake{}", self.containers.len() + 1);
        for attachment in spec.joined() {
            self.join(&attachment.network, &id)?;
        }
        self.containers.push(Container {
            id: id.clone(),
            spec: spec.clone(),
            status: Status::Created,
            removed: false,
            exit_code: 0,
            restart_count: 0,
            boots: 0,
            happenings: Vec::new(),
            logs: Vec::new(),
            files: Tree::new(),
            health: None,
            probes: Vec::new(),
            orders: None,
        });
        Ok(Create::Made(Created { id, warnings: Vec::new() }))
    }

    /// The first bind whose source is not there and has to be.
    fn missing_bind(&self, mounts: &[Mount]) -> Option<String> {
        mounts.iter().find_map(|mount| match &mount.source {
            Source::Bind(path) if !self.host.contains_key(path) => Some(path.clone()),
            _ => None,
        })
    }

    /// What a mount creates when it is not there. Docker makes a volume that nobody labelled.
    fn provide(&mut self, source: &Source) {
        match source {
            Source::Volume(name) => {
                let empty = || Volume { labels: Labels::new(), files: Tree::new(), size: None };
                self.volumes.entry(name.clone()).or_insert_with(empty);
            }
            Source::Bind(path) | Source::BindCreating(path) => {
                self.host.entry(path.clone()).or_default();
            }
        }
    }
}
