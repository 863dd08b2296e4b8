//! A plain manifest that others may read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::files::Recipient;

use crate::support::{Bench, csv_of, growers};

const SAID: &str = "others on this machine may read the passwords in";

#[test]
fn a_run_warns_once_of_a_plain_manifest_that_others_may_read_and_goes_on() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let someone = Recipient::new();
    someone.keep(&bench, "key.txt");
    bench.write("growers.csv.age", someone.encrypt(csv_of(&growers).as_bytes()));
    let chmod =
        |name: &str, mode| fs::set_permissions(bench.path(name), fs::Permissions::from_mode(mode)).unwrap();
    let warned = |arguments: &[&str]| {
        let ended =
            bench.program().args(arguments).env("STARA_ONBOARD_AGE_IDENTITY", "key.txt").end().with_code(0);
        ended.stderr.matches(SAID).count()
    };
    for (mode, expected) in [(0o600, 0), (0o644, 1), (0o640, 1), (0o604, 1), (0o622, 0)] {
        chmod("growers.csv", mode);
        assert_eq!(warned(&["run", "growers.csv", "--strict"]), expected, "{mode:o}");
    }
    chmod("growers.csv", 0o644);
    chmod("growers.csv.age", 0o644);
    assert_eq!(warned(&["plan", "growers.csv"]), 1);
    assert_eq!(warned(&["run", "growers.csv", "--quiet"]), 0);
    assert_eq!(warned(&["run", "growers.csv", "--sandbox"]), 0, "a rehearsal");
    assert_eq!(warned(&["run", "growers.csv.age"]), 0, "nobody can read it");
}

#[test]
fn doctor_looks_at_who_may_read_what_opens_the_manifest() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let someone = Recipient::new();
    someone.keep(&bench, "key.txt");
    bench.write("growers.csv.age", someone.encrypt(csv_of(&growers).as_bytes()));
    fs::set_permissions(bench.path("growers.csv.age"), fs::Permissions::from_mode(0o644)).unwrap();
    let doctor = || {
        let arguments = ["doctor", "growers.csv.age", "--age-identity", "key.txt"];
        bench.program().args(arguments).end().stdout
    };
    let text = doctor();
    assert!(
        text.contains("growers.csv.age has 3 rows") && text.contains("key.txt is its owner's alone"),
        "{text}"
    );
    assert!(!text.contains("the growers' passwords"), "{text}");
    fs::set_permissions(bench.path("key.txt"), fs::Permissions::from_mode(0o644)).unwrap();
    let text = doctor();
    assert!(text.contains("may read key.txt (mode 0644), which holds what opens the manifest"), "{text}");
}

#[test]
fn a_manifest_that_an_administrator_gave_to_the_services_group_is_as_the_pages_say_and_draws_no_warning() {
    let bench = Bench::new(&growers(3));
    let path = bench.path("growers.csv");
    if std::os::unix::fs::chown(&path, Some(54_321), None).is_err() {
        eprintln!("LEFT OUT: only root may give a file away");
        return;
    }
    let warned = |mode| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let said = bench.run(&["--strict"]).with_code(0).stderr;
        let doctor = bench.program().args(["doctor", "growers.csv"]).end().stdout;
        (said, doctor)
    };
    let (said, doctor) = warned(0o640);
    assert!(!said.contains(SAID), "{said}");
    assert!(doctor.contains("is its owner's and its group's alone (mode 0640)"), "{doctor}");
    // Nobody is told to take it away from the group by which the service reads it.
    let (said, doctor) = warned(0o644);
    assert!(said.contains("(mode 0644): chmod 640 "), "{said}");
    assert!(doctor.contains("chmod 640 growers.csv"), "{doctor}");
}
