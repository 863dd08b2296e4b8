//! The pages keep what they promise: their commands run, their links lead somewhere, and what they list is what there is.

mod commands;
mod links;
mod pages;
mod reader;
mod schemas;
mod sets;
