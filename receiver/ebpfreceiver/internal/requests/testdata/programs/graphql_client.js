// node graphql_client.js ADDRESS COUNT: asks in GraphQL, and prints a line of JSON
// when done: what was asked and how often.
const [address, count] = process.argv.slice(2)
const done = {}

async function ask (query, variables) {
  const response = await fetch('http://' + address + '/graphql', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query, variables })
  })
  const { data } = await response.json()
  const name = query.split(/[ ({]/).slice(0, 2).join(' ').trim() + (data ? '' : ' failed')
  done[name] = (done[name] || 0) + 1
}

async function main () {
  for (let i = 0; i < Number(count); i++) {
    await ask('query Songs($by: String) { songs(by: $by) { name } }', { by: 'secret' })
    await ask('mutation Add { add(name: "secret") { name } }')
    await ask('{ songs { name } }')
  }
  console.log(JSON.stringify(done))
}

main()
