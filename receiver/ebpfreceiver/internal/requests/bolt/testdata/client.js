// node client.js ADDRESS [COUNT]: asks a graph database by the official driver,
// in so many sessions one after the other, and prints a line of JSON when done:
// what was asked and how often, with the number of rows or the error.
const neo4j = require('neo4j-driver')

const [address, times] = process.argv.slice(2)
const driver = neo4j.driver('bolt://' + address, neo4j.auth.none(), { maxConnectionPoolSize: 2 })
const done = {}

async function ask (runner, text, parameters) {
  let outcome
  try {
    outcome = (await runner.run(text, parameters)).records.length
  } catch (e) {
    outcome = 'failed'
  }
  count(text + ' -> ' + outcome)
  return outcome !== 'failed'
}

function count (name) {
  done[name] = (done[name] || 0) + 1
}

async function once () {
  const session = driver.session({ database: 'shop', fetchSize: 100 })
  await ask(session, "CREATE (n:Person {name: 'Ada', secret: $secret}) RETURN n", { secret: 'secret' })
  await ask(session, "MATCH (n:Person) WHERE n.name = 'Ada' RETURN n.name, n.born LIMIT 1")
  await ask(session, 'UNWIND range(1, 1000) AS x RETURN x')
  await ask(session, 'CREATE (:Empty)')
  await ask(session, 'RETURN $long', { long: 'secret'.repeat(200) })
  await ask(session, 'MATC (n) RETURN n')
  await ask(session, "MATCH (n:Person {name: 'secret'})-[:KNOWS]->(m) RETURN m")
  const tx = session.beginTransaction()
  if (await ask(tx, 'MERGE (n:Counter {id: 17}) SET n.value = 1 RETURN n') && await ask(tx, 'MATCH (n:Counter) RETURN n')) {
    await tx.commit()
    count('COMMIT -> done')
  }
  await session.close()
}

async function main () {
  for (let i = 0; i < Number(times || 1); i++) await once()
  console.log(JSON.stringify(done))
  await driver.close()
}

main()
