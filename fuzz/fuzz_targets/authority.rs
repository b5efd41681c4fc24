//! See `gatestone::oracles::authority`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gatestone::oracles::authority(data);
});
