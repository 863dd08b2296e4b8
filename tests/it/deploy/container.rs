//! The image: what the Dockerfile says, and the program in a root as empty and as read-only as the image's.

use std::process::Command;

use rustix::process::geteuid;

use super::{deployed, has, prepared_of, read, say, tell_aloud};
use crate::support::Bench;

const DOCKERFILE: &str = "container/Dockerfile";

/// The last stage's instructions.
fn image() -> Vec<String> {
    let text = read(DOCKERFILE);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let from = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    lines[from..].to_vec()
}

/// The program in a root of its own, which is read-only but for `/state` and `/tmp` and holds nothing but it, the libraries
/// that it asks for, and the certificates; as a user whom no list of users knows. The folder of the bench is `/bench`.
///
/// `STATIC_PROGRAM` may name a static build, which brings no library.
const IN_EMPTY_ROOT: &str = r#"
set -eu
program=$1 bench=$2 root=$2/root
shift 2
mkdir -p "$root" "$bench/state"
chown 65532:65532 "$bench/state"
mount -t tmpfs none "$root"
cd "$root"
mkdir -p usr/local/bin etc/ssl/certs state tmp bench
cp "$program" usr/local/bin/stara-onboard
for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*'); do
  mkdir -p ".$(dirname "$library")"
  cp "$library" ".$library"
done
[ -n "${WITHOUT_CERTIFICATES:-}" ] || cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/
mount --bind "$bench/state" state
mount --bind -o ro "$bench" bench
mount -t tmpfs -o mode=1777 none tmp
mount -o remount,ro "$root"
exec chroot --userspec=65532:65532 "$root" /usr/local/bin/stara-onboard "$@"
"#;

/// The exit code, and what was said, of the program in an empty root.
fn in_empty_root(bench: &Bench, without: Option<&str>, arguments: &[&str]) -> (Option<i32>, String) {
    let program = std::env::var("STATIC_PROGRAM");
    let program = program.as_deref().unwrap_or(env!("CARGO_BIN_EXE_stara-onboard"));
    let environment = bench.environment().into_iter().filter(|(name, _)| *name != "LEAF_TOKEN");
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", IN_EMPTY_ROOT, "sh", program])
        .arg(bench.folder())
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .envs(environment)
        .envs(without.map(|what| (what, "yes")))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Whether this machine lets us make such a root; says so aloud where it doesn't.
fn may_make_roots() -> bool {
    let may = geteuid().is_root()
        && Command::new("unshare")
            .args(["--mount", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/mnt"])
            .output()
            .is_ok_and(|output| output.status.success());
    if !may {
        tell_aloud("no root of its own can be made here, so that the program isn't tried in an empty one");
    }
    may
}

#[test]
fn the_dockerfile_passes_hadolint() {
    if !has("hadolint", "the Dockerfile") {
        return;
    }
    assert_eq!(say("hadolint", &[deployed(DOCKERFILE).to_str().unwrap()]), (true, String::new()));
}

#[test]
fn the_image_holds_the_program_alone_and_runs_it_as_nobody_in_particular() {
    let image = image();
    let value = |instruction: &str| {
        let lines: Vec<&str> =
            image.iter().filter_map(|line| line.strip_prefix(&format!("{instruction} "))).collect();
        assert_eq!(lines.len(), 1, "{instruction}: {lines:?}");
        lines[0].to_owned()
    };
    assert_eq!(value("FROM"), "scratch");
    assert_eq!(value("COPY"), "--from=build /image/ /");
    assert_eq!(value("USER"), "65532:65532");
    assert_eq!(value("STOPSIGNAL"), "SIGTERM");
    // A shell wouldn't pass the signal on, and there is none.
    assert_eq!(value("ENTRYPOINT"), r#"["/usr/local/bin/stara-onboard"]"#);
}

#[test]
fn nothing_but_what_the_program_is_built_of_gets_to_the_builder() {
    let ignored = include_str!("../../../.dockerignore");
    let patterns: Vec<&str> = ignored.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        patterns,
        ["*", "!Cargo.toml", "!Cargo.lock", "!build.rs", "!build", "!src", "!benches", "!tests"]
    );
}

#[test]
fn in_an_empty_read_only_root_everything_works_that_needs_no_more_than_state_and_tmp() {
    if !may_make_roots() {
        return;
    }
    let (bench, rows) = prepared_of(12);
    let run = ["run", "/bench/growers.csv", "--leaf-token-file", "/bench/leaf-token", "--progress", "none"];
    let ends = |expected: i32, arguments: &[&str]| {
        let (code, said) = in_empty_root(&bench, None, arguments);
        assert_eq!(code, Some(expected), "{arguments:?}\n{said}");
        said
    };
    assert!(ends(0, &["--version"]).starts_with("stara-onboard "));
    ends(0, &["check", "/bench/growers.csv"]);
    ends(0, &["doctor", "/bench/growers.csv", "--leaf-token-file", "/bench/leaf-token"]);
    ends(0, &["run", "/bench/growers.csv", "--sandbox", "--progress", "none"]);
    ends(0, &["plan", run[1], run[2], run[3]]);
    ends(0, &[&run[..], &["--precheck", "list"]].concat());
    bench.expect_one_effect_each(&rows);
    ends(0, &["plan", run[1], run[2], run[3]]);
    ends(0, &["status"]);
    // The defaults lead to the volume.
    for name in ["ledger.db", "sandbox.db", "growers.results.csv"] {
        assert!(bench.path("state").join(name).exists(), "{name}");
    }
    let other = [&run[..], &["--state", "/state/other.db", "--leaf-url", "https://127.0.0.1:9"]].concat();
    let (code, said) = in_empty_root(&bench, Some("WITHOUT_CERTIFICATES"), &other);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("certificates"), "{said}");
}
