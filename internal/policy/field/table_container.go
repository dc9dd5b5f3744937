package field

import (
	"maps"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/schema"
)

// hostID is container.id outside containers.
const hostID = "host"

// shortID is how much of a container's id Falco shows.
const shortID = 12

const reasonCNI = "the network configuration of a pod is not read"

// containerFields are the fields of the acting process' container.
var containerFields = []Field{
	{Name: "container.id", Type: CharBuf, Flags: Suggested, Doc: "first 12 characters of the id, host outside containers", From: []Attr{AttrContainerID}, Get: func(c *Context, _ *Arg, v *Value) { v.SetText(c.containerID()) }},
	{Name: "container.full_id", Type: CharBuf, Doc: "whole id, host outside containers", From: []Attr{AttrContainerID}, Get: hostOr(hostID, AttrContainerID)},
	{Name: "container.name", Type: CharBuf, Flags: Suggested, Doc: "name, host outside containers", From: []Attr{AttrContainerName}, Get: hostOr(hostID, AttrContainerName)},
	{Name: "container.image", Type: CharBuf, Doc: "image with its tag", From: []Attr{AttrContainerImage, AttrContainerImageTags}, Get: getImage},
	{Name: "container.image.repository", Type: CharBuf, Flags: Suggested, Doc: "image without tag and digest", From: []Attr{AttrContainerImage}, Get: imagePart(func(_ *Context, r imageRef) string { return r.repository })},
	{Name: "container.image.tag", Type: CharBuf, Flags: Suggested, Doc: "tag of the image", From: []Attr{AttrContainerImageTags}, Get: imagePart((*Context).imageTag)},
	{Name: "container.image.digest", Type: CharBuf, Doc: "digest of the image", From: []Attr{AttrContainerImageDigests}, Get: imagePart((*Context).imageDigest)},
	{Name: "container.image.id", Type: CharBuf, Doc: "id of the image", From: []Attr{AttrContainerImageID}, Get: hostOr("", AttrContainerImageID)},
	{Name: "container.type", Type: CharBuf, Doc: "runtime: docker, podman, containerd, cri-o, ...; host outside containers", From: []Attr{AttrContainerRuntime}, Get: hostOr(hostID, AttrContainerRuntime)},
	{Name: "container.privileged", Type: Boolean, Doc: "runs privileged; false outside containers", From: []Attr{AttrContainerPrivileged}, Get: hostOrFlag(AttrContainerPrivileged)},
	{Name: "container.host_pid", Type: Boolean, Doc: "shares the host's pid namespace", From: []Attr{AttrContainerHostPID}, Get: hostOrFlag(AttrContainerHostPID)},
	{Name: "container.host_network", Type: Boolean, Doc: "shares the host's network", From: []Attr{AttrContainerHostNetwork}, Get: hostOrFlag(AttrContainerHostNetwork)},
	{Name: "container.host_ipc", Type: Boolean, Doc: "shares the host's IPC namespace", From: []Attr{AttrContainerHostIPC}, Get: hostOrFlag(AttrContainerHostIPC)},
	{Name: "container.mounts", Type: CharBuf, Doc: "all mounts, joined by commas", From: []Attr{AttrContainerMounts}, Get: func(c *Context, _ *Arg, v *Value) {
		if c.onHost() {
			v.SetText("")
		} else if mounts, ok := c.Strings(AttrContainerMounts); ok {
			v.SetText(c.joined(mounts, ","))
		}
	}},
	{Name: "container.mount", Type: CharBuf, Arg: ArgKeyMust, Doc: "a mount by number or by a pattern for its source", From: []Attr{AttrContainerMounts}, Get: mount(-1)},
	{Name: "container.mount.source", Type: CharBuf, Arg: ArgKeyMust, Doc: "source of a mount, by number or by a pattern for its destination", From: []Attr{AttrContainerMounts}, Get: mount(0)},
	{Name: "container.mount.dest", Type: CharBuf, Arg: ArgKeyMust, Doc: "destination of a mount, by number or by a pattern for its source", From: []Attr{AttrContainerMounts}, Get: mount(1)},
	{Name: "container.mount.mode", Type: CharBuf, Arg: ArgKeyMust, Doc: "mode of a mount", From: []Attr{AttrContainerMounts}, Get: mount(2)},
	{Name: "container.mount.rdwr", Type: CharBuf, Arg: ArgKeyMust, Doc: "true if a mount may be written", From: []Attr{AttrContainerMounts}, Get: mount(3)},
	{Name: "container.mount.propagation", Type: CharBuf, Arg: ArgKeyMust, Doc: "propagation of a mount", From: []Attr{AttrContainerMounts}, Get: mount(4)},
	{Name: "container.label", Type: CharBuf, Arg: ArgKeyDotted, Doc: "value of a label", Get: label(schema.ContainerLabelPrefix)},
	{Name: "container.labels", Type: CharBuf, Doc: "all labels, as key:value, joined by commas and blanks", Get: allLabels(schema.ContainerLabelPrefix)},
	{Name: "container.start_ts", Type: AbsTime, Doc: "start of the container", From: []Attr{AttrPIDNSStart, AttrContainerStart}, Get: func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.containerStart(); ok {
			v.SetUint(uint64(n))
		}
	}},
	{Name: "container.duration", Type: RelTime, Doc: "age of the container", From: []Attr{AttrPIDNSStart, AttrContainerStart}, Get: func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.containerStart(); ok {
			v.SetUint(c.since(n))
		}
	}},
	{Name: "container.ip", Type: CharBuf, Doc: "address", From: []Attr{AttrContainerIP}, Get: hostOr("", AttrContainerIP)},
	{Name: "container.cni.json", Type: CharBuf, Unsupported: reasonCNI, Doc: "result of the network plugin"},
	{Name: "container.healthcheck", Type: CharBuf, Flags: Deprecated | NeverValue, Doc: "never a value", Get: noValue},
	{Name: "container.liveness_probe", Type: CharBuf, Flags: Deprecated | NeverValue, Doc: "never a value", Get: noValue},
	{Name: "container.readiness_probe", Type: CharBuf, Flags: Deprecated | NeverValue, Doc: "never a value", Get: noValue},
}

