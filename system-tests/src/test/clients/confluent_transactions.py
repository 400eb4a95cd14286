"""Transactions with confluent-kafka-python (librdkafka): commit, abort, offsets of a group, and fencing by a second instance.

Prints what its own read_committed consumer sees in the end; the caller reads the same with another client.
"""
import sys
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

bootstrap, source, target, group = sys.argv[1], "librdkafka-in", "librdkafka-out", "librdkafka-movers"


def transactional(name):
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": name, "transaction.timeout.ms": 20000})
    producer.init_transactions(30)
    return producer


def consumer(name, **more):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": name, "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, "isolation.level": "read_committed", **more})


def read(reader, count):
    found = []
    for _ in range(300):
        message = reader.poll(0.1)
        if message is not None:
            assert message.error() is None, message.error()
            found.append(message)
        if len(found) == count:
            break
    return found


admin = AdminClient({"bootstrap.servers": bootstrap})
for future in admin.create_topics([NewTopic(source, 2, 1), NewTopic(target, 2, 1)]).values():
    future.result(30)

# A transaction that commits, one that aborts, one more that commits.
producer = transactional("writer")
for word in ("first", "aborted", "second"):
    producer.begin_transaction()
    for i in range(10):
        producer.produce(source, "%s-%d" % (word, i), partition=i % 2)
    if word == "aborted":
        producer.flush(30)
        producer.abort_transaction(30)
    else:
        producer.commit_transaction(30)

# What was committed is moved, with the group's offsets in the same transactions; the first try is aborted.
mover, mine = transactional("mover"), consumer(group)
mine.subscribe([source])
messages = read(mine, 20)
assert len(messages) == 20, [message.value() for message in messages]
for attempt in ("abort", "commit"):
    mover.begin_transaction()
    for message in messages:
        mover.produce(target, "%s-%s" % (attempt, message.value().decode()), partition=message.partition())
    positions = mine.position([TopicPartition(source, 0), TopicPartition(source, 1)])
    mover.send_offsets_to_transaction(positions, mine.consumer_group_metadata(), 30)
    if attempt == "abort":
        mover.abort_transaction(30)
        stored = mine.committed(mine.assignment(), 30)
        assert all(p.offset < 0 for p in stored), stored
    else:
        mover.commit_transaction(30)
        stored = {p.partition: p.offset for p in mine.committed(mine.assignment(), 30)}
        assert stored == {p.partition: p.offset for p in positions}, (stored, positions)
mine.close()

# A second instance fences the first, whose open transaction is aborted.
producer.begin_transaction()
producer.produce(target, "of a fenced one", partition=0)
producer.flush(30)
second = transactional("writer")
try:
    producer.commit_transaction(30)
    raise SystemExit("the first instance was not fenced")
except KafkaException as e:
    assert e.args[0].fatal() or "FENCED" in e.args[0].name(), e
second.begin_transaction()
second.produce(target, "of the second", partition=0)
second.commit_transaction(30)

reader = consumer("librdkafka-reader")
reader.assign([TopicPartition(target, 0, 0), TopicPartition(target, 1, 0)])
found = sorted(message.value().decode() for message in read(reader, 21))
reader.close()
print("ok", ",".join(found))
