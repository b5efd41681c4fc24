//! See `gatestone::oracles::links`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gatestone::oracles::links(data);
});
