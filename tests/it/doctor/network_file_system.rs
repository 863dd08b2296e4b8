//! A ledger on a network's file system: refused before anything is made there, on one that is really mounted.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::thread::JoinHandle;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::{Checkup, doctor};
use crate::support::{Bench, growers};

/// What the kernel asks, as the numbers of Linux's `include/uapi/linux/fuse.h`.
const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GET_ATTRIBUTES: u32 = 3;
const STATFS: u32 = 17;
const INIT: u32 = 26;

/// The lengths of what is asked and answered, from the same source.
const REQUEST_HEADER: usize = 40;
const ANSWER_HEADER: usize = 16;
const INIT_ANSWER: usize = 64;
const ATTRIBUTES_ANSWER: usize = 104;
const STATFS_ANSWER: usize = 80;

/// An empty file system that calls itself sshfs, served by a thread, taken away when this is dropped.
struct Sshfs {
    at: PathBuf,
    server: Option<JoinHandle<()>>,
}

impl Sshfs {
    /// Mounts one; `None`, said aloud, where that isn't allowed.
    fn mount(at: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let device = File::options().read(true).write(true).open("/dev/fuse");
        let mounted = device.and_then(|device| {
            let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
            let options = std::ffi::CString::new(options).unwrap();
            let flags = MountFlags::NOSUID | MountFlags::NODEV;
            mount("ops@host.example:/", &at, "fuse.sshfs", flags, options.as_c_str())?;
            Ok(device)
        });
        match mounted {
            Ok(device) => Some(Self { at, server: Some(std::thread::spawn(move || serve(device))) }),
            Err(error) => {
                let said = format!("!! SKIPPED: no FUSE can be mounted here (it takes root): {error}\n");
                std::io::stderr().write_all(said.as_bytes()).unwrap();
                None
            }
        }
    }
}

impl Drop for Sshfs {
    fn drop(&mut self) {
        unmount(&self.at, UnmountFlags::DETACH).unwrap();
        self.server.take().map(JoinHandle::join);
    }
}

/// Answers the kernel until it is unmounted.
fn serve(mut device: File) {
    let mut request = vec![0; 128 * 1024];
    while let Ok(length) = device.read(&mut request) {
        if length < REQUEST_HEADER {
            return;
        }
        let operation = u32::from_le_bytes(request[4..8].try_into().unwrap());
        let answer = match operation {
            FORGET => continue,
            INIT => Ok(init()),
            GET_ATTRIBUTES => Ok(attributes()),
            STATFS => Ok(vec![0; STATFS_ANSWER]),
            LOOKUP => Err(rustix::io::Errno::NOENT),
            _ => Err(rustix::io::Errno::NOSYS),
        };
        let (error, body) = match answer {
            Ok(body) => (0, body),
            Err(error) => (-error.raw_os_error(), Vec::new()),
        };
        let mut bytes = u32::try_from(ANSWER_HEADER + body.len()).unwrap().to_le_bytes().to_vec();
        bytes.extend(error.to_le_bytes());
        bytes.extend(&request[8..16]);
        bytes.extend(body);
        // Whoever asked may be gone.
        let _ = device.write_all(&bytes);
    }
}

/// Version 7.31, and nothing special.
fn init() -> Vec<u8> {
    let mut answer = vec![0; INIT_ANSWER];
    answer[0] = 7;
    answer[4] = 31;
    // The most that is written at once: 4 KiB.
    answer[20..24].copy_from_slice(&4_096_u32.to_le_bytes());
    answer
}

/// A folder of root's.
fn attributes() -> Vec<u8> {
    let mut answer = vec![0; ATTRIBUTES_ANSWER];
    // The inode, and behind sizes and times the mode and the number of links.
    answer[16] = 1;
    answer[76..80].copy_from_slice(&0o40_755_u32.to_le_bytes());
    answer[80] = 2;
    answer
}

#[test]
fn a_ledger_on_a_network_is_refused_before_anything_is_sent_or_made() {
    let bench = Bench::new(&growers(2));
    let Some(remote) = Sshfs::mount(bench.path("remote")) else { return };
    let state = ["--state", "remote/state/ledger.db"];
    let ended = bench.run(&state).with_code(2);
    let ended = ended.saying("would lie on a network's file system (sshfs)").saying("hint: nothing was sent");
    assert!(ended.stderr.contains("--state FILE"), "{}", ended.stderr);
    assert_eq!(bench.calls(), 0);
    // So does whatever would write there, and a plan of what a run would do.
    let id = growers(1)[0].id.to_string();
    let others: [&[&str]; 4] = [
        &["plan", "growers.csv"],
        &["run", "growers.csv", "--dry-run"],
        &["state", "forget", &id, "--yes"],
        &["state", "prune"],
    ];
    for arguments in others {
        let ended = bench.program().args(arguments).args(state).end().with_code(2);
        ended.saying("would lie on a network's file system (sshfs)").saying("--state FILE");
    }
    assert_eq!(bench.calls(), 0);
    let checkup = Checkup::of(&doctor(&bench, &state).end());
    assert!(checkup.with("problem").contains(&"file-system".to_owned()), "{:#}", checkup.0);
    checkup.expect_said("file-system", "(sshfs)").expect_said("file-system", "--state FILE");
    drop(remote);
    // On the disk below it all is well.
    bench.run(&state).with_code(0);
}
