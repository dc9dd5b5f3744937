// Package identity reduces a resource to the identity of its service: what
// stays the same in every replica, on every node and after every restart. All
// replicas of a service thereby share their series.
package identity

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/internal/schema"
)

const (
	cronJobName = "k8s.cronjob.name"
	jobName     = "k8s.job.name"
	// UnknownService is the name of a service that has none.
	UnknownService = "unknown_service"
)

// DefaultAttributes are the resource attributes that identify a service.
func DefaultAttributes() []string {
	return []string{
		schema.ServiceName,
		schema.ServiceNamespace,
		"deployment.environment.name",
		"k8s.cluster.name",
		schema.K8sNamespaceName,
		"k8s.deployment.name",
		"k8s.statefulset.name",
		"k8s.daemonset.name",
		cronJobName,
		jobName,
		schema.K8sContainerName,
	}
}

// MaxAttributes bounds the number of attributes.
const MaxAttributes = 64

// Reader reads identities. It is immutable and safe for concurrent use.
type Reader struct {
	names []string
	table attribute.Table
	job   int // place of k8s.job.name if its cron job is there, too; else -1
	cron  int
}

// NewReader returns a reader for these attributes, at most MaxAttributes. The
// service's name is always one of them.
func NewReader(names []string) *Reader {
	r := &Reader{names: []string{schema.ServiceName}, job: -1, cron: -1}
	for _, name := range names {
		if name != schema.ServiceName {
			r.names = append(r.names, name)
		}
	}
	for i, name := range r.names {
		r.table.Add(name, uint8(i), attribute.Current)
		switch name {
		case jobName:
			r.job = i
		case cronJobName:
			r.cron = i
		}
	}
	return r
}

// Identity is the memory that reading needs. It is reused from resource to
// resource by one goroutine.
type Identity struct {
	values [MaxAttributes + 1]aggregate.Value
}

// AppendKey appends the identity of a resource, as attributes with names.
func (r *Reader) AppendKey(dst []byte, resource pcommon.Map, id *Identity) []byte {
	clear(id.values[:len(r.names)])
	for name, v := range resource.All() {
		if i, _, ok := r.table.Find(name); ok {
			id.values[i] = attribute.Value(v)
		}
	}
	if id.values[0].Empty() {
		id.values[0] = aggregate.StringValue(UnknownService)
	}
	if r.job >= 0 && r.cron >= 0 && !id.values[r.cron].Empty() {
		// Every run of a cron job is a job with a name of its own.
		id.values[r.job] = aggregate.Value{}
	}
	for i, name := range r.names {
		if v := id.values[i]; !v.Empty() {
			dst = aggregate.AppendNamed(dst, name, v)
		}
	}
	return dst
}

// Service returns the name of the service whose key was appended last.
func (id *Identity) Service() string { return id.values[0].Str() }
