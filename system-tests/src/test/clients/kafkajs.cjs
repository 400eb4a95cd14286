// Round trip with kafkajs: admin, produce plain and with gzip, read in a group.
const { Kafka, CompressionTypes, logLevel } = require('kafkajs');

async function main() {
  const topic = 'kafkajs';
  const kafka = new Kafka({ clientId: 'js', brokers: [process.argv[2]], logLevel: logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] });
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  const expected = new Set();
  for (const [name, compression] of [['none', CompressionTypes.None], ['gzip', CompressionTypes.GZIP], ['again', CompressionTypes.None]]) {
    const messages = Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, value: `${name}-${i}`, headers: { h: 'x' } }));
    messages.forEach((m) => expected.add(m.value));
    await producer.send({ topic, compression, messages });
  }
  await producer.disconnect();
  const consumer = kafka.consumer({ groupId: 'kafkajs-readers' });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const found = new Set();
  await new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`read ${found.size} of ${expected.size}`)), 60000);
    consumer.run({
      eachMessage: async ({ message }) => {
        found.add(message.value.toString());
        if (found.size === expected.size) { clearTimeout(limit); resolve(); }
      },
    });
  });
  await consumer.disconnect();
  const offsets = await admin.fetchOffsets({ groupId: 'kafkajs-readers', topics: [topic] });
  const committed = offsets[0].partitions.reduce((sum, p) => sum + Number(p.offset), 0);
  if (committed !== 300) throw new Error(`committed ${committed}`);
  await admin.disconnect();
  console.log('ok', found.size);
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
