//! Images and their data, as Glance answers.

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
pub(super) struct Images {
    row: &'static Row,
    keystone: Arc<Keystone>,
    room: Room,
    time: Time,
}

impl Images {
    pub(super) fn new(row: &'static Row, keystone: Arc<Keystone>, room: Room, time: Time) -> Self {
        Self { row, keystone, room, time }
    }
}

impl Service for Images {
    fn answer(&self, _request: Request<Incoming>) -> Answer<'_> {
        Box::pin(async { reply::empty(StatusCode::NOT_IMPLEMENTED) })
    }
}
