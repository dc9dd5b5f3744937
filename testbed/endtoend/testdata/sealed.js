// sealed.js serve PORT        answers over TLS, with the certificate of its container
// sealed.js ask PORT WORD     asks one thing after the other, and prints each path and what came of it
const https = require("https"), fs = require("fs"), [act, port, word] = process.argv.slice(2);
if (act === "serve") {
	https.createServer({ key: fs.readFileSync("/etc/key.pem"), cert: fs.readFileSync("/etc/cert.pem") }, (q, s) => {
		s.writeHead(q.url.startsWith("/ok/") ? 200 : 404);
		s.end("hello\n");
	}).listen(+port, "127.0.0.1");
} else {
	const agents = [true, false].map((keepAlive) => new https.Agent({ keepAlive, rejectUnauthorized: false }));
	const ask = (path, agent) => new Promise((done, failed) => https.get("https://localhost:" + port + path, { agent }, (a) => {
		a.on("data", () => {}); a.on("end", () => { console.log(path, a.statusCode); done(); });
	}).on("error", failed));
	(async () => {
		for (let k = 0; k < 8; k++) await ask("/" + (k % 3 ? "ok" : "no") + "/" + word + "/" + k, agents[k >> 2]);
		agents.forEach((a) => a.destroy());
	})();
}
