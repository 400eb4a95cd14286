"""Round trip with kafka-python: produce with each codec it has here, read in a group, commit."""
import sys
from kafka import KafkaConsumer, KafkaProducer

bootstrap, topic = sys.argv[1], "kafka-python"
expected = set()
for codec in (None, "gzip", "lz4"):
    try:
        producer = KafkaProducer(bootstrap_servers=bootstrap, compression_type=codec, acks="all")
    except AssertionError:  # the codec's library is not installed
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    for i in range(100):
        value = "%s-%d" % (codec, i)
        expected.add(value)
        producer.send(topic, value.encode(), key=b"k%d" % i)
    producer.flush()
    producer.close()
consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id="kafka-python-readers",
                         auto_offset_reset="earliest", enable_auto_commit=False, consumer_timeout_ms=20000)
found = set()
for record in consumer:
    found.add(record.value.decode())
    if found == expected:
        break
consumer.commit()
consumer.close()
assert found == expected, sorted(expected - found)[:5]
print("ok", len(found))
