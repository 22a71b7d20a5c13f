//! What handlers are given, checked.

pub(super) mod address;
pub(super) mod administrator;
mod caller;
pub(super) mod certificate;
pub(super) mod client;
pub(super) mod form;
pub(super) mod params;
pub(super) mod subject;
pub(super) mod viewer;
