package policies_test

var miningScenarios = []scenario{
	{
		rule: "Crypto miner",
		fires: []activity{
			exec("xmrig", in("web")),
			exec("./a -o stratum+tcp://pool.example.org:3333 -u x", file("/srv/a"), named("a")),
			exec("a --algo rx/0", file("/srv/a")),
			exec("a --donate-level 1", file("/srv/a")),
			exec("a -o gulf.moneroocean.stream:10128", file("/srv/a")),
		},
		silent: []activity{
			exec("mine --help"),
			exec("curl https://moneroocean.stream/"),
			exec("grep stratum file"),
		},
	},
	{
		rule: "Connection to a mining pool",
		fires: []activity{
			connect("203.0.113.7:3333", by("kworker"), in("web")),
			connect("203.0.113.7:14444", by("java")),
		},
		silent: []activity{
			connect("10.1.2.3:3333", by("app"), in("web")),
			connect("127.0.0.1:3333", by("app")),
			connect("203.0.113.7:443", by("app")),
			connect("203.0.113.7:3333", by("app"), failed(111)),
		},
	},
}
