//! A process of the real program among processes of its own, as in a container.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::Invocation;

/// What starts a program among processes of its own, in the session of those outside.
const NAMESPACE: [&str; 6] = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];

/// The first of these processes, with whose end all of them end.
const FIRST_PROCESS: &str =
    r#""$@"; code=$?; while [ -d "${0%/*}" ] && ! [ -e "$0" ]; do sleep 0.1; done; exit $code"#;

impl Invocation {
    /// Among processes of its own, which are there until there is a file `over`.
    pub(crate) fn in_processes_of_its_own(mut self, over: &Path) -> Self {
        let mut command = Command::new(NAMESPACE[0]);
        command.args(&NAMESPACE[1..]).args(["sh", "-c", FIRST_PROCESS]).arg(over);
        command.arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(self.command.get_current_dir().unwrap());
        self.command = command;
        self
    }
}

/// Whether this machine gives us processes of our own; says so aloud where it doesn't.
pub(crate) fn may_unshare_processes() -> bool {
    let may = Command::new(NAMESPACE[0]).args(&NAMESPACE[1..]).arg("true").output();
    let may = may.is_ok_and(|output| output.status.success());
    if !may {
        let aloud = "SKIPPED: no processes of their own can be had here, so that no container's are tried\n";
        std::io::stderr().write_all(aloud.as_bytes()).unwrap();
    }
    may
}
