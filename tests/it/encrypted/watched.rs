//! What a run with an encrypted manifest writes, watched by the system.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::files::{Recipient, has};

use crate::support::leaks::Needles;
use crate::support::{Bench, Grower, csv_of, growers};

/// What a call wrote, and where to, as strace tells it with `-y -xx`.
struct Write {
    place: String,
    bytes: Vec<u8>,
}

/// The calls that write, from a trace.
fn writes(trace: &str) -> Vec<Write> {
    let mut found = Vec::new();
    for line in trace.lines() {
        let Some((call, rest)) = line.split_once('(') else { continue };
        let name = call.rsplit(' ').next().unwrap_or_default();
        if !["write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg"].contains(&name) {
            continue;
        }
        let place =
            rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(place, _)| place);
        let mut bytes = Vec::new();
        for hex in rest.split("\\x").skip(1) {
            bytes.extend(u8::from_str_radix(&hex[..2], 16).ok());
        }
        found.push(Write { place: unescaped(place), bytes });
    }
    found
}

/// A path as strace writes it with `-xx`.
fn unescaped(text: &str) -> String {
    if !text.contains("\\x") {
        return text.to_owned();
    }
    let bytes = text.split("\\x").skip(1).filter_map(|hex| u8::from_str_radix(hex, 16).ok());
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

/// Runs the program under strace, and gives what it wrote and whether its calls to the services were among it.
fn watched(bench: &Bench, arguments: &[&str]) -> Vec<Write> {
    let status = Command::new("strace")
        .args(["-f", "-qq", "-y", "-xx", "-s", "10000000", "-o", "trace"])
        .args(["-e", "trace=write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,copy_file_range,sendfile,splice,tee,vmsplice"])
        .arg(env!("CARGO_BIN_EXE_stara-onboard"))
        .args(arguments)
        .current_dir(bench.folder())
        .envs(bench.environment())
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let trace = fs::read_to_string(bench.path("trace")).unwrap();
    for way_around in ["copy_file_range(", "sendfile(", "splice(", "vmsplice("] {
        assert!(!trace.contains(way_around), "what {way_around} moves can't be seen");
    }
    fs::remove_file(bench.path("trace")).unwrap();
    writes(&trace)
}

fn passwords(growers: &[Grower]) -> Vec<String> {
    growers.iter().map(|grower| grower.password.clone()).collect()
}

#[test]
fn no_plain_byte_of_an_encrypted_manifest_is_written_anywhere_but_to_the_service_it_is_for() {
    if !has("strace", "what a run with an encrypted manifest writes") {
        return;
    }
    let growers: Vec<Grower> = growers(40)
        .iter()
        .enumerate()
        .map(|(at, row)| row.with_password(&format!("pläin-{at}-\"açúcar\"-{at}")))
        .collect();
    let bench = Bench::new(&growers);
    let someone = Recipient::new();
    someone.keep(&bench, "key.txt");
    let manifest = csv_of(&growers);
    bench.write("growers.csv.age", someone.encrypt(manifest.as_bytes()));
    fs::remove_file(bench.path("growers.csv")).unwrap();
    let rows: Vec<String> = manifest.lines().skip(1).map(str::to_owned).collect();
    let needles = Needles::new(passwords(&growers).into_iter().chain(rows).chain([someone.secret()]));
    let by_command = [
        "run",
        "growers.csv.age",
        "-vvv",
        "--log-file",
        "log",
        "--state",
        "other/ledger.db",
        "--retry-failed",
        "--decrypt-command",
        "age -d -i key.txt {}",
    ];
    let by_age = ["run", "growers.csv.age", "-vvv", "--log-file", "log", "--age-identity", "key.txt"];
    let mut ways = vec![&by_age[..]];
    if has("age", "what a run with a command writes") {
        ways.push(&by_command);
    }
    for arguments in ways {
        let writes = watched(&bench, arguments);
        let mut leaks = BTreeSet::new();
        let (mut files, mut sent) = (BTreeSet::new(), 0);
        for write in &writes {
            let is_elsewhere = write.place.starts_with("socket:") || write.place.starts_with("TCP");
            let is_pipe = write.place.starts_with("pipe:") || write.place.starts_with("anon_inode:");
            if is_elsewhere {
                sent += usize::from(!needles.find("socket", &write.bytes).is_empty());
            } else if !is_pipe {
                files.insert(write.place.clone());
                leaks.extend(needles.find(&write.place, &write.bytes));
            }
        }
        assert!(leaks.is_empty(), "{leaks:#?}");
        // The watch itself sees what is written: the ledger, the report, the log; and passwords on their way to Stara.
        for part in ["ledger.db-wal", "log", "results"] {
            assert!(files.iter().any(|file| file.contains(part)), "{part} isn't among {files:?}");
        }
        assert!(sent > 0 || arguments.contains(&"--decrypt-command"), "no password was seen on its way");
    }
    let (leaks, _) = needles.find_below(bench.folder(), &["key.txt"]);
    assert!(leaks.is_empty(), "{leaks:#?}");
    bench.expect_one_effect_each(&growers);
}
