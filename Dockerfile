# The image for a sidecar: the program, the roots of the public certificate authorities, and nothing else.
#
#     docker build --build-arg GATESTONE_COMMIT=$(git rev-parse --short=12 HEAD) -t gatestone .
#
# podman and buildah: with --format docker, else the health check is lost. The commit is what `--version` and the metrics
# tell; there is no git in here to ask. Without the argument they say `unknown`.
#
# The program is one static file, linked with glibc. Since glibc 2.34 looking up names by /etc/hosts and
# by DNS needs no library at run time (the linker's warning about getaddrinfo is about other sources that an
# nsswitch.conf may name; without their libraries they are passed over). musl would do as well, but its allocator
# makes a request of 1 KiB cost 1.2 times the CPU time, and one of 64 KiB 2.2 times (benches/peers).
# tests/image/build shows that the names are found.

# Any Debian with Rust 1.95, gcc and ca-certificates, on every architecture that it is made for. A tag is built
# anew from time to time; to have the very same: --build-arg BUILDER=docker.io/library/rust@sha256:...
ARG BUILDER=docker.io/library/rust:1.95-slim-trixie

FROM ${BUILDER} AS build
WORKDIR /build
COPY . .
# Without line tables, which would more than triple the file; names of functions stay for backtraces.
ENV CARGO_PROFILE_RELEASE_DEBUG=none
# Empty counts as none (build.rs).
ARG GATESTONE_COMMIT
# With a target named, the flag is not for what runs during the build (procedural macros cannot be static).
RUN target=$(rustc --print host-tuple) \
    && RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$target" \
    && cp "target/$target/release/gatestone" /gatestone

FROM scratch
LABEL org.opencontainers.image.title="Gatestone" \
      org.opencontainers.image.description="A local authenticating reverse proxy for OpenStack clouds" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /gatestone /usr/bin/
# No account of this number exists nor has to; any other does as well.
USER 65532:65532
# Stay up, not ready, when the credentials are refused: restarts would try them until the account is locked.
# A variable comes before a mounted gatestone.toml; the flag `--on-refused exit` before the variable. All else has
# its default: it listens on port 5050 of loopback, which is why nothing is exposed. Containers that share the
# network namespace reach it.
ENV GATESTONE_ON_REFUSED=wait
# Containers of a pod share loopback and differ in user, whose ids mean nothing to each other.
ENV GATESTONE_ALLOW_USERS=any
STOPSIGNAL SIGTERM
# Alive, not ready: whoever starts others after it asks `gatestone health --ready`.
HEALTHCHECK --interval=30s --timeout=6s --start-period=5s CMD ["/usr/bin/gatestone", "health"]
ENTRYPOINT ["/usr/bin/gatestone"]
CMD ["run"]
