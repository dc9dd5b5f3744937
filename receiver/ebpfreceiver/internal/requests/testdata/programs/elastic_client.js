// node elastic_client.js ADDRESS COUNT: asks by the official client, and prints a
// line of JSON when done: what was asked and how often.
const { Client } = require('@elastic/elasticsearch')

const [address, count] = process.argv.slice(2)
const client = new Client({ node: 'http://' + address, maxRetries: 0, auth: { username: 'me', password: 'secret' } })
const done = {}

async function ask (name, promise) {
  try {
    await promise
  } catch (e) {
    name += ' ' + (e.statusCode || e)
  }
  done[name] = (done[name] || 0) + 1
}

async function main () {
  for (let i = 0; i < Number(count); i++) {
    await ask('search', client.search({ index: 'songs', query: { match: { title: 'secret' } }, size: 17 }))
    await ask('get', client.get({ index: 'songs', id: 'secret' + i }))
    await ask('get', client.get({ index: 'missing', id: '1' }))
    await ask('index', client.index({ index: 'songs', id: '1', document: { title: 'secret' } }))
    await ask('bulk', client.bulk({ operations: [{ index: { _index: 'songs' } }, { title: 'secret' }] }))
    await ask('ping', client.ping())
  }
  console.log(JSON.stringify(done))
  await client.close()
}

main()
