//! What bash needs beyond the script that clap makes.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::words;

/// The name under which clap makes its script: in that of a program with a hyphen the names of verbs don't agree with each
/// other (`clap_complete` 4.6.11), so that none of their flags is offered.
pub(super) fn without_hyphens(name: &str) -> String {
    name.replace('-', "_")
}

/// A function around that of clap's script, which takes its place.
///
/// To bash an equals sign parts words, so that `--precheck=ro` is three of them, and only behind the sign may a value
/// follow a flag such as `--sandbox`. And where the next word needn't be a flag, flags would hide the files.
pub(super) fn wrapper(program: &Command, name: &str) -> String {
    let flags: Vec<String> = behind_equals(program).iter().map(|flag| format!("--{flag}")).collect();
    let function = without_hyphens(name);
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = write!(
        text,
        r#"
_{function}__around() {{
    local word="$2" before="$3" found kept=() sign=no
    if [[ "$COMP_CWORD" -ge 2 && "${{COMP_WORDS[COMP_CWORD]}}" == "=" ]]; then
        word="" before="${{COMP_WORDS[COMP_CWORD-1]}}" sign=yes
    elif [[ "$COMP_CWORD" -ge 3 && "${{COMP_WORDS[COMP_CWORD-1]}}" == "=" ]]; then
        before="${{COMP_WORDS[COMP_CWORD-2]}}" sign=yes
    fi
    if [[ "$sign" == no ]]; then
        case "$before" in
            {only_behind_sign})
                before=""
                ;;
        esac
    fi
    _{function} "$1" "$word" "$before"
    if [[ "$word" != -* ]]; then
        for found in "${{COMPREPLY[@]}}"; do
            [[ "$found" == -* ]] || kept+=("$found")
        done
        COMPREPLY=("${{kept[@]}}")
    fi
}}

if [[ "${{BASH_VERSINFO[0]}}" -eq 4 && "${{BASH_VERSINFO[1]}}" -ge 4 || "${{BASH_VERSINFO[0]}}" -gt 4 ]]; then
    complete -F _{function}__around -o nosort -o bashdefault -o default {name}
else
    complete -F _{function}__around -o bashdefault -o default {name}
fi
"#,
        only_behind_sign = flags.join("|"),
    );
    text
}

/// The flags that take a value only behind an equals sign.
fn behind_equals(program: &Command) -> Vec<String> {
    let mut flags: Vec<String> = words::arguments(program)
        .filter(|(_, argument)| argument.is_require_equals_set())
        .filter_map(|(_, argument)| Arg::get_long(argument).map(str::to_owned))
        .collect();
    flags.sort_unstable();
    flags.dedup();
    flags
}
