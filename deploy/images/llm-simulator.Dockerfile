# Any image with glibc will do for the runtime: nothing is run while it is built.
ARG BUILDER_BASE=rust:1.95.0-bookworm
ARG RUNTIME_BASE=debian:12.12-slim

FROM ${BUILDER_BASE} AS build
WORKDIR /src
COPY . .
# The caches are shared by the three images; one build at a time uses them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,id=bookstore-target,sharing=locked,target=/src/target \
    cargo build --release --locked -p llm-simulator \
    && mkdir -p /out \
    && cp target/release/llm-simulator /out/

FROM ${RUNTIME_BASE}
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/llm-simulator /usr/local/bin/llm-simulator
USER 10001:10001
EXPOSE 7010
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=5 \
    CMD ["/usr/local/bin/llm-simulator", "--healthcheck"]
ENTRYPOINT ["/usr/local/bin/llm-simulator"]
