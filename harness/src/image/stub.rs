//! The smallest program for each processor: it exits with 0.

/// Where it lies in memory.
const ADDRESS: u64 = 0x40_0000;

/// A processor, as its programs name it.
struct Machine {
    /// Docker's word.
    name: &'static str,
    /// Its number in a program's header.
    number: u16,
    /// Whether its addresses have 64 bits.
    wide: bool,
    /// Whether it writes the lowest byte of a number first.
    little: bool,
    /// What else its programs have to say.
    flags: u32,
    /// `exit(0)`.
    code: &'static [u8],
}

const MACHINES: [Machine; 7] = [
    Machine {
        name: "386",
        number: 3,
        wide: false,
        little: true,
        flags: 0,
        code: &[0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80],
    },
    Machine {
        name: "amd64",
        number: 62,
        wide: true,
        little: true,
        flags: 0,
        code: &[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05],
    },
    Machine {
        name: "arm",
        number: 40,
        wide: false,
        little: true,
        flags: 0x0500_0000,
        code: &[0x01, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef],
    },
    Machine {
        name: "arm64",
        number: 183,
        wide: true,
        little: true,
        flags: 0,
        code: &[0xa8, 0x0b, 0x80, 0xd2, 0x00, 0x00, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4],
    },
    Machine {
        name: "ppc64le",
        number: 21,
        wide: true,
        little: true,
        flags: 2,
        code: &[0x01, 0x00, 0x00, 0x38, 0x00, 0x00, 0x60, 0x38, 0x02, 0x00, 0x00, 0x44],
    },
    Machine {
        name: "riscv64",
        number: 243,
        wide: true,
        little: true,
        flags: 0,
        code: &[0x93, 0x08, 0xd0, 0x05, 0x13, 0x05, 0x00, 0x00, 0x73, 0x00, 0x00, 0x00],
    },
    Machine {
        name: "s390x",
        number: 22,
        wide: true,
        little: false,
        flags: 0,
        code: &[0xa7, 0x28, 0x00, 0x00, 0x0a, 0x01],
    },
];

/// The processors that there is a program for.
pub fn processors() -> impl Iterator<Item = &'static str> {
    MACHINES.iter().map(|machine| machine.name)
}

/// A program for a processor by Docker's word for it; `None` for one that is not known here.
pub fn program(architecture: &str) -> Option<Vec<u8>> {
    MACHINES.iter().find(|machine| machine.name == architecture).map(Machine::program)
}

impl Machine {
    /// Two headers, the second of which loads all of it, and the code.
    fn program(&self) -> Vec<u8> {
        let (header, segment) = if self.wide { (64, 56) } else { (52, 32) };
        let begin = u64::from(header + segment);
        let length = begin + self.code.len() as u64;
        let mut bytes = vec![0x7f, b'E', b'L', b'F', 1 + u8::from(self.wide), 2 - u8::from(self.little), 1];
        bytes.resize(16, 0);
        self.halves(&mut bytes, &[2, self.number]);
        self.words(&mut bytes, &[1]);
        self.addresses(&mut bytes, &[ADDRESS + begin, u64::from(header), 0]);
        self.words(&mut bytes, &[self.flags]);
        self.halves(&mut bytes, &[header, segment, 1, 0, 0, 0]);

        const READ_AND_RUN: u32 = 5;
        self.words(&mut bytes, &[1]);
        if self.wide {
            self.words(&mut bytes, &[READ_AND_RUN]);
        }
        self.addresses(&mut bytes, &[0, ADDRESS, ADDRESS, length, length]);
        if !self.wide {
            self.words(&mut bytes, &[READ_AND_RUN]);
        }
        self.addresses(&mut bytes, &[0x1_0000]);
        bytes.extend_from_slice(self.code);
        bytes
    }

    fn halves(&self, bytes: &mut Vec<u8>, numbers: &[u16]) {
        numbers.iter().for_each(|number| self.push(bytes, &number.to_le_bytes()));
    }

    fn words(&self, bytes: &mut Vec<u8>, numbers: &[u32]) {
        numbers.iter().for_each(|number| self.push(bytes, &number.to_le_bytes()));
    }

    fn addresses(&self, bytes: &mut Vec<u8>, numbers: &[u64]) {
        let width = if self.wide { 8 } else { 4 };
        numbers.iter().for_each(|number| self.push(bytes, &number.to_le_bytes()[..width]));
    }

    fn push(&self, bytes: &mut Vec<u8>, little: &[u8]) {
        match self.little {
            true => bytes.extend_from_slice(little),
            false => bytes.extend(little.iter().rev()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    /// Runs each with its emulator, if that is installed; this machine's own without one.
    #[test]
    fn each_program_exits_with_0() {
        let folder = tempfile::tempdir().unwrap();
        for machine in &MACHINES {
            let path = folder.path().join(machine.name);
            std::fs::write(&path, machine.program()).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            let emulated = match machine.name {
                "386" => "i386",
                "amd64" => "x86_64",
                "arm64" => "aarch64",
                other => other,
            };
            let ended = if emulated == std::env::consts::ARCH {
                Command::new(&path).status()
            } else {
                Command::new(format!("qemu-{emulated}")).arg(&path).status()
            };
            match ended {
                Ok(status) => assert_eq!(status.code(), Some(0), "{}", machine.name),
                Err(error) => assert_ne!(emulated, std::env::consts::ARCH, "{error}"),
            }
        }
    }
}
