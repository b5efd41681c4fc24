//! See `gatestone::oracles::routes`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gatestone::oracles::routes(data);
});
