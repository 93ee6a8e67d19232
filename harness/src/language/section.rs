//! The sections of the reference, in the order in which they are read.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Step;
use crate::check::Whole;
use crate::fault::Actions;
use crate::scenario::ready::Ready;
use crate::scenario::runtime::Runtime;
use crate::scenario::trigger::Trigger;
use crate::scenario::volume::Volume;
use crate::scenario::{Head, control, fault, link, service, subject};

/// A section of the reference.
#[derive(Debug)]
pub struct Section {
    /// Its name, for those who put its examples into a file.
    pub name: &'static str,
    /// Its heading, in Markdown.
    pub heading: &'static str,
    /// The fragment of its address.
    pub anchor: &'static str,
    /// What it is about.
    pub intro: &'static str,
    /// The kinds of values that it tells.
    pub tells: &'static [&'static str],
    /// The table whose keys it has.
    pub(super) table: fn(&mut SchemaGenerator) -> Schema,
    /// The table whose keys it leaves out.
    pub(super) told_elsewhere: fn(&mut SchemaGenerator) -> Schema,
}

fn nothing(_: &mut SchemaGenerator) -> Schema {
    Schema::default()
}

/// A part of a file, and the kinds of values that stand in several of them.
pub static SECTIONS: [Section; 13] = [
    Section {
        name: "head",
        heading: "At the top",
        anchor: "at-the-top",
        intro: "What the file says of itself.",
        tells: &[],
        table: Head::json_schema,
        told_elsewhere: nothing,
    },
    Section {
        name: "subject",
        heading: "`[subject]`: the container under test",
        anchor: "subject-the-container-under-test",
        intro: "Besides these it has any of the [runtime options](#runtime-options).",
        tells: &[],
        table: subject::AsWritten::json_schema,
        told_elsewhere: Runtime::json_schema,
    },
    Section {
        name: "runtime",
        heading: "Runtime options",
        anchor: "runtime-options",
        intro: "How a container is run, under the names and with the meaning that Docker Compose gives them: keys of \
                `[subject]` and of `[services.NAME]`, and of `[control]` and steps that make a new container. What is not \
                said is left to the image and the engine. What the engine cannot enforce makes a run `invalid`; \
                `harness doctor` says so beforehand.",
        tells: &[],
        table: Runtime::json_schema,
        told_elsewhere: nothing,
    },
    Section {
        name: "ready",
        heading: "Signs of being ready",
        anchor: "signs-of-being-ready",
        intro: "The value of `ready`, of a subject or a service: a table with one sign.",
        tells: &["sign"],
        table: Ready::json_schema,
        told_elsewhere: nothing,
    },
    Section {
        name: "volume",
        heading: "`[volumes.NAME]`: state mounted into it",
        anchor: "volumesname-state-mounted-into-it",
        intro: "A volume that says no more than `target`, `read_only` and `absent` begins as Docker makes it: with what the \
                image holds at that path, and its owner. Any other key makes it begin empty, owned by `0:0` with mode \
                `0755` unless said, plus its content.",
        tells: &[],
        table: Volume::json_schema,
        told_elsewhere: nothing,
    },
    Section {
        name: "service",
        heading: "`[services.NAME]`: what it depends on",
        anchor: "servicesname-what-it-depends-on",
        intro: "A container beside the subject, which reaches it by NAME. Besides these it has any of the \
                [runtime options](#runtime-options).",
        tells: &[],
        table: service::AsWritten::json_schema,
        told_elsewhere: Runtime::json_schema,
    },
    Section {
        name: "link",
        heading: "Links",
        anchor: "links",
        intro: "The value of `link`: what happens to the connections between the subject and a service. A fault changes it \
                from its moment on; there, and in each part of a `script`, all keys but `port` and `script` can be said. \
                What is not said passes.",
        tells: &["link", "condition"],
        table: link::Link::json_schema,
        told_elsewhere: nothing,
    },
    Section {
        name: "step",
        heading: "`[[step]]`: acts of a life cycle",
        anchor: "step-acts-of-a-life-cycle",
        intro: "Steps are taken in their order. The first is a `start`, which need not be written. `recreate` and `upgrade` \
                make a new container, and take any key of `[subject]`, which holds from then on.",
        tells: &[],
        table: Step::json_schema,
        told_elsewhere: Runtime::json_schema,
    },
    Section {
        name: "fault",
        heading: "`[[fault]]`: what is done to it",
        anchor: "fault-what-is-done-to-it",
        intro: "Each has a `when` and one action. It has to be seen to take effect, from the side of the container that it \
                is done to; a fault that is not makes the run `invalid`.",
        tells: &[],
        table: fault::AsWritten::json_schema,
        told_elsewhere: nothing,
    },
    Section {
        name: "action",
        heading: "Actions of a fault",
        anchor: "actions-of-a-fault",
        intro: "Paths are paths in the container.",
        tells: &[],
        table: Actions::json_schema,
        told_elsewhere: nothing,
    },
    Section {
        name: "moment",
        heading: "Moments",
        anchor: "moments",
        intro: "The value of `when` and `until`: a word, such as `\"ready\"`, or a table that names one thing that happens. A \
                moment that never comes makes the run `invalid`, unless the subject had already broken a claim.",
        tells: &["moment"],
        table: Trigger::json_schema,
        told_elsewhere: nothing,
    },
    Section {
        name: "expect",
        heading: "`[expect]`: what must be true",
        anchor: "expect-what-must-be-true",
        intro: "At least one of these has to be said, here or in the `expect` of a step. Some are checked of every scenario, \
                whether they are said or not.",
        tells: &["expectations"],
        table: Whole::json_schema,
        told_elsewhere: nothing,
    },
    Section {
        name: "control",
        heading: "`[control]`: the known-bad twin",
        anchor: "control-the-known-bad-twin",
        intro: "Besides these it has any key of `[subject]`, which replaces the subject's; `environment` is joined by its \
                variables.",
        tells: &[],
        table: control::AsWritten::json_schema,
        told_elsewhere: Runtime::json_schema,
    },
];
