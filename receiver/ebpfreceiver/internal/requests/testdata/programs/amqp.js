// node amqp.js HOST:PORT N: a client of an AMQP broker with amqplib. It prints what
// it did, in the order of the calls: the operation with its error, the destination,
// and when it began and was over (monotonic, ns).
const amqp = require('amqplib')

const [address, count] = process.argv.slice(2)
const n = Number(count)
const queue = 'sg-orders'
const topic = 'sg-topic'
const key = 'red.new'
const outcomes = []
const now = () => Number(process.hrtime.bigint())

function note (operation, path, start) {
  outcomes.push({ Method: operation, Path: path, Status: 1, Start: start, End: now() })
}

async function did (operation, path, f) {
  const start = now()
  let result
  try {
    result = await f()
  } catch (e) {
    operation += ' ' + e.code
  }
  note(operation, path, start)
  return result
}

const destination = (m) => m.fields.exchange === '' ? queue : m.fields.exchange + ':' + m.fields.routingKey + ':' + queue

// confirmed sends a message and waits for the broker's word on it.
const confirmed = (channel, body) => new Promise((resolve, reject) => {
  channel.sendToQueue(queue, body, {}, (error) => error ? reject(error) : resolve())
})

async function main () {
  const connection = await amqp.connect('amqp://guest:guest@' + address)
  connection.on('error', () => {})
  const fast = await connection.createChannel()
  fast.on('error', () => {})
  const sure = await did('confirm.select', '', () => connection.createConfirmChannel())
  await did('queue.declare', queue, () => fast.assertQueue(queue, { durable: false }))
  await did('queue.purge', queue, () => fast.purgeQueue(queue))
  await did('exchange.declare', topic, () => fast.assertExchange(topic, 'topic', { durable: false }))
  await did('queue.bind', queue, () => fast.bindQueue(queue, topic, 'red.*'))
  for (let i = 0; i < n; i++) {
    const body = Buffer.from('planted-secret'.repeat((i * i) % 20)) // five of them are delivered at once
    const start = now()
    fast.publish(topic, key, body.subarray(0, i % 7)) // short: several may be read by one call
    await did('publish', queue, () => confirmed(sure, body))
    note('publish', topic + ':' + key, start) // written by now, not when the call returned
  }
  for (let i = 0; i < n; i++) {
    const start = now()
    const message = await fast.get(queue, { noAck: true })
    note('get', destination(message), start)
  }
  await did('basic.qos', '', () => sure.prefetch(5))
  const begun = now()
  const taken = []
  await new Promise((resolve) => {
    did('basic.consume', queue, () => sure.consume(queue, (message) => {
      const refused = taken.length % 10 === 9
      if (refused) {
        sure.reject(message, false)
      } else {
        sure.ack(message)
      }
      taken.push([refused ? 'deliver reject' : 'deliver', destination(message)])
      if (taken.length === n) resolve()
    }))
  })
  await did('queue.declare', 'sg-absent', () => fast.checkQueue('sg-absent'))
  await connection.close()
  for (const [operation, path] of taken) {
    note(operation, path, begun) // written by now
  }
  console.log(JSON.stringify(outcomes))
  process.stdin.once('end', () => process.exit()).resume()
}

main()
