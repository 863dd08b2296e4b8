//! `man`: the manual, a page of the tool and one of each verb, made of the help as clap declares it.
//!
//! Main types: [`ManArguments`]; [`Page`], one page and the name of its file.
//!
//! It may not say of a flag what the help doesn't say.

mod page;
mod verb;

use page::Page;
pub(super) use verb::{ManArguments, man};
