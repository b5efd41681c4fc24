//! The oracles of this module's parts, for `crate::oracles`.

pub(crate) use super::guard::oracle::authority;
pub(crate) use super::hop_by_hop::oracle::hop_by_hop;
pub(crate) use super::links::oracle::links;
pub(crate) use super::rewrite::oracle::fields;
