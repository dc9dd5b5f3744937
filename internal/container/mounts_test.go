package container

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSharesAndMountsOfTheSpecification(t *testing.T) {
	own := `[{"type":"pid"},{"type":"network"},{"type":"ipc"}]`
	host := fmt.Sprintf(`[{"type":"pid"},{"type":"network","path":"/proc/%d/ns/net"},{"type":"ipc","path":"/nowhere"}]`, os.Getpid())
	for name, tt := range map[string]struct {
		spec string
		want Names
	}{
		"of its own": {`{"linux":{"namespaces":` + own + `}}`, Names{PrivilegedKnown: true}},
		"none":       {`{"linux":{"namespaces":[{"type":"mount"}]}}`, Names{PrivilegedKnown: true, Shares: Shares{PID: true, Network: true, IPC: true}}},
		"by path":    {`{"linux":{"namespaces":` + host + `}}`, Names{PrivilegedKnown: true, Shares: Shares{Network: true}}},
		"mounts": {
			`{"linux":{"namespaces":` + own + `},"mounts":[
			{"destination":"/proc","type":"proc","source":"proc"},
			{"destination":"/data","type":"bind","source":"/srv/data","options":["rbind","rprivate","rw"]},
			{"destination":"/host","source":"/","options":["rbind","ro","rslave"]}]}`,
			Names{PrivilegedKnown: true, Mounts: []string{"/srv/data:/data::true:rprivate", "/:/host::false:rslave"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFakeHost(t)
			h.write("config.json", tt.spec)
			for _, pid := range []string{"1", strconv.Itoa(os.Getpid())} { // the test's own is the host's here
				h.write("proc/"+pid+"/ns/x", "")
				require.NoError(t, os.Symlink("/proc/self/ns/net", h.root+"/proc/"+pid+"/ns/net"))
			}
			spec, err := readSpec(h.root + "/config.json")
			require.NoError(t, err)
			require.Equal(t, tt.want, spec.names(h.root))
		})
	}
}

func TestMountsAreBounded(t *testing.T) {
	var spec ociSpec
	for range maxMounts + 5 {
		spec.Mounts = append(spec.Mounts, ociMount{Type: "bind", Source: strings.Repeat("x", 2*maxName)})
	}
	got := spec.bound()
	require.Len(t, got, maxMounts)
	require.Less(t, len(got[0]), 2*maxName)
}

func TestSharesAndMountsOfDocker(t *testing.T) {
	h := newFakeHost(t)
	dir := "var/lib/docker/containers/" + id1
	h.write(dir+"/config.v2.json", `{"Name":"/db","MountPoints":{
		"/var/lib/x":{"Name":"volume","Destination":"/var/lib/x","RW":true,"Propagation":""},
		"/etc/y":{"Source":"/etc","Destination":"/etc/y","Relabel":"z","RW":false,"Propagation":"rprivate"}}}`)
	h.write(dir+"/hostconfig.json", `{"Privileged":true,"PidMode":"host","NetworkMode":"bridge","IpcMode":"private"}`)
	n, ok := dockerNames(h.root, id1)
	require.True(t, ok)
	require.Equal(t, Names{
		Name: "db", Privileged: true, PrivilegedKnown: true, Shares: Shares{PID: true},
		Mounts: []string{"/etc:/etc/y:z:false:rprivate", "volume:/var/lib/x::true:"},
	}, n)
}
