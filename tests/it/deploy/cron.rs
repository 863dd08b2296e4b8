//! The crontab, run as cron runs it.

use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use stara_onboard::sandbox::Fault;

use super::{prepared, read};
use crate::support::Bench;

/// The commands of the crontab, with the bench's folder and the program of this build in them.
fn commands(bench: &Bench) -> Vec<String> {
    let text = read("cron/stara-onboard.crontab");
    assert!(text.ends_with('\n'), "cron leaves out a last line that doesn't end");
    let jobs =
        text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit() || first == '*'));
    let of_job = |line: &str| {
        let fields: Vec<&str> = line.splitn(6, ' ').collect();
        let is_schedule =
            |field: &&str| field.bytes().all(|byte| byte.is_ascii_digit() || b"*,-/".contains(&byte));
        assert!(fields.len() == 6 && fields[..5].iter().all(is_schedule), "{line}");
        assert!(!line.contains('%'), "cron takes it for the end of the line");
        let command = fields[5].replace("/srv/stara-onboard", bench.folder().to_str().unwrap());
        assert!(command.contains(" exec /usr/local/bin/stara-onboard "), "{command}");
        command.replace("/usr/local/bin/stara-onboard", env!("CARGO_BIN_EXE_stara-onboard"))
    };
    jobs.map(of_job).collect()
}

/// Starts a command with no more of an environment than cron gives, and what the crontab may set beside.
fn start(bench: &Bench, command: &str) -> Child {
    Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir("/")
        .env_clear()
        .envs([("HOME", "/"), ("LOGNAME", "ops"), ("SHELL", "/bin/sh"), ("PATH", "/usr/bin:/bin")])
        .envs(bench.environment().into_iter().filter(|(name, _)| *name != "LEAF_TOKEN"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The exit code, and what would be in the mail.
fn mailed(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn cron_mails_exactly_when_somebody_is_needed() {
    let (bench, mut rows) = prepared();
    let commands = commands(&bench);
    let [run, audit] = &commands[..] else { panic!("{commands:?}") };
    let of = |command: &str| mailed(&start(&bench, command).wait_with_output().unwrap());
    assert_eq!(of(run), (Some(0), String::new()));
    assert_eq!(of(audit), (Some(0), String::new()));
    bench.expect_one_effect_each(&rows);

    bench.world().set_status(rows[0].id, "invalid");
    let (code, mail) = of(audit);
    assert_eq!(
        (code, mail.as_str()),
        (Some(6), "Audit of growers.csv: 2 healthy, 1 unhealthy; exit code 6\n")
    );
    rows.push(crate::support::growers(4)[3].with_password("sandbox:wrong-password"));
    bench.write_manifest(&rows);
    let (code, mail) = of(run);
    // The simulated Leaf doesn't know the fourth one.
    assert_eq!((code, mail.lines().count()), (Some(3), 1), "{mail}");
    for name in ["results.csv", "run.prom", "audit.prom", "onboard.log", "state/ledger.db"] {
        assert!(bench.path(name).exists(), "{name}");
    }
}

#[test]
fn of_two_starts_that_overlap_the_second_exits_11_and_is_mailed() {
    let (bench, rows) = prepared();
    bench.inject(Fault::hang().for_user(rows[0].id));
    let run = &commands(&bench)[0];
    let first = start(&bench, run);
    bench.until(|world| world.faults_befallen("hang") == 1);
    let (code, mail) = mailed(&start(&bench, run).wait_with_output().unwrap());
    assert_eq!(code, Some(11));
    assert!(mail.starts_with("error: another run holds the ledger"), "{mail}");
    // The line is an exec, so that the process is the program itself.
    let pid = Pid::from_child(&first);
    kill_process(pid, Signal::INT).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let code = first.wait_with_output().unwrap().status.code();
    assert!([Some(130), Some(143)].contains(&code), "{code:?}");
}
