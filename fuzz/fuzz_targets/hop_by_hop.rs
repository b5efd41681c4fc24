//! See `gatestone::oracles::hop_by_hop`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gatestone::oracles::hop_by_hop(data);
});
