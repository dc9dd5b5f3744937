// node graphql_server.js: prints its address and serves a schema of songs.
const http = require('http')
const { buildSchema } = require('graphql')
const { createHandler } = require('graphql-http/lib/use/http')

const schema = buildSchema('type Song { name: String } type Query { songs(by: String): [Song] } type Mutation { add(name: String): Song }')
const rootValue = { songs: () => [{ name: 'secret' }], add: ({ name }) => ({ name }) }
const handler = createHandler({ schema, rootValue })
const server = http.createServer((request, response) => handler(request, response))
server.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + server.address().port))
process.stdin.resume().on('end', () => process.exit())
