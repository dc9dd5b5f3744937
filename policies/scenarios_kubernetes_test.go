package policies_test

import "github.com/sightglass/sightglass/internal/schema"

var kubernetesScenarios = []scenario{
	{
		rule: "Service account token read by hand",
		fires: []activity{
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("cat"), pod("shop"), through("/var/run/secrets/kubernetes.io/serviceaccount/token")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("tar c /run/secrets"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("grep -r eyJ /run"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("python3 -u -c print(open('token').read())"), pod("shop"), attr(schema.ProcessVPID, int64(9))),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("python3"), pod("shop"), attr(schema.ProcessVPID, int64(9))),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("python3 app.py"), pod("shop"), tty(pts0)),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("python3 -I /tmp/x.py"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("/tmp/python3 app.py"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("perl -MFile::Slurp -ne print"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("kubectl get secrets"), pod("shop"), tty(pts0)),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("cat"), pod("shop"), attr(schema.ProcessVPID, int64(1))),
		},
		silent: []activity{
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("python3 -u /app/sidecar.py -c /etc/sidecar"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("python3 -W ignore -m operator"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("ruby /usr/bin/fluentd -c /fluentd/etc/fluent.conf"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("python3 -c import_app"), pod("shop"), attr(schema.ProcessVPID, int64(1))),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("kubectl apply -f /jobs"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/token", rdonly, by("java"), pod("shop")),
			open("/run/secrets/kubernetes.io/serviceaccount/..2026_11_22/ca.crt", rdonly, by("cat"), pod("shop")),
			open("/run/secrets/db/token", rdonly, by("cat"), pod("shop")),
		},
	},
	{
		rule: "Pod contacted a kubelet",
		fires: []activity{
			connect("10.0.0.5:10250", by("curl"), pod("shop")),
			connect("10.0.0.5:10255", by("app"), in("web")),
		},
		silent: []activity{
			connect("10.0.0.5:10250", by("curl")),
			connect("10.0.0.5:10250", by("prometheus"), pod("monitoring")),
			connect("10.0.0.5:10250", by("app"), pod("kube-system")),
			connect("10.0.0.5:10251", by("app"), pod("shop")),
			connect("10.0.0.5:10250", by("curl"), pod("shop"), failed(111)),
		},
	},
	{
		rule: "Pod contacted the store of the cluster",
		fires: []activity{
			connect("10.0.0.5:2379", by("curl"), pod("shop")),
		},
		silent: []activity{
			connect("10.0.0.5:2379", by("patroni"), pod("db")),
			connect("10.0.0.5:2379", by("kube-apiserver"), pod("kube-system")),
			connect("10.0.0.5:2379", by("curl")),
		},
	},
	{
		rule: "API server contacted by hand",
		fires: []activity{
			connect("10.0.0.1:6443", by("curl"), pod("shop")),
			connect("10.0.0.1:6443", by("python3 -c x"), pod("shop")),
		},
		silent: []activity{
			connect("10.0.0.1:6443", by("python3 /app/operator.py"), pod("shop")),
			connect("10.0.0.1:6443", by("app"), pod("shop")),
			connect("10.0.0.1:6443", by("curl")),
			connect("10.0.0.1:6443", by("curl"), pod("kube-system")),
			connect("203.0.113.7:443", by("curl"), pod("shop")),
		},
	},
	{
		rule: "Cluster client run in a pod",
		fires: []activity{
			exec("kubectl get secrets", pod("shop")),
			exec("docker ps", in("web")),
		},
		silent: []activity{
			exec("kubectl get pods"),
			exec("kubectl get pods", pod("kube-system")),
			exec("java -jar app.jar", pod("shop")),
		},
	},
	{
		rule: "Settings of a node changed",
		fires: []activity{
			open("/etc/kubernetes/manifests/x.yaml", wronly|creat, by("cp")),
			rename("/srv/x", "/opt/cni/bin/bridge", by("mv"), in("web")),
		},
		silent: []activity{
			open("/etc/kubernetes/manifests/etcd.yaml", wronly|creat, by("kubeadm init")),
			open("/etc/kubernetes/manifests/etcd.yaml", rdonly, by("cat")),
			open("/etc/cni/net.d/10-calico.conflist", wronly|creat, by("install-cni"), in("calico")),
		},
	},
}
