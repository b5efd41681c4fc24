//! See `gatestone::oracles::identity`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gatestone::oracles::identity(data);
});
