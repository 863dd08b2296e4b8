//! Bulk-onboards growers' Stara credentials into Leaf.

pub mod http;
pub mod model;
