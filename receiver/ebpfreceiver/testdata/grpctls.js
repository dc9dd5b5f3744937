// grpctls.js serve DIR PORT    answers calls of two procedures over TLS, until its input ends
// grpctls.js ask DIR PORT      calls them, and stays until its input ends
const grpc = require("@grpc/grpc-js"), fs = require("fs"), [act, dir, port] = process.argv.slice(2);
const read = (name) => fs.readFileSync(dir + "/" + name), same = (bytes) => bytes;
process.stdin.on("end", () => process.exit()).resume();
if (act === "serve") {
	const server = new grpc.Server(), definition = {}, handlers = {};
	for (const name of ["Check", "Missing"]) {
		definition[name] = {
			path: "/shop.Orders/" + name, requestStream: false, responseStream: false,
			requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same,
		};
	}
	handlers.Check = (call, done) => done(null, call.request);
	handlers.Missing = (call, done) => done({ code: grpc.status.NOT_FOUND, details: "none" });
	server.addService(definition, handlers);
	const secure = grpc.ServerCredentials.createSsl(null, [{ private_key: read("key.pem"), cert_chain: read("cert.pem") }]);
	server.bindAsync("127.0.0.1:" + port, secure, (err) => { if (err) throw err; });
} else {
	const client = new grpc.Client("localhost:" + port, grpc.credentials.createSsl(read("cert.pem")));
	const call = (name) => new Promise((done) => client.makeUnaryRequest("/shop.Orders/" + name, same, same, Buffer.from([8, 1]), done));
	(async () => {
		for (const name of ["Check", "Missing", "Check", "Check", "Missing"]) await call(name);
		await Promise.all([call("Check"), call("Missing"), call("Check")]);
	})();
}
