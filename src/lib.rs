//! Bulk-onboards growers' Stara credentials into Leaf.

pub mod api;
pub mod checkpoint;
pub mod cli;
pub mod http;
pub mod manifest;
pub mod model;
pub mod pipeline;
pub mod report;
pub mod sandbox;
pub mod settings;
pub mod ui;
