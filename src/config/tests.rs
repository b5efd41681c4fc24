//! The whole of `Config::load`, with a map for the environment and a directory for the file system.
