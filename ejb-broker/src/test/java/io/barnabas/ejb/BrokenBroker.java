package io.barnabas.ejb;

import io.barnabas.coordinator.PartitionWriter;
import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.ControllerChannel;
import io.barnabas.metadata.ControllerRequests;
import io.barnabas.metadata.Metadata;
import io.barnabas.partition.IsrProposal;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.port.PeerConnector;
import io.barnabas.replication.EpochlessConnection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/** What a simulated broker may do wrong on purpose, to see whether it is found out. */
public enum BrokenBroker {
    /** As it ships. */
    NONE,
    /** Whoever becomes a follower drops what is above its high watermark (before KIP-101). */
    CUTS_TO_THE_HIGH_WATERMARK {
        @Override
        void onFollowing(Metadata metadata, LocalPartitions partitions) {
            Map<TopicPartition, Integer> known = new HashMap<>();
            metadata.onChange((change, image) -> partitions.partitions().forEach(partition -> cut(partition, known)));
        }
    },
    /** Followers do not tell the epoch of their last record (before KIP-320). */
    TELLS_NO_EPOCH {
        @Override
        PeerConnector connector(PeerConnector real) {
            return (host, port, clientId) -> new EpochlessConnection(real.connect(host, port, clientId));
        }
    },
    /** Who is to come into the ISR does not count for the high watermark until the metadata say so. */
    FORGETS_WHO_COMES_IN {
        @Override
        ControllerChannel channel(ControllerChannel real, Supplier<LocalPartitions> partitions) {
            return (request, timeoutMs) -> {
                if (request instanceof AlterPartitionRequestData alter) {
                    forget(alter, partitions.get());
                }
                return real.send(request, timeoutMs);
            };
        }
    },
    /** Any replica may lead when no other can. */
    ELECTS_ANYBODY {
        @Override
        String uncleanElection() {
            return "true";
        }
    },
    /** Answers acks=all when one replica has the records, though the controller counts on two. */
    ANSWERS_EARLY {
        @Override
        public int minInSync(int right) {
            return 1;
        }
    },
    /** Lets a broker into the ISR whatever life of it has been met (before KIP-903). */
    TAKES_ANY_LIFE {
        @Override
        ControllerRequests controller(ControllerRequests real, Metadata metadata) {
            return request -> {
                if (request instanceof AlterPartitionRequestData alter) {
                    alter.topics().forEach(topic -> topic.partitions().forEach(p -> p.newIsrWithEpochs()
                            .forEach(member -> member.setBrokerEpoch(metadata.image()
                                    .broker(member.brokerId())
                                    .map(BrokerImage::epoch)
                                    .orElse(-1L)))));
                }
                return real.handle(request);
            };
        }
    },
    /** Comes back from whatever end as if it had lost nothing (before KIP-966). */
    SAYS_IT_LOST_NOTHING {
        @Override
        long cleanShutdownEpoch(long inTheMarks, long last) {
            return last;
        }
    },
    /** The group coordinator answers before it has loaded anything. */
    ANSWERS_UNLOADED {
        @Override
        PartitionWriter writer(PartitionWriter real) {
            return new Forgetful(real);
        }
    };

    PeerConnector connector(PeerConnector real) {
        return real;
    }

    ControllerChannel channel(ControllerChannel real, Supplier<LocalPartitions> partitions) {
        return real;
    }

    ControllerRequests controller(ControllerRequests real, Metadata metadata) {
        return real;
    }

    PartitionWriter writer(PartitionWriter real) {
        return real;
    }

    void onFollowing(Metadata metadata, LocalPartitions partitions) {
        // nothing more than what follows
    }

    long cleanShutdownEpoch(long inTheMarks, long last) {
        return inTheMarks;
    }

    String uncleanElection() {
        return "false";
    }

    /** What leaders take for {@code min.insync.replicas}. */
    public int minInSync(int right) {
        return right;
    }

    private static void cut(LocalPartition partition, Map<TopicPartition, Integer> known) {
        Integer before = known.put(partition.topicPartition(), partition.leaderEpoch());
        if (partition.online()
                && !partition.leads()
                && partition.image().leader() >= 0
                && (before == null || before != partition.leaderEpoch())) {
            partition.following().truncateTo(partition.highWatermark(), partition.leaderEpoch());
        }
    }

    private static void forget(AlterPartitionRequestData request, LocalPartitions partitions) {
        request.topics().forEach(topic -> topic.partitions().forEach(wanted -> {
            LocalPartition partition = partitions.partition(topic.topicId(), wanted.partitionIndex());
            if (partition != null) {
                List<IsrProposal.Member> isr = wanted.newIsrWithEpochs().stream()
                        .map(m -> new IsrProposal.Member(m.brokerId(), m.brokerEpoch()))
                        .toList();
                for (boolean shrinks : new boolean[] {true, false}) {
                    partition
                            .followers()
                            .onRefused(new IsrProposal(
                                    partition.topicPartition(),
                                    topic.topicId(),
                                    wanted.leaderEpoch(),
                                    wanted.partitionEpoch(),
                                    isr,
                                    shrinks));
                }
            }
        }));
    }

    /** Replays nothing. */
    private record Forgetful(PartitionWriter real) implements PartitionWriter {
        @Override
        public long append(TopicPartition partition, int leaderEpoch, MemoryRecords records) {
            return real.append(partition, leaderEpoch, records);
        }

        @Override
        public CompletionStage<Void> committed(TopicPartition partition, long offset) {
            return real.committed(partition, offset);
        }

        @Override
        public void replay(TopicPartition partition, Consumer<RecordBatch> batches) {
            // it is empty, is it not
        }

        @Override
        public int maxBatchBytes(TopicPartition partition) {
            return real.maxBatchBytes(partition);
        }
    }
}
