package securitypolicyprocessor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/nearest"
)

// maxTypo is how many letters of a file's name may be wrong for it to be taken
// for another.
const maxTypo = 2

// extensions are what YAML files end in, each with what else they may end in.
var extensions = map[string]string{".yaml": ".yml", ".yml": ".yaml"}

// mistaken tells of names that are wrong on any machine, as far as this one
// shows it: directories, and names that all but match a file that is not named
// otherwise. What is just absent may be elsewhere.
func (f ruleFiles) mistaken() error {
	var errs []error
	for i, pattern := range f.patterns {
		if matches, err := expand(pattern); err != nil || len(matches) == 0 || matches[0] != pattern {
			errs = append(errs, f.mistakenGlob(i, matches))
			continue
		}
		info, err := os.Stat(pattern)
		switch {
		case err == nil && info.IsDir():
			errs = append(errs, fmt.Errorf("rules_files[%d]: %s is a directory: name its files, as in %s", i, pattern, filepath.Join(pattern, "*.yaml")))
		case errors.Is(err, os.ErrNotExist):
			if near := f.near(pattern); near != "" {
				errs = append(errs, fmt.Errorf("rules_files[%d]: there is no %s: did you mean %s?", i, pattern, near))
			}
		}
	}
	return errors.Join(errs...)
}

// mistakenGlob tells of a pattern without matches that had some if it ended as
// files of the same kind also do.
func (f ruleFiles) mistakenGlob(i int, matches []string) error {
	pattern := f.patterns[i]
	stem, other := otherExtension(pattern)
	if len(matches) > 0 || other == "" {
		return nil
	}
	if found, err := expand(stem + other); err != nil || len(found) == 0 {
		return nil //nolint:nilerr // a bad pattern is told by validateGlobs
	}
	return fmt.Errorf("rules_files[%d]: no file matches %s: did you mean %s?", i, pattern, stem+other)
}

func otherExtension(path string) (stem, other string) {
	ext := filepath.Ext(path)
	return strings.TrimSuffix(path, ext), extensions[ext]
}

// near is a file in the same directory that was probably meant.
func (f ruleFiles) near(path string) string {
	if stem, other := otherExtension(path); other != "" {
		if _, err := os.Stat(stem + other); err == nil && !slices.Contains(f.patterns, stem+other) {
			return stem + other
		}
	}
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && !slices.Contains(f.patterns, dir+e.Name()) {
			names = append(names, e.Name())
		}
	}
	if name := nearest.Of(base, names, min(maxTypo, len(base)/4)); name != "" {
		return dir + name
	}
	return ""
}
