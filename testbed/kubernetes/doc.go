// Package kubernetes looks at what the agent tells of a real cluster: it runs the
// agent as a DaemonSet there, with the configuration for nodes, lets somebody work
// in pods by kubectl, and is the back end.
//
// It needs kubectl with the rights of an administrator, two images that the nodes
// have, and an address of this machine that pods reach. These variables name them;
// without them the tests skip.
//
//	SIGHTGLASS_KUBE_AGENT_IMAGE  the agent: nothing but the binary at /sightglass
//	SIGHTGLASS_KUBE_SHELL_IMAGE  busybox, or any with its programs
//	SIGHTGLASS_KUBE_HOST         the address
package kubernetes
