// node elastic_server.js: prints its address and answers as Elasticsearch does,
// as far as its client looks: by a script, not by a search.
const http = require('http')

const answers = [
  [/\/missing\//, 404, { error: { type: 'index_not_found_exception' }, status: 404 }],
  [/_search/, 200, { took: 1, timed_out: false, hits: { total: { value: 1, relation: 'eq' }, hits: [{ _index: 'songs', _id: '1', _source: { title: 'secret' } }] } }],
  [/_bulk/, 200, { took: 1, errors: false, items: [] }],
  [/_doc/, 200, { _index: 'songs', _id: '1', found: true, _source: { title: 'secret' }, result: 'updated' }]
]

const server = http.createServer((request, response) => {
  request.resume().on('end', () => {
    const [, status, body] = answers.find(([path]) => path.test(request.url)) || [null, 200, { version: { number: '9.0.0' } }]
    const text = JSON.stringify(body)
    response.writeHead(status, {
      'X-elastic-product': 'Elasticsearch',
      'content-type': 'application/vnd.elasticsearch+json;compatible-with=9',
      'content-length': Buffer.byteLength(text)
    })
    response.end(request.method === 'HEAD' ? undefined : text)
  })
})
server.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + server.address().port))
process.stdin.resume().on('end', () => process.exit())
