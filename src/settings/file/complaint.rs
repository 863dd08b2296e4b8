//! What can be wrong with one line of a settings file.

/// Why a key, its table or its value can't be used, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Complaint {
    /// A key of no verb.
    #[error("there is no setting `{key}`{}", perhaps(.nearest.as_deref()))]
    UnknownKey {
        /// The key.
        key: String,
        /// The nearest that there is.
        nearest: Option<String>,
    },
    /// A known key in another spelling: with underscores, in capitals, or the name of its environment variable.
    #[error("write `{right}` instead of `{key}`")]
    Misspelt {
        /// The key.
        key: String,
        /// How it is written.
        right: String,
    },
    /// A key that the verb of this table doesn't have.
    #[error("`{key}` is no setting of {table}, but of {}: write it at the top, or under [{}]", .verbs.join(", "), .verbs[0])]
    ElsewhereOnly {
        /// The table.
        table: String,
        /// The key.
        key: String,
        /// The tables to which it belongs, at least one.
        verbs: Vec<String>,
    },
    /// A flag that is about one call.
    #[error("`{key}` belongs to one call: give it on the command line as --{key}")]
    OneCall {
        /// The key.
        key: String,
    },
    /// What stands on the command line without a flag.
    #[error("`{key}` is no setting: it is given on the command line")]
    Positional {
        /// The key.
        key: String,
    },
    /// A secret.
    #[error("`{key}` is a secret, which belongs in no settings file: take it out, and {instead}")]
    Secret {
        /// The key.
        key: String,
        /// Where it belongs.
        instead: String,
    },
    /// A table of no verb.
    #[error("there is no verb `{table}`{}", perhaps(.nearest.as_ref().map(|table| format!("[{table}]")).as_deref()))]
    UnknownTable {
        /// The table.
        table: String,
        /// The nearest that there is.
        nearest: Option<String>,
    },
    /// A key or a table where the tables of the verbs below are meant.
    #[error("the settings of `{table}` stand under {}", .verbs.iter().map(|verb| format!("[{verb}]")).collect::<Vec<_>>().join(" and "))]
    NotATable {
        /// The name.
        table: String,
        /// The tables, at least one.
        verbs: Vec<String>,
    },
    /// A value that the setting can't have.
    #[error("`{key}` {reason}{}", for_verb(.verb.as_deref()))]
    BadValue {
        /// The key.
        key: String,
        /// Why, as a predicate: *must be …*.
        reason: String,
        /// The table of the verb for which it can't, where others can.
        verb: Option<String>,
    },
    /// Two settings that rule each other out.
    #[error("`{key}` and `{other}` rule each other out")]
    Conflict {
        /// The key.
        key: String,
        /// The other one.
        other: String,
    },
}

fn perhaps(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; `stara-onboard init -` lists all".to_owned(),
        |nearest| format!("; did you mean {nearest}?"),
    )
}

fn for_verb(verb: Option<&str>) -> String {
    verb.map_or_else(String::new, |verb| {
        format!(" (for `{verb}`: write it under the tables it is meant for)")
    })
}
