//! `doctor`: what would stop a run is named before anything is sent, and what is in order is not complained of.

mod canary;
mod files;
mod network;
mod network_file_system;
mod token;
mod withheld;

use serde_json::Value;
use stara_onboard::sandbox::CallKind::{Authenticate, ListUsers, Other};

use crate::support::{Bench, Ended, Invocation, growers};

/// `doctor` with a manifest that only its owner may read.
fn doctor(bench: &Bench, arguments: &[&str]) -> Invocation {
    use std::os::unix::fs::PermissionsExt as _;
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(bench.path("growers.csv"), private).unwrap();
    bench.program().args(["doctor", "growers.csv", "--json"]).args(arguments)
}

/// What a checkup found.
struct Checkup(Value);

impl Checkup {
    fn of(ended: &Ended) -> Self {
        let checkup: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
        let problems = checkup["problems"].as_u64().unwrap();
        assert_eq!(ended.code, Some(if problems > 0 { 2 } else { 0 }), "{ended:?}");
        assert_eq!(checkup["schema"], 1);
        Self(checkup)
    }

    fn checks(&self) -> &[Value] {
        self.0["checks"].as_array().unwrap()
    }

    /// The checks with this standing, as `name` or `name of service`.
    fn with(&self, standing: &str) -> Vec<String> {
        let named = self.checks().iter().filter(|check| check["standing"] == standing).map(|check| {
            let name = check["check"].as_str().unwrap();
            check["service"]
                .as_str()
                .map_or_else(|| name.to_owned(), |service| format!("{name} of {service}"))
        });
        named.collect()
    }

    /// What is said of one check, with the advice.
    #[track_caller]
    fn said(&self, name: &str) -> String {
        let is_meant = |check: &&Value| {
            let service = check["service"].as_str();
            let own = check["check"].as_str().unwrap();
            own == name || service.is_some_and(|service| format!("{own} of {service}") == name)
        };
        let check = self.checks().iter().find(is_meant).unwrap_or_else(|| panic!("no {name} in {}", self.0));
        format!("{} {}", check["found"].as_str().unwrap(), check["advice"].as_str().unwrap_or_default())
    }

    /// Expects exactly these warnings and problems.
    #[track_caller]
    fn expect(&self, warnings: &[&str], problems: &[&str]) -> &Self {
        assert_eq!(
            (self.with("warning"), self.with("problem")),
            (to_owned(warnings), to_owned(problems)),
            "{:#}",
            self.0
        );
        self
    }

    /// Expects that a check says this.
    #[track_caller]
    fn expect_said(&self, name: &str, words: &str) -> &Self {
        assert!(self.said(name).contains(words), "{words:?} isn't in {:?}", self.said(name));
        self
    }
}

fn to_owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn where_everything_is_in_order_nothing_is_complained_of_and_three_requests_are_sent() {
    let bench = Bench::new(&growers(7));
    let checkup = Checkup::of(&doctor(&bench, &[]).end());
    checkup.expect(&[], &[]);
    checkup
        .expect_said("manifest", "growers.csv has 7 rows")
        .expect_said("leaf-token", "the account has 7 users");
    let calls: Vec<_> = bench.seen().into_iter().map(|call| call.call).collect();
    let counts =
        [Other, ListUsers, Authenticate].map(|kind| calls.iter().filter(|call| **call == kind).count());
    assert_eq!((calls.len(), counts), (3, [2, 1, 0]), "{calls:?}");
    assert!(!bench.path("state").exists(), "it makes nothing");
}

#[test]
fn a_checkup_reads_like_a_list_and_quiet_leaves_only_what_somebody_should_see() {
    let bench = Bench::new(&growers(2));
    let text = |arguments: &[&str]| {
        let ended = bench.program().args(["doctor"]).args(arguments).end();
        (ended.code, ended.stdout)
    };
    let (code, said) = text(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("ok       clock             this machine's clock agrees"), "{said}");
    assert!(said.ends_with("A run can begin.\n"), "{said}");
    assert_eq!(text(&["-q"]), (Some(0), String::new()));
    let (code, said) = text(&["-q", "nowhere.csv"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.starts_with("problem  manifest") && said.contains("check the name: it is looked for in "),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn every_check_is_in_the_documentation() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/DOCTOR.md");
    let page = std::fs::read_to_string(page).unwrap();
    let bench = Bench::new(&growers(2));
    bench.run(&[]).with_code(0);
    bench.write("token", "leaf-token");
    let checkup = Checkup::of(&doctor(&bench, &["--canary", "2", "--leaf-token-file", "token"]).end());
    let names: Vec<&str> = checkup.checks().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names.into_iter().chain(["run-lock"]) {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}
