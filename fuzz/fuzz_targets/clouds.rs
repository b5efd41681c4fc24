//! See `gatestone::oracles::clouds`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gatestone::oracles::clouds(data);
});
