//! Compute and its like - version documents, collections in pages, self links.

use std::sync::Arc;

use http::{Request, StatusCode};
use hyper::body::Incoming;

use super::catalog::Row;
use super::keystone::Keystone;
use super::reply;
use super::service::{Answer, Service};
use super::time::Time;

/// The service.
#[derive(Debug)]
pub(super) struct Resources {
    row: &'static Row,
    keystone: Arc<Keystone>,
    time: Time,
}

impl Resources {
    pub(super) fn new(row: &'static Row, keystone: Arc<Keystone>, time: Time) -> Self {
        Self { row, keystone, time }
    }
}

impl Service for Resources {
    fn answer(&self, _request: Request<Incoming>) -> Answer<'_> {
        Box::pin(async { reply::empty(StatusCode::NOT_IMPLEMENTED) })
    }
}
