package check

// services are the names that may stand for a port.
var services = map[string]uint16{
	"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "time": 37, "whois": 43, "tacacs": 49,
	"domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "gopher": 70, "finger": 79, "http": 80, "www": 80,
	"kerberos": 88, "pop2": 109, "pop3": 110, "sunrpc": 111, "auth": 113, "nntp": 119, "ntp": 123, "epmap": 135,
	"netbios-ns": 137, "netbios-dgm": 138, "netbios-ssn": 139, "imap2": 143, "imap": 143, "snmp": 161,
	"snmp-trap": 162, "bgp": 179, "irc": 194, "ldap": 389, "https": 443, "microsoft-ds": 445, "kpasswd": 464,
	"submissions": 465, "isakmp": 500, "exec": 512, "login": 513, "shell": 514, "syslog": 514, "printer": 515,
	"route": 520, "submission": 587, "ipp": 631, "ldaps": 636, "kerberos-adm": 749, "rsync": 873, "ftps": 990,
	"telnets": 992, "imaps": 993, "pop3s": 995, "socks": 1080, "openvpn": 1194, "ms-sql-s": 1433,
	"ms-sql-m": 1434, "nfs": 2049, "mysql": 3306, "svn": 3690, "epmd": 4369, "radius": 1812, "radius-acct": 1813,
	"sip": 5060, "sip-tls": 5061, "postgresql": 5432, "amqp": 5672, "amqps": 5671, "x11": 6000, "redis": 6379,
	"ircd": 6667, "git": 9418, "http-alt": 8080, "bacula-dir": 9101, "zabbix-agent": 10050, "mdns": 5353,
}
