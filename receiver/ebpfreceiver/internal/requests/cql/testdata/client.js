// node client.js ADDRESS COUNT: asks a server of Cassandra's protocol by the
// official driver, several requests at once, and prints a line of JSON when done:
// what was asked and how often, with the error if there was one.
const cassandra = require('cassandra-driver')

const [address, count] = process.argv.slice(2)
const client = new cassandra.Client({
  contactPoints: [address],
  localDataCenter: 'dc1',
  keyspace: 'shop',
  isMetadataSyncEnabled: false,
  pooling: { warmup: true },
  policies: { retry: new cassandra.policies.retry.FallthroughRetryPolicy() }
})
const done = {}

async function ask (name, promise) {
  try {
    const result = await promise
    name += ' -> ' + (result.rows ? result.rows.length : 'done')
  } catch (e) {
    name += ' -> ' + e.code.toString(16)
  }
  done[name] = (done[name] || 0) + 1
}

async function main () {
  await client.connect()
  for (let i = 0; i < Number(count); i++) {
    const all = []
    all.push(ask('few', client.execute("SELECT id, name FROM users WHERE name = 'secret' AND n = " + i)))
    all.push(ask('prepared', client.execute('SELECT id, name FROM users WHERE id = ?', ['secret' + i], { prepare: true })))
    all.push(ask('insert', client.execute('INSERT INTO users (id, name) VALUES (?, ?)', ['secret', 'secret'], { prepare: true })))
    if (i % 10 === 0) {
      await Promise.all(all)
      await ask('many', client.execute('SELECT id, name FROM many'))
      all.push(ask('missing', client.execute('SELECT id FROM missing')))
      all.push(ask('syntax', client.execute('SELEC x')))
      all.push(ask('batch', client.batch([
        { query: 'UPDATE users SET name = ? WHERE id = ?', params: ['secret', 'secret'] },
        { query: 'UPDATE users SET name = ? WHERE id = ?', params: ['secret', 'more'] }
      ], { prepare: true })))
    }
    await Promise.all(all)
  }
  console.log(JSON.stringify(done))
  await client.shutdown()
}

main()
