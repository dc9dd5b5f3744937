# 'make help' lists the targets. Everything a target needs (Debian packages, Go
# modules, tools) it installs or builds itself; see scripts/lib.sh.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# One environment for every go command, so that all targets share one build
# cache: static, reproducible, without the tracing pages of gRPC (which would
# keep the linker from dropping unused methods).
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false -tags=grpcnotrace

# Debian packages, as PACKAGE or PACKAGE=COMMAND: whoever has COMMAND from
# elsewhere (containerd of Docker, nginx of nginx.org) keeps that one.
export RUN_PACKAGES := ca-certificates
export TEST_PACKAGES := ca-certificates busybox-static=busybox iproute2=ip curl=curl python3=python3 nginx=nginx containerd=containerd runc=runc podman=podman prometheus=prometheus redis-server=redis-server memcached=memcached postgresql=pgbench mariadb-server=mariadbd sysbench=sysbench haproxy=haproxy nghttp2-proxy=nghttpx apache2-bin=apache2 wget=wget openssl=openssl gnutls-bin=gnutls-cli kcat=kcat python3-kafka rabbitmq-server=rabbitmqctl python3-pika python3-pymongo amqp-tools=amqp-publish fio=fio python3-grpcio android-libboringssl cron=cron nodejs=node npm=npm openjdk-17-jdk-headless=javac rsync=rsync logrotate=logrotate python3-websockets python3-psycopg2 dnsmasq-base=dnsmasq
export BPF_PACKAGES := clang-19=clang-19 llvm-19=llvm-strip-19 libbpf-dev linux-libc-dev
export KERNEL_PACKAGES := qemu-system-x86=qemu-system-x86_64 qemu-system-arm=qemu-system-aarch64 debian-archive-keyring
export REQUEST_PACKAGES := python3=python3 nginx=nginx redis-server=redis-server postgresql=pgbench wrk=wrk
export LINT_PACKAGES := clang-format-19=clang-format-19 shellcheck=shellcheck

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## build the agent and watch this machine in the terminal (root); ARGS="..." go to 'sightglass run'
	@exec scripts/run.sh $(ARGS)

.PHONY: test
test: ## vet and test everything on this machine's kernel (root); ARGS="-run X" go to 'go test'
	@scripts/test.sh $(ARGS)

.PHONY: soak
soak: ## 100,000 mixed requests through the request capture: none missing, none invented (root)
	SIGHTGLASS_SOAK=100000 go test -count=1 -run '^TestKernelSoak$$' ./receiver/ebpfreceiver/internal/requests

.PHONY: build
build: ## bin/sightglass, static and stripped, held to its size budget
	@scripts/build.sh

.PHONY: lint
lint: ## linters, architecture, formatting, file sizes
	@scripts/lint.sh

.PHONY: fmt
fmt: ## format Go and C
	@scripts/fmt.sh

.PHONY: tidy
tidy: ## tidy all go.mod files; a new requirement gets its version by hand first
	go mod tidy
	go -C internal/tools mod tidy
	go -C testbed/prometheus mod tidy
	go -C testbed/amqp mod tidy
	go -C testbed/kafka mod tidy
	go -C testbed/mongodb mod tidy
	go -C testbed/s3 mod tidy
	go -C connector/servicelatencyconnector/comparison mod tidy

.PHONY: generate
generate: ## everything generated: collector, components, eBPF objects, documents
	@scripts/generate.sh

.PHONY: check-generated
check-generated: ## fail when 'make generate' would change a file
	@scripts/generate.sh --check

.PHONY: bpf
bpf: ## compile the eBPF programs alone
	@scripts/generate.sh ./internal/bpf/...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (10s) each
	@scripts/fuzz.sh

.PHONY: bench
bench: ## measure cost, throughput and latency; writes the table in testbed/README.md (root)
	@scripts/bench.sh $(ARGS)

.PHONY: bench-requests
bench-requests: ## measure what following requests costs servers and the agent; writes its table in testbed/README.md (root)
	@scripts/bench-requests.sh $(ARGS)

.PHONY: bench-latency
bench-latency: ## compare service_latency with contrib's span_metrics; writes its table in testbed/README.md
	@scripts/bench-latency.sh $(ARGS)

.PHONY: bench-policy
bench-policy: ## measure what rules cost per event; SIGHTGLASS_FALCO_RULES=DIR adds Falco's own; writes its table in testbed/README.md
	@scripts/bench-policy.sh $(ARGS)

.PHONY: kernels
kernels: ## load and test the eBPF programs on other kernels under QEMU
	@scripts/kernels.sh $(ARGS)

.PHONY: image
image: ## out/sightglass.oci.tar, the image that the Dockerfile describes, without Docker
	@scripts/image.sh

.PHONY: test-image
test-image: ## build the image, import it into a containerd and run it there (root)
	@scripts/image.sh --test

.PHONY: clean
clean: ## remove what make has built (bin, out)
	rm -rf bin out
