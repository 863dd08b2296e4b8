//! What `--version` says: of what this program is built.

/// The version, and whatever a question about the program's behaviour begins with. `-V` says its first line only.
pub(super) fn whole() -> String {
    let locked = |name: &str, version: Option<&str>| match version {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    };
    [
        env!("CARGO_PKG_VERSION").to_owned(),
        format!("commit: {}", option_env!("BUILT_OF_COMMIT").unwrap_or("unknown")),
        format!(
            "build: {}, {}, {}",
            env!("BUILT_AS_PROFILE"),
            env!("BUILT_FOR_TARGET"),
            env!("BUILT_BY_COMPILER")
        ),
        format!("features: {}", env!("BUILT_WITH_FEATURES")),
        format!("SQLite: {}", rusqlite::version()),
        format!(
            "TLS: {}, {}",
            locked("rustls", option_env!("LOCKED_RUSTLS")),
            locked("aws-lc-rs", option_env!("LOCKED_AWS_LC_RS"))
        ),
    ]
    .join("\n")
}
