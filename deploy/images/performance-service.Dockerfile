# Any image with glibc will do for the runtime: nothing is run while it is built.
ARG BUILDER_BASE=rust:1.95.0-bookworm
ARG GO_BASE=golang:1.26.1-bookworm
ARG RUNTIME_BASE=debian:12.12-slim

# Both majors of k6, static, from the same pins as on a bare machine.
FROM ${GO_BASE} AS k6
ENV CGO_ENABLED=0 GOFLAGS=-buildvcs=false
COPY deploy/tools/k6-v2 /src/k6-v2
COPY deploy/tools/k6-v1 /src/k6-v1
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    cd /src/k6-v2 \
    && go build -mod=readonly -trimpath -ldflags '-s -w' -o /out/k6 go.k6.io/k6/v2 \
    && cd /src/k6-v1 \
    && go build -mod=readonly -trimpath -ldflags '-s -w' -o /out/k6-v1 go.k6.io/k6

FROM ${BUILDER_BASE} AS build
WORKDIR /src
COPY . .
# The caches are shared by the three images; one build at a time uses them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,id=bookstore-target,sharing=locked,target=/src/target \
    cargo build --release --locked -p performance-service \
    && mkdir -p /out/state \
    && cp target/release/performance-service /out/

FROM ${RUNTIME_BASE}
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=k6 /out/k6 /out/k6-v1 /usr/local/bin/
COPY --from=build /out/performance-service /usr/local/bin/performance-service
COPY k6 /srv/k6
# A new volume takes the owner of the directory that it is mounted over.
COPY --from=build --chown=10001:10001 /out/state /var/lib/bookstore
USER 10001:10001
WORKDIR /var/lib/bookstore
ENV PERFORMANCE_STATE_DIR=/var/lib/bookstore \
    PERFORMANCE_K6=/usr/local/bin/k6 \
    PERFORMANCE_K6_V1=/usr/local/bin/k6-v1 \
    PERFORMANCE_SCRIPTS_DIR=/srv/k6
EXPOSE 7004
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=5 \
    CMD ["/usr/local/bin/performance-service", "--healthcheck"]
ENTRYPOINT ["/usr/local/bin/performance-service"]
