//! Builds the examples as this test was built, and runs them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the repository, in which the examples find the manifest.
const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// What an example prints, which ends well.
pub(crate) fn printed(name: &str, arguments: &[&str]) -> String {
    let example = folder().join(name);
    let output = Command::new(&example).args(arguments).current_dir(REPOSITORY).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {stderr}");
    assert_eq!(stderr, "", "{name}: the library prints nothing by itself");
    String::from_utf8(output.stdout).unwrap()
}

/// Where the examples are. `cargo test` builds them with the tests, but `cargo test --test examples` doesn't.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        // target/PROFILE/deps/this
        let profile = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        let name = match profile.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(REPOSITORY).args(["build", "--quiet", "--examples", "--profile", name]);
        cargo.arg("--target-dir").arg(profile.parent().unwrap()).arg("--no-default-features");
        for (feature, is_on) in
            [("age", cfg!(feature = "age")), ("object-store", cfg!(feature = "object-store"))]
        {
            if is_on {
                cargo.args(["--features", feature]);
            }
        }
        assert!(cargo.status().unwrap().success(), "the examples can't be built");
        profile.join("examples")
    })
}
