//! The object store, as Swift answers.

use std::sync::Arc;

use http::{Request, StatusCode};
use hyper::body::Incoming;

use super::catalog::Row;
use super::keystone::Keystone;
use super::reply;
use super::service::{Answer, Service};
use super::store::Room;
use super::time::Time;

/// The service.
#[derive(Debug)]
pub(super) struct Objects {
    row: &'static Row,
    keystone: Arc<Keystone>,
    room: Room,
    time: Time,
}

impl Objects {
    pub(super) fn new(row: &'static Row, keystone: Arc<Keystone>, room: Room, time: Time) -> Self {
        Self { row, keystone, room, time }
    }
}

impl Service for Objects {
    fn answer(&self, _request: Request<Incoming>) -> Answer<'_> {
        Box::pin(async { reply::empty(StatusCode::NOT_IMPLEMENTED) })
    }
}