func (c *Context) onHost() bool {
	id, ok := c.String(AttrContainerID)
	return !ok || id == ""
}

func (c *Context) containerID() string {
	id, ok := c.String(AttrContainerID)
	if !ok || id == "" {
		return hostID
	}
	return id[:min(len(id), shortID)]
}

// hostOr is a text of the container, with a fixed one on the host; no value
// while the container has not been inspected.
func hostOr(host string, a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if c.onHost() {
			v.SetText(host)
			return
		}
		c.text(a, v)
	}
}

func hostOrFlag(a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if c.onHost() {
			v.SetBool(false)
			return
		}
		if n, ok := c.Int(a); ok {
			v.SetBool(n != 0)
		}
	}
}

// imageRef is an image's name in its parts.
type imageRef struct{ repository, tag, digest string }

func parseImage(s string) (r imageRef) {
	s, r.digest, _ = strings.Cut(s, "@")
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		s, r.tag = s[:i], s[i+1:]
	}
	r.repository = s
	return r
}

func imagePart(part func(*Context, imageRef) string) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if c.onHost() {
			v.SetText("")
			return
		}
		if s, ok := c.String(AttrContainerImage); ok {
			v.SetText(part(c, parseImage(s)))
		}
	}
}

func (c *Context) imageTag(r imageRef) string {
	if tags, ok := c.Strings(AttrContainerImageTags); ok && len(tags) > 0 {
		return tags[0]
	}
	return r.tag
}

func (c *Context) imageDigest(r imageRef) string {
	if list, ok := c.Strings(AttrContainerImageDigests); ok && len(list) > 0 {
		_, digest, found := strings.Cut(list[0], "@")
		if !found {
			digest = list[0]
		}
		return digest
	}
	return r.digest
}

func getImage(c *Context, _ *Arg, v *Value) {
	if c.onHost() {
		v.SetText("")
		return
	}
	s, ok := c.String(AttrContainerImage)
	if !ok {
		return
	}
	r := parseImage(s)
	if tag := c.imageTag(r); tag != "" {
		start := len(c.buf)
		c.buf = append(append(append(c.buf, r.repository...), ':'), tag...)
		v.SetText(c.own(start))
		return
	}
	v.SetText(s)
}

func (c *Context) containerStart() (int64, bool) {
	if n, ok := c.Int(AttrContainerStart); ok && n != 0 {
		return n, true
	}
	n, ok := c.Int(AttrPIDNSStart)
	return n, ok && n != 0
}

// mount is one part of the first mount that the argument selects: its number,
// or a glob pattern that the whole source matches (the whole destination,
// where the source is asked for). Part -1 is the whole mount.
func mount(part int) func(*Context, *Arg, *Value) {
	by := 0
	if part == 0 {
		by = 1
	}
	return func(c *Context, a *Arg, v *Value) {
		mounts, ok := c.Strings(AttrContainerMounts)
		if !ok {
			return
		}
		for i, m := range mounts {
			if a.Index >= 0 && i != a.Index || a.Index < 0 && !Glob(a.Text, mountPart(m, by), false) {
				continue
			}
			if part < 0 {
				v.SetText(m)
			} else {
				v.SetText(mountPart(m, part))
			}
			return
		}
	}
}

// mountPart cuts "source:destination:mode:rdwr:propagation".
func mountPart(m string, part int) string {
	for range part {
		_, m, _ = strings.Cut(m, ":")
	}
	m, _, _ = strings.Cut(m, ":")
	return m
}

// label is a label's value by key; the first prefix with which it is there wins.
func label(prefixes ...string) func(*Context, *Arg, *Value) {
	return func(c *Context, a *Arg, v *Value) {
		for _, prefix := range prefixes {
			start := len(c.buf)
			c.buf = append(append(c.buf, prefix...), a.Text...)
			if s, ok := c.Named(c.own(start)); ok {
				v.SetText(s)
				return
			}
		}
	}
}

// hiddenLabels begin the keys of labels that are not listed.
var hiddenLabels = [...]string{"annotation.", "io.kubernetes."}

// allLabels are the labels below any of the prefixes, by key. A container that
// has none cannot be told from one that has not been inspected: no value.
func allLabels(prefixes ...string) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		found := map[string]string{}
		for _, prefix := range prefixes {
			c.WithPrefix(prefix, func(name, value string) {
				key := name[len(prefix):]
				for _, hidden := range hiddenLabels {
					if strings.HasPrefix(key, hidden) {
						return
					}
				}
				if _, known := found[key]; !known {
					found[key] = value
				}
			})
		}
		if len(found) == 0 {
			if c.onHost() {
				v.SetText("")
			}
			return
		}
		labels := make([]string, 0, len(found))
		for _, key := range slices.Sorted(maps.Keys(found)) {
			labels = append(labels, key+":"+found[key])
		}
		v.SetText(c.joined(labels, ", "))
	}
}
