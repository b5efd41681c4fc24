//! The proxy as a whole, between a fake Keystone, fake services and byte-level
//! clients, all on one runtime whose clock is stopped. See `support`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod support;

mod addresses;
mod admin;
mod deadlines;
mod discovery;
mod endings;
mod face;
mod federation;
mod forwarding;
mod framing;
mod guard;
mod healing;
mod interim;
mod keeping;
mod limits;
mod links;
mod listeners;
mod methods;
mod names;
mod page;
mod reloading;
mod replay;
mod routing;
mod rules;
mod shutdown;
mod standalone;
mod streaming;
mod tls;
mod token;
mod upgrades;
mod uploads;
mod upstreams;
mod users;
