# The image is one static binary, the certificate authorities and a complete
# configuration. 'make image' reads the last stage of this file and writes the
# same image as an OCI archive without Docker.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY . .
RUN make build

FROM scratch
LABEL org.opencontainers.image.title="sightglass"
LABEL org.opencontainers.image.description="OpenTelemetry Collector that sees inside every process through eBPF"
LABEL org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /src/config/agent.yaml /etc/sightglass/config.yaml
COPY --from=build /src/bin/sightglass /sightglass
# Loading eBPF programs needs root; docs in README.md, "Privileges".
USER 0
ENTRYPOINT ["/sightglass"]
CMD ["--config", "/etc/sightglass/config.yaml"]
