package field

import "github.com/sightglass/sightglass/internal/schema"

const never = Deprecated | NeverValue

// k8sFields are the fields of the acting process' pod.
var k8sFields = []Field{
	{Name: "k8s.pod.name", Type: CharBuf, Flags: Suggested, Doc: "name of the pod", From: []Attr{AttrPodName}, Get: getText(AttrPodName)},
	{Name: "k8s.ns.name", Type: CharBuf, Flags: Suggested, Doc: "namespace of the pod", From: []Attr{AttrNamespaceName}, Get: getText(AttrNamespaceName)},
	{Name: "k8s.pod.uid", Type: CharBuf, Doc: "uid of the pod", From: []Attr{AttrPodUID}, Get: getText(AttrPodUID)},
	{Name: "k8s.pod.id", Type: CharBuf, Doc: "the same as k8s.pod.uid", From: []Attr{AttrPodUID}, Get: getText(AttrPodUID)},
	{Name: "k8s.pod.sandbox_id", Type: CharBuf, Doc: "first 12 characters of the id of the pod's own container", From: []Attr{AttrPodSandbox}, Get: func(c *Context, _ *Arg, v *Value) {
		if s, ok := c.String(AttrPodSandbox); ok {
			v.SetText(s[:min(len(s), shortID)])
		} else if c.onHost() {
			v.SetText("")
		}
	}},
	{Name: "k8s.pod.full_sandbox_id", Type: CharBuf, Doc: "id of the pod's own container", From: []Attr{AttrPodSandbox}, Get: hostOr("", AttrPodSandbox)},
	{Name: "k8s.pod.label", Type: CharBuf, Arg: ArgKeyDotted, Doc: "value of a label of the pod", Get: label(schema.K8sPodLabelPrefix, schema.K8sPodLabelsPrefix)},
	{Name: "k8s.pod.labels", Type: CharBuf, Doc: "all labels of the pod, as key:value, joined by commas and blanks", Get: allLabels(schema.K8sPodLabelPrefix, schema.K8sPodLabelsPrefix)},
	{Name: "k8s.pod.ip", Type: CharBuf, Doc: "address of the pod", From: []Attr{AttrPodIP}, Get: hostOr("", AttrPodIP)},
	{Name: "k8s.pod.cni.json", Type: CharBuf, Unsupported: reasonCNI, Doc: "result of the network plugin"},

	{Name: "k8s.ns.id", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.ns.label", Type: CharBuf, Arg: ArgKeyDotted, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.ns.labels", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.rc.name", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.rc.id", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.rc.label", Type: CharBuf, Arg: ArgKeyDotted, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.rc.labels", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.rs.name", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.rs.id", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.rs.label", Type: CharBuf, Arg: ArgKeyDotted, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.rs.labels", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.svc.name", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.svc.id", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.svc.label", Type: CharBuf, Arg: ArgKeyDotted, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.svc.labels", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.deployment.name", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.deployment.id", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.deployment.label", Type: CharBuf, Arg: ArgKeyDotted, Flags: never, Doc: "never a value", Get: noValue},
	{Name: "k8s.deployment.labels", Type: CharBuf, Flags: never, Doc: "never a value", Get: noValue},
}

// serviceFields are the fields that Falco does not have.
var serviceFields = []Field{
	{Name: "service.name", Type: CharBuf, Doc: "service that the process belongs to; not part of Falco", From: []Attr{AttrServiceName}, Get: getText(AttrServiceName)},
	{Name: "service.namespace", Type: CharBuf, Doc: "namespace of the service; not part of Falco", From: []Attr{AttrServiceNamespace}, Get: getText(AttrServiceNamespace)},
	{Name: "service.version", Type: CharBuf, Doc: "version of the service; not part of Falco", From: []Attr{AttrServiceVersion}, Get: getText(AttrServiceVersion)},
	{Name: "k8s.container.name", Type: CharBuf, Doc: "name of the container in the pod's specification; not part of Falco", From: []Attr{AttrK8sContainerName}, Get: getText(AttrK8sContainerName)},
	{Name: "k8s.node.name", Type: CharBuf, Doc: "name of the node; not part of Falco", From: []Attr{AttrNodeName}, Get: getText(AttrNodeName)},
	{Name: "k8s.workload.name", Type: CharBuf, Doc: "name of what runs the pod: its deployment, stateful set, daemon set, cron job, job or replica set; not part of Falco", From: workloadAttrs(), Get: func(c *Context, _ *Arg, v *Value) {
		if _, name := c.workload(); name != "" {
			v.SetText(name)
		}
	}},
	{Name: "k8s.workload.kind", Type: CharBuf, Doc: "kind of that: Deployment, StatefulSet, DaemonSet, CronJob, Job or ReplicaSet; not part of Falco", From: workloadAttrs(), Get: func(c *Context, _ *Arg, v *Value) {
		if kind, _ := c.workload(); kind != "" {
			v.SetText(kind)
		}
	}},
	{Name: "k8s.namespace.label", Type: CharBuf, Arg: ArgKeyDotted, Doc: "value of a label of the namespace; not part of Falco", Get: label(schema.K8sNamespaceLabelPrefix, schema.K8sNamespaceLabelsPrefix)},
	{Name: "systemd.unit", Type: CharBuf, Doc: "systemd unit that the process belongs to; not part of Falco", From: []Attr{AttrSystemdUnit}, Get: getText(AttrSystemdUnit)},
}

// workloads are the owners of pods by the attributes that name them; those that
// own others come first.
var workloads = [...]struct {
	kind string
	attr Attr
}{
	{"Deployment", AttrDeployment},
	{"StatefulSet", AttrStatefulSet},
	{"DaemonSet", AttrDaemonSet},
	{"CronJob", AttrCronJob},
	{"Job", AttrJob},
	{"ReplicaSet", AttrReplicaSet},
}

func workloadAttrs() []Attr {
	var attrs []Attr
	for i := range workloads {
		attrs = append(attrs, workloads[i].attr)
	}
	return attrs
}

// workload is what runs the pod; empty when it is not known.
func (c *Context) workload() (kind, name string) {
	for i := range workloads {
		if s, ok := c.String(workloads[i].attr); ok && s != "" {
			return workloads[i].kind, s
		}
	}
	return "", ""
}
