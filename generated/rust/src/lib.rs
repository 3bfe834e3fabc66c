//! The messages of the package `wove.v1`: what crosses the boundary between a weave and its
//! workers. The comments of the `.proto` files, kept here, are normative.
//!
//! The types read and write protobuf (`prost`) and canonical protojson (`serde`). Flat JSON and
//! the rules where protojson's readers differ are the business of the crate `wove-worker`.
//!
//! Everything in [`v1`] is generated.

/// The package `wove.v1`.
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
#[rustfmt::skip]
pub mod v1 {
    include!("wove.v1.rs");
    include!("wove.v1.serde.rs");
}
