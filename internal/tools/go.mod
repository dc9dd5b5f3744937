module github.com/sightglass/sightglass/internal/tools

go 1.26.0

require (
	github.com/golangci/golangci-lint/v2 v2.5.0
	go.opentelemetry.io/collector/cmd/builder v0.159.0
	go.opentelemetry.io/collector/cmd/mdatagen v0.159.0
	mvdan.cc/gofumpt v0.9.2
)

tool (
	github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	go.opentelemetry.io/collector/cmd/builder
	go.opentelemetry.io/collector/cmd/mdatagen
)
