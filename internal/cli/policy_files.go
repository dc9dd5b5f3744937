package cli

import (
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/policies"
)

// ruleFiles reads rule files; without paths it returns the embedded policies.
// A file that cannot be read is reported by the loader, with all the others.
func ruleFiles(paths []string) ([]policy.File, error) {
	if len(paths) == 0 {
		return embeddedRules()
	}
	files := make([]policy.File, len(paths))
	for i, path := range paths {
		files[i] = policy.ReadFile(path)
	}
	return files, nil
}

func embeddedRules() ([]policy.File, error) {
	embedded, err := policies.Files()
	if err != nil {
		return nil, err
	}
	files := make([]policy.File, len(embedded))
	for i, f := range embedded {
		files[i] = policy.File{Name: f.Name, Content: f.Content}
	}
	return files, nil
}

// loadRules loads rule files, all of which must be right.
func loadRules(paths []string, opts *policy.Options) (*policy.RuleSet, error) {
	files, err := ruleFiles(paths)
	if err != nil {
		return nil, err
	}
	set, res := policy.Load(files, opts)
	return set, res.Err()
}
