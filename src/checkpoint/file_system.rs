//! On what kind of file system a ledger lies: SQLite's write-ahead log needs memory that all of its users share, and locks
//! that hold, and over a network there is neither.
//!
//! Source: SQLite's description of its write-ahead log, section 1 ("WAL does not work over a network filesystem").

use std::path::Path;

/// What kind of file system something lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystemKind {
    /// A disk or memory of this machine.
    Local,
    /// A file system that other machines may see, too; it serves as long as only this one uses the ledger.
    Shared(&'static str),
    /// A network's: no ledger may be written there.
    Network(&'static str),
    /// Nobody says.
    Unknown,
}

impl FileSystemKind {
    /// The kind on which the file at `path` lies, or would lie once its folders are made.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let nearest = path.ancestors().find(|ancestor| ancestor.exists());
        // A relative path of one part lies in the folder where we are.
        of_existing(nearest.filter(|found| !found.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }
}

#[cfg(target_os = "linux")]
fn of_existing(path: &Path) -> FileSystemKind {
    let Ok(found) = rustix::fs::statfs(path) else { return FileSystemKind::Unknown };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "magic numbers have 32 bits, in whatever type the machine has for them"
    )]
    let magic = found.f_type as u32;
    if magic != FUSE {
        return of_magic(magic);
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let device =
        rustix::fs::stat(path).map(|stat| (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev)));
    let name = device.ok().and_then(|device| mounted_as(&mounts, device));
    name.map_or(FileSystemKind::Unknown, of_fuse)
}

#[cfg(not(target_os = "linux"))]
fn of_existing(_path: &Path) -> FileSystemKind {
    FileSystemKind::Unknown
}

/// Whatever a process of its own serves; what that is stands in the list of mounts. Source: as of [`MAGIC_NUMBERS`].
#[cfg(any(test, target_os = "linux"))]
const FUSE: u32 = 0x6573_5546;

/// File systems by what `statfs` calls them. Sources: Linux, `include/uapi/linux/magic.h` and statfs(2); for those that
/// stand in neither (from `lustre` to `snfs`, and `gfs2`, `vmhgfs` and `prl_fs`) the table of GNU coreutils' `stat`.
#[cfg(any(test, target_os = "linux"))]
const MAGIC_NUMBERS: [(u32, FileSystemKind); 20] = [
    (0x6969, FileSystemKind::Network("nfs")),
    (0x517b, FileSystemKind::Network("smb")),
    (0xff53_4d42, FileSystemKind::Network("cifs")),
    (0xfe53_4d42, FileSystemKind::Network("smb2")),
    (0x5346_414f, FileSystemKind::Network("afs")),
    (0x6b41_4653, FileSystemKind::Network("afs")),
    (0x7375_7245, FileSystemKind::Network("coda")),
    (0x564c, FileSystemKind::Network("ncp")),
    (0x00c3_6400, FileSystemKind::Network("ceph")),
    (0x0bd0_0bd0, FileSystemKind::Network("lustre")),
    (0x4750_4653, FileSystemKind::Network("gpfs")),
    (0x1983_0326, FileSystemKind::Network("beegfs")),
    (0xaad7_aaea, FileSystemKind::Network("panfs")),
    (0xbeef_dead, FileSystemKind::Network("snfs")),
    (0x7461_636f, FileSystemKind::Shared("ocfs2")),
    (0x0116_1970, FileSystemKind::Shared("gfs2")),
    // A folder of the machine around a virtual one. gVisor calls every file system so.
    (0x0102_1997, FileSystemKind::Shared("9p")),
    (0x786f_4256, FileSystemKind::Shared("vboxsf")),
    (0xbacb_acbc, FileSystemKind::Shared("vmhgfs")),
    (0x7c7c_6673, FileSystemKind::Shared("prl_fs")),
];

#[cfg(any(test, target_os = "linux"))]
fn of_magic(magic: u32) -> FileSystemKind {
    let listed = MAGIC_NUMBERS.iter().find(|(number, _)| *number == magic);
    listed.map_or(FileSystemKind::Local, |(_, kind)| *kind)
}

