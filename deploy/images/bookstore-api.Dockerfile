# Any image with glibc will do for the runtime: nothing is run while it is built.
ARG BUILDER_BASE=rust:1.95.0-bookworm
ARG RUNTIME_BASE=debian:12.12-slim

FROM ${BUILDER_BASE} AS build
WORKDIR /src
COPY . .
# The caches are shared by the three images; one build at a time uses them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,id=bookstore-target,sharing=locked,target=/src/target \
    cargo build --release --locked -p bookstore-api \
    && mkdir -p /out/state \
    && cp target/release/bookstore-api /out/

FROM ${RUNTIME_BASE}
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/bookstore-api /usr/local/bin/bookstore-api
# A new volume takes the owner of the directory that it is mounted over.
COPY --from=build --chown=10001:10001 /out/state /var/lib/bookstore
USER 10001:10001
WORKDIR /var/lib/bookstore
ENV BOOKSTORE_STATE_DIR=/var/lib/bookstore
EXPOSE 7002
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=5 \
    CMD ["/usr/local/bin/bookstore-api", "--healthcheck"]
ENTRYPOINT ["/usr/local/bin/bookstore-api"]
