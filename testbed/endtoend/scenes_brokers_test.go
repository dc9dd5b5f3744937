package endtoend

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
)

const amqpScript = `
import pika, ssl, sys
port, sealed = int(sys.argv[1]), sys.argv[2] == "sealed"
options = pika.SSLOptions(ssl._create_unverified_context(), "localhost") if sealed else None
connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, heartbeat=0, ssl_options=options))
channel = connection.channel()
channel.confirm_delivery()
channel.queue_declare("planted")
properties = pika.BasicProperties(headers={"x": "SECRET"}, app_id="SECRET", user_id="guest")
channel.basic_publish("", "planted", b"SECRET", properties)
channel.basic_get("planted", auto_ack=True)
connection.close()
`

const rabbitConfig = `
listeners.tcp.1 = PLAIN
listeners.ssl.1 = SEALED
ssl_options.certfile = HOME/cert.pem
ssl_options.keyfile = HOME/key.pem
`

// rabbit plants secrets in messages.
func (s *stage) rabbit(dir string) {
	const server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
	if !s.has(server, "/usr/bin/python3") || exec.CommandContext(s.t.Context(), "/usr/bin/python3", "-c", "import pika").Run() != nil {
		return
	}
	home, as := s.home("rabbitmq", dir)
	plain, sealed, dist := freeport.Address(s.t), freeport.Address(s.t), freeport.Address(s.t)
	port := func(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
	config := s.write(home+"/rabbit.conf", strings.NewReplacer("PLAIN", plain, "SEALED", sealed, "HOME", home).Replace(rabbitConfig))
	script := s.write(filepath.Join(dir, "amqp.py"), strings.ReplaceAll(amqpScript, "SECRET", secret("message")))
	name := "planted" + port(plain) + "@localhost"
	s.serve(as, "", []string{
		"HOME=" + home, "RABBITMQ_NODENAME=" + name, "RABBITMQ_MNESIA_BASE=" + home + "/data", "RABBITMQ_LOG_BASE=" + home + "/log",
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + home + "/plugins", "RABBITMQ_DIST_PORT=" + port(dist), "RABBITMQ_CONFIG_FILE=" + config, "RABBITMQ_NODE_PORT=",
	}, server)
	require.Eventually(s.t, func() bool {
		log, err := os.ReadFile(home + "/log/" + name + ".log")
		return err == nil && strings.Contains(string(log), "Server startup complete")
	}, patience, 2*pollInterval, "RabbitMQ takes too long")
	s.both("RabbitMQ", func(sealed bool) func(*item) bool { return system("rabbitmq", sealed) }, func(tls bool) {
		if tls {
			s.feed("", nil, "/usr/bin/python3", script, port(sealed), "sealed")
		} else {
			s.feed("", nil, "/usr/bin/python3", script, port(plain), "plain")
		}
	})
}

// tool builds a module of the testbed.
func (s *stage) tool(name string) string {
	exe := filepath.Join(s.t.TempDir(), name)
	cmd := exec.CommandContext(s.t.Context(), "go", "build", "-o", exe, ".")
	cmd.Dir = filepath.Join("..", name)
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, string(out))
	return exe
}

// kafka plants secrets in keys and values.
func (s *stage) kafka(dir string) {
	if !s.has("go", "kcat") {
		return
	}
	exe := s.tool("kafka")
	addresses := map[bool]string{
		false: s.broker(exe), true: s.broker(exe, "-cert", filepath.Join(dir, "cert.pem"), "-key", filepath.Join(dir, "key.pem")),
	}
	s.both("Kafka", func(sealed bool) func(*item) bool { return system("kafka", sealed) }, func(sealed bool) {
		kcat := []string{"kcat", "-b", addresses[sealed], "-t", "orders"}
		if sealed {
			kcat = append(kcat, "-X", "security.protocol=ssl", "-X", "enable.ssl.certificate.verification=false")
		}
		s.feed(secret("key")+":"+secret("message")+"\n", nil, append(kcat, "-P", "-K:")...)
		s.feed("", nil, append(kcat, "-C", "-o", "beginning", "-e", "-q")...)
	})
}

// broker starts one of Kafka, which ends with the test, and returns its address.
func (s *stage) broker(exe string, args ...string) string {
	broker := exec.CommandContext(context.WithoutCancel(s.t.Context()), exe, append([]string{"broker"}, args...)...)
	in, err := broker.StdinPipe()
	require.NoError(s.t, err)
	out, err := broker.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, broker.Start())
	s.t.Cleanup(func() { _ = in.Close(); _ = broker.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(s.t, err)
	return strings.TrimSpace(address)
}

const mongoScript = `
import pymongo, sys
client = pymongo.MongoClient("mongodb://" + sys.argv[1], retryWrites=False)
c = client.shop.planted
c.insert_one({"card": "SECRET", "n": NUMBER, "nested": {"a": ["SECRET"]}})
list(c.find({"card": "SECRET", "$or": [{"n": NUMBER}, {"card": {"$in": ["SECRET"]}}]}))
c.update_one({"card": "SECRET"}, {"$set": {"other": "SECRET"}})
list(c.aggregate([{"$match": {"card": "SECRET"}}]))
try:
    c.find_one({"$nonsense": "SECRET"})
except pymongo.errors.PyMongoError:
    pass
c.delete_many({"card": "SECRET"})
`

// mongo plants secrets in documents and filters.
func (s *stage) mongo(dir string) {
	if !s.has("go", "/usr/bin/python3") || exec.CommandContext(s.t.Context(), "/usr/bin/python3", "-c", "import pymongo").Run() != nil {
		return
	}
	exe := s.tool("mongodb")
	plain, sealed := freeport.Address(s.t), freeport.Address(s.t)
	s.serve(nil, plain, nil, exe, "serve", plain, s.t.TempDir())
	s.serve(nil, sealed, nil, exe, "serve", sealed, s.t.TempDir(), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	script := s.write(filepath.Join(dir, "mongo.py"), strings.NewReplacer("SECRET", secret("document"), "NUMBER", plantedNumber).Replace(mongoScript))
	s.both("MongoDB", func(sealed bool) func(*item) bool { return system("mongodb", sealed) }, func(tls bool) {
		if tls {
			s.feed("", nil, "/usr/bin/python3", script, sealed+"/?tls=true&tlsInsecure=true")
		} else {
			s.feed("", nil, "/usr/bin/python3", script, plain)
		}
	})
}
