// node client.js ADDRESS COUNT 'METHOD /path [SIZE]'...: makes requests, on four
// connections at once, and prints their record as JSON; times are monotonic.
const http = require('http');

const [address, count, ...paths] = process.argv.slice(2);
const [host, port] = address.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
const now = () => Number(process.hrtime.bigint());
const outcomes = [];
let next = 0;

function request(what) {
  const [method, path, size] = what.split(' ');
  return new Promise((resolve, reject) => {
    const start = now();
    const headers = size ? { 'Content-Length': size } : {};
    const sent = http.request({ agent, host, port, method, path, headers }, (response) => {
      response.resume().on('end', () => {
        outcomes.push({ Method: method, Path: path, Status: response.statusCode, Start: start, End: now() });
        resolve();
      });
    });
    sent.on('error', reject).end(size ? Buffer.alloc(Number(size)) : undefined);
  });
}

async function worker() {
  while (next < Number(count)) await request(paths[next++ % paths.length]);
}

Promise.all([worker(), worker(), worker(), worker()]).then(() => {
  console.log(JSON.stringify(outcomes));
  agent.destroy();
});
