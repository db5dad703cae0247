//! Nothing: what this crate is about are its tests.
