// Command ociarchive writes the image that the last stage of a Dockerfile
// describes as an OCI archive, without Docker. It knows the instructions that
// an image of static files needs and refuses the others, so that the archive
// cannot silently differ from what Docker would build.
//
//	ociarchive -dockerfile Dockerfile -context . -name NAME:TAG -arch amd64 -o OUT.tar
//
// Files that the last stage copies from the build stage's WORKDIR are taken
// from -context, where 'make build' has put them; all others from this machine.
// The same files give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() {
	var (
		file    = flag.String("dockerfile", "Dockerfile", "file whose last stage is the image")
		context = flag.String("context", ".", "folder that stands for the build stage's WORKDIR")
		name    = flag.String("name", "localhost/sightglass:latest", "name the archive gives the image")
		arch    = flag.String("arch", runtime.GOARCH, "architecture of the binary")
		out     = flag.String("o", "", "archive to write")
	)
	flag.Parse()
	if err := write(*file, *context, *name, *arch, *out); err != nil {
		fmt.Fprintln(os.Stderr, "ociarchive:", err)
		os.Exit(1)
	}
}

func write(file, context, name, arch, out string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	st, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	archive, err := build(st, context, name, arch)
	if err != nil {
		return err
	}
	return os.WriteFile(out, archive, 0o644)
}
