package policy_test

import (
	"testing"

	"github.com/sightglass/sightglass/internal/policy/policytest"
)

func TestScripts(t *testing.T) { policytest.Run(t, "testdata") }
