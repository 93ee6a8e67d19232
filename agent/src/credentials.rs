//! Whose rights a thread has.

use nix::sys::prctl;

use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::raw;
use crate::status::Status;

/// User, groups and capabilities of a process.
#[derive(Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user by which the kernel judges access to files.
    pub uid: u32,
    /// The group, likewise.
    pub gid: u32,
    groups: Vec<u32>,
    capabilities: u64,
}

impl Credentials {
    /// Those in effect for the process of this status. Capabilities that the agent lacks itself stay out;
    /// those of Docker's default, which decide about files, it has.
    pub fn of(status: &Status, own: &Status) -> Outcome<Credentials> {
        // Real, effective, saved, and the one for files.
        let (uid, gid) = (status.numbers("Uid"), status.numbers("Gid"));
        let (Some(&uid), Some(&gid)) = (uid.get(3), gid.get(3)) else {
            return Err(refuse("its status names no user"));
        };
        let capabilities = status.bits("CapEff") & own.bits("CapPrm");
        Ok(Credentials { uid, gid, groups: status.numbers("Groups"), capabilities })
    }

    /// Gives them to this thread, which cannot get its own ones back.
    pub fn take(&self) -> Outcome<()> {
        let capabilities = self.capabilities;
        // Without this, a change of user would drop them all.
        prctl::set_keepcaps(true).or_cannot(|| "keep capabilities".into())?;
        raw::set_groups(&self.groups).or_cannot(|| format!("take the groups {:?}", self.groups))?;
        raw::set_group(self.gid).or_cannot(|| format!("take the group {}", self.gid))?;
        raw::set_user(self.uid).or_cannot(|| format!("take the user {}", self.uid))?;
        raw::set_capabilities(capabilities).or_cannot(|| format!("take the capabilities {capabilities:x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_for_files_counts_and_not_the_real_one() {
        let status = Status::from("Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t8 9 \nCapEff:\t0000000000000007\n");
        let expected = Credentials { uid: 4, gid: 8, groups: vec![8, 9], capabilities: 0b101 };
        assert_eq!(Credentials::of(&status, &Status::from("CapPrm:\t000000000000000d\n")).unwrap(), expected);
    }

    #[test]
    fn a_status_without_a_user_gives_no_credentials() {
        let status = Status::from("Name:\tx\n");
        assert!(Credentials::of(&status, &status).is_err());
    }
}
