package policies_test

var networkScenarios = []scenario{
	{
		rule: "Outbound connection from a database",
		fires: []activity{
			connect("203.0.113.7:443", by("postgres"), in("postgres")),
			connect("203.0.113.7:5432", by("postgres")),
			connect("10.3.2.1:22", by("mysqld")),
			connect("203.0.113.7:443", by("curl"), below("postgres")),
			connect("[2001:db8::1]:443", by("redis-server")),
		},
		silent: []activity{
			connect("10.3.2.1:5432", by("postgres")),
			connect("127.0.0.1:8080", by("postgres")),
			connect("[::1]:5433", by("postgres")),
			connect("10.96.0.10:53", by("mongod")),
			connect("203.0.113.7:443", by("curl"), below("bash")),
			connect("203.0.113.7:443", by("postgres"), failed(111)),
			call("sightglass.network.connect", "connect", 0, by("postgres"), attr("network.type", "unix"),
				attr("sightglass.file.descriptor.type", "unix"), attr("network.peer.address", "/run/x.sock")),
		},
	},
	{
		rule: "Metadata service contacted from a container",
		fires: []activity{
			connect("169.254.169.254:80", by("curl"), in("web")),
			connect("[fd00:ec2::254]:80", by("app"), pod("shop")),
		},
		silent: []activity{
			connect("169.254.169.254:80", by("curl")),
			connect("169.254.169.254:80", by("aws-node"), pod("kube-system")),
			connect("169.254.169.254:80", by("fluent-bit"), pod("logs")),
			connect("169.254.1.1:80", by("curl"), in("web")),
		},
	},
	{
		rule: "SSH to an unusual port",
		fires: []activity{
			connect("203.0.113.7:443", by("ssh -p 443 x"), in("web")),
		},
		silent: []activity{
			connect("203.0.113.7:22", by("ssh x")),
			connect("127.0.0.1:443", by("ssh -p 443 localhost")),
			connect("203.0.113.7:443", by("curl")),
		},
	},
	{
		rule: "Tunnel to the outside",
		fires: []activity{
			exec("frpc -c x"),
			exec("ssh -fNR 8080:localhost:22 x"),
		},
		silent: []activity{
			exec("ssh -L 8080:localhost:80 x"),
			exec("ssh x"),
			exec("ssh -x -oForwardAgent=no -oPermitLocalCommand=no -oClearAllForwardings=yes -oRemoteCommand=none -oRequestTTY=no x sftp"),
		},
	},
	{
		rule: "Network scanner",
		fires: []activity{
			exec("nmap -sn 10.0.0.0/24", in("web")),
			exec("nc -zv 10.0.0.1 1-1000"),
		},
		silent: []activity{
			exec("nc -z db 5432"),
			exec("ping db"),
		},
	},
	{
		rule: "Container listens to the network itself",
		fires: []activity{
			other("socket", arg("domain", int64(17)), arg("type", int64(3)), arg("protocol", int64(0)), by("tcpdump"), in("web")),
		},
		silent: []activity{
			other("socket", arg("domain", int64(17)), arg("type", int64(3)), arg("protocol", int64(0)), by("tcpdump")),
			other("socket", arg("domain", int64(2)), arg("type", int64(1)), arg("protocol", int64(0)), by("curl"), in("web")),
			other("socket", arg("domain", int64(17)), arg("type", int64(3)), arg("protocol", int64(0)), by("keepalived"), in("vip")),
			other("socket", arg("domain", int64(17)), arg("type", int64(3)), arg("protocol", int64(0)), by("tcpdump"), in("web"), failed(1)),
		},
	},
	{
		rule: "Remote copy from a container",
		fires: []activity{
			exec("scp x y:", in("web")),
		},
		silent: []activity{
			exec("scp x y:"),
			exec("cp x y", in("web")),
		},
	},
}
