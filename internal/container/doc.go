// Package container turns a control group into the container, pod or systemd
// unit that it belongs to.
//
//	cgroup id --(cgroup_mkdir event, tree walk, /proc/PID/cgroup)--> path
//	path --(ParseCgroup, pure)--> Ref{container id, pod uid, runtime, unit}
//	Ref --(state files of the runtimes)--> Info{names, image, pod}
//
// ParseCgroup touches nothing but its argument. Resolver reads files below a
// configurable root and asks no API server and no runtime socket.
package container
