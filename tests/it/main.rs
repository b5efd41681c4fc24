//! The proxy as a whole, between a fake Keystone, fake services and byte-level
//! clients, all on one runtime whose clock is stopped. See `support`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod support;

mod addresses;
mod admin;
mod deadlines;
mod discovery;
mod face;
mod forwarding;
mod guard;
mod healing;
mod keeping;
mod links;
mod listeners;
mod replay;
mod routing;
mod shutdown;
mod streaming;
mod tls;
mod token;
mod uploads;
mod upstreams;
