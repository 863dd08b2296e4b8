//! Bulk-onboards growers' Stara credentials into Leaf.

pub mod model;
