//! The settings file, and where each setting comes from: flags over environment over file over defaults.
//!
//! Main types: [`Given`], a parsed command line; [`Refusal`], one that makes no sense; [`ConfigurationFlags`]; [`Opening`], what a
//! call says of its settings; and [`DeclaredVerb`], a verb with its flags as clap declares them. Everything here is read off those declarations, so that one
//! declaration gives help, environment variable and key of the file, and it knows no flag by its name but the few that make
//! no sense in a file. Values of the file become clap's defaults, so that they go through the same parsers, and whatever is
//! said by flag or environment wins.
//!
//! It may not know what a setting does.

mod declared;
mod flags;
mod given;
mod init;
mod inject;
mod locate;
mod matching;
mod opening;
mod show;
mod template;
mod value;
mod variables;

use declared::DeclaredVerb;
pub(super) use flags::ConfigurationFlags;
pub(super) use given::{Given, Refusal, parse, without_empty_variables};
pub(super) use init::{InitArguments, init};
pub(super) use opening::Opening;
pub(super) use value::is_predicate;
