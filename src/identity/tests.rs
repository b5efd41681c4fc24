//! The token's life over months, with both clocks in the test's hand and an identity service in memory.

mod fake;
mod healing;
mod model;
mod months;
