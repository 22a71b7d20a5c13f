# syntax=docker/dockerfile:1
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin tegata \
    && install -D -m 0755 target/release/tegata /out/tegata \
    && install -d -m 0700 /out/data

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates wget \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/tegata --shell /usr/sbin/nologin tegata
COPY --from=build /out/tegata /usr/local/bin/tegata
COPY --from=build --chown=tegata:tegata /out/data /var/lib/tegata
USER tegata
WORKDIR /var/lib/tegata
# The file of the default store is kept in the volume; TEGATA_DATABASE_URL=postgres://… leaves it empty.
ENV TEGATA_LISTEN=0.0.0.0:3801 \
    TEGATA_DATABASE_URL=sqlite:///var/lib/tegata/tegata.db
VOLUME /var/lib/tegata
EXPOSE 3801
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["wget", "--quiet", "--tries=1", "--output-document=/dev/null", "http://127.0.0.1:3801/readyz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tegata"]