/// File systems in user space whose other end is on a network, by the name after `fuse.` in the list of mounts.
#[cfg(any(test, target_os = "linux"))]
const FUSE_OVER_NETWORK: [&str; 17] = [
    "sshfs",
    "s3fs",
    "goofys",
    "mount-s3",
    "gcsfuse",
    "blobfuse",
    "blobfuse2",
    "rclone",
    "davfs",
    "glusterfs",
    "ceph",
    "cephfs",
    "moosefs",
    "mfs",
    "juicefs",
    "seaweedfs",
    "curlftpfs",
];

#[cfg(any(test, target_os = "linux"))]
fn of_fuse(kind: &str) -> FileSystemKind {
    if kind == "virtiofs" {
        return FileSystemKind::Shared("virtiofs");
    }
    let Some(name) = kind.strip_prefix("fuse.") else { return FileSystemKind::Unknown };
    let listed = FUSE_OVER_NETWORK.iter().find(|listed| **listed == name);
    // One that isn't listed may be a disk with a driver in user space, such as ntfs-3g.
    listed.map_or(FileSystemKind::Unknown, |listed| FileSystemKind::Network(listed))
}

/// As what the device with these numbers is mounted. Source of the format: Linux, proc(5), `/proc/pid/mountinfo`.
#[cfg(any(test, target_os = "linux"))]
fn mounted_as(mountinfo: &str, (major, minor): (u32, u32)) -> Option<&str> {
    let device = format!("{major}:{minor}");
    let mount = mountinfo.lines().rev().find(|line| line.split(' ').nth(2) == Some(&device))?;
    let (_, behind) = mount.split_once(" - ")?;
    behind.split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_told_from_disks_and_from_shared_folders() {
        for (magic, name) in
            [(0x6969, "nfs"), (0xff53_4d42, "cifs"), (0xfe53_4d42, "smb2"), (0x00c3_6400, "ceph")]
        {
            assert_eq!(of_magic(magic), FileSystemKind::Network(name));
        }
        assert_eq!(of_magic(0x0102_1997), FileSystemKind::Shared("9p"));
        // ext4, XFS, btrfs, tmpfs, overlayfs.
        for magic in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630] {
            assert_eq!(of_magic(magic), FileSystemKind::Local);
        }
        let mut numbers: Vec<u32> = MAGIC_NUMBERS.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), MAGIC_NUMBERS.len(), "no number stands there twice");
    }

    #[test]
    fn what_a_file_system_in_user_space_is_stands_in_the_list_of_mounts() {
        let mountinfo = "22 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw\n\
                         96 28 0:47 / /mnt/a\\040b rw,relatime shared:5 master:2 - fuse.sshfs ops@host:/ rw,user_id=0\n\
                         97 28 8:1 / /mnt/ntfs rw - fuseblk /dev/sdb1 rw\n\
                         98 28 0:48 / /mnt/host rw - virtiofs share rw\n";
        assert_eq!(mounted_as(mountinfo, (0, 47)), Some("fuse.sshfs"));
        assert_eq!(mounted_as(mountinfo, (0, 99)), None);
        let kind = |device| mounted_as(mountinfo, device).map(of_fuse);
        assert_eq!(kind((0, 47)), Some(FileSystemKind::Network("sshfs")));
        assert_eq!(kind((8, 1)), Some(FileSystemKind::Unknown));
        assert_eq!(kind((0, 48)), Some(FileSystemKind::Shared("virtiofs")));
        assert_eq!(of_fuse("fuse.ntfs-3g"), FileSystemKind::Unknown);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_not_there_yet_lies_where_its_nearest_folder_does() {
        // Memory, on every Linux.
        assert_eq!(FileSystemKind::of(Path::new("/dev/shm/no/such/folder/ledger.db")), FileSystemKind::Local);
        let here = FileSystemKind::of(Path::new("no/such/folder/ledger.db"));
        assert_eq!(here, FileSystemKind::of(Path::new(".")));
        assert_eq!(here, FileSystemKind::of(Path::new("ledger.db")));
    }
}
