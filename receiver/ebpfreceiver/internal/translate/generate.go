package translate

import "runtime"

//go:generate go run generate_names.go

const goarch = runtime.GOARCH
