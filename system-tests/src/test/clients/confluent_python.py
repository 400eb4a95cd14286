"""Round trip with confluent-kafka-python (librdkafka): idempotent producer, admin, group."""
import sys
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

bootstrap, topic = sys.argv[1], "confluent-python"
admin = AdminClient({"bootstrap.servers": bootstrap})
for future in admin.create_topics([NewTopic(topic, 3, 1)]).values():
    future.result(30)
expected, errors = set(), []
for codec in ("none", "gzip", "zstd"):
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "compression.type": codec})
    for i in range(100):
        value = "%s-%d" % (codec, i)
        expected.add(value)
        producer.produce(topic, value, on_delivery=lambda error, _: error and errors.append(error))
    assert producer.flush(30) == 0 and not errors, errors
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "confluent-readers", "auto.offset.reset": "earliest",
                     "enable.auto.commit": False})
consumer.subscribe([topic])
found = set()
for _ in range(400):
    message = consumer.poll(0.1)
    if message is not None:
        assert message.error() is None, message.error()
        found.add(message.value().decode())
    if found == expected:
        break
consumer.commit(asynchronous=False)
consumer.close()
assert found == expected, sorted(expected - found)[:5]
print("ok", len(found))
