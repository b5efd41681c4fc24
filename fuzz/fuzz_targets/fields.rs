//! See `gatestone::oracles::fields`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gatestone::oracles::fields(data);
});
