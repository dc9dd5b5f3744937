// A server of HTTP on a free port, which it prints, until its input ends.
const http = require('http');

const server = http.createServer((request, response) => {
  const [, kind, arg] = request.url.split('/');
  request.resume().on('end', () => {
    switch (kind) {
      case 'bytes':
        response.setHeader('Content-Length', arg);
        response.end(Buffer.alloc(Number(arg)));
        break;
      case 'chunks':
        for (let i = 0; i < Number(arg); i++) response.write(Buffer.alloc(3000));
        response.end();
        break;
      case 'status':
        response.statusCode = Number(arg);
        response.end();
        break;
      default:
        response.end('taken');
    }
  });
});
server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit());
