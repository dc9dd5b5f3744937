// Package cli is the command line of sightglass: the collector's own commands,
// and beside them run, doctor, policy and version.
//
//	sightglass run                  watch this machine in the terminal
//	sightglass doctor               what this kernel and these privileges allow
//	sightglass policy ...           check, list and rehearse security policies
//	sightglass --config FILE        run any configuration, as a collector does
//	sightglass validate, components, print-config, featuregate
//
// Commands return errors; only main ends the process.
package cli
