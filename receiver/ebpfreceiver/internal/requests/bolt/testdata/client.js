// Speaks to the graph database at the address in the first argument by the
// official driver, and prints what it was told: one line for each operation.
const neo4j = require('neo4j-driver')

const [address] = process.argv.slice(2)
const driver = neo4j.driver('bolt://' + address, neo4j.auth.none(), { maxConnectionPoolSize: 2 })

async function ask (runner, text, parameters) {
  try {
    const result = await runner.run(text, parameters)
    console.log(JSON.stringify({ text, rows: result.records.length }))
  } catch (e) {
    console.log(JSON.stringify({ text, error: e.code }))
  }
}

async function main () {
  const session = driver.session({ database: 'shop', fetchSize: 100 })
  await ask(session, "CREATE (n:Person {name: 'Ada', secret: $secret}) RETURN n", { secret: 'secret' })
  await ask(session, "MATCH (n:Person) WHERE n.name = 'Ada' RETURN n.name, n.born")
  await ask(session, 'UNWIND range(1, 1000) AS x RETURN x')
  await ask(session, 'CREATE (:Empty)')
  await ask(session, 'RETURN $long', { long: 'secret'.repeat(200) })
  await ask(session, 'MATC (n) RETURN n')
  await ask(session, "MATCH (n:Person {name: 'secret'})-[:KNOWS]->(m) RETURN m")
  const tx = session.beginTransaction()
  await ask(tx, 'MERGE (n:Counter {id: 17}) SET n.value = 1 RETURN n')
  await ask(tx, 'MATCH (n:Counter) RETURN n')
  await tx.commit().catch((e) => console.log(JSON.stringify({ text: 'COMMIT', error: e.code })))
  await session.close()
  await driver.close()
}

main()
