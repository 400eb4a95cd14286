package io.barnabas.partition;

import io.barnabas.log.LogManager;
import io.barnabas.log.PartitionLog;
import io.barnabas.metadata.BrokerRegistration;
import io.barnabas.metadata.BrokerRegistration.Assignment;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.TopicImage;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the metadata told of the data directory that each replica is in: after a move, and at the start of what they say otherwise. A start
 * without a directory then knows which logs are in it and begins none of them anew elsewhere.
 *
 * <p>Threads: moves are told on a thread of the log; nothing waits here.
 */
public final class DirectoryAssignments {
    private static final Logger LOG = LoggerFactory.getLogger(DirectoryAssignments.class);
    /** Replicas of one command. */
    private static final int BATCH = 1_000;

    private final int brokerId;
    private final BrokerRegistration registration;

    public DirectoryAssignments(int brokerId, BrokerRegistration registration) {
        this.brokerId = brokerId;
        this.registration = registration;
    }

    /** Tells of what the image has otherwise, and of moves from now on. The partitions are open. */
    public void follow(LogManager logs, MetadataImage image) {
        logs.onMoved(log -> tell(List.of(of(log))));
        List<Assignment> news = new ArrayList<>();
        for (PartitionLog log : logs.logs()) {
            if (log.directory().online() && isNews(log, image)) {
                news.add(of(log));
            }
        }
        for (int from = 0; from < news.size(); from += BATCH) {
            tell(List.copyOf(news.subList(from, Math.min(news.size(), from + BATCH))));
        }
    }

    private static Assignment of(PartitionLog log) {
        return new Assignment(
                log.topicId(), log.topicPartition().partition(), log.directory().id());
    }

    private boolean isNews(PartitionLog log, MetadataImage image) {
        TopicPartition name = log.topicPartition();
        @Nullable TopicImage topic = image.topic(log.topicId());
        if (topic == null || name.partition() >= topic.partitions().size()) {
            return false;
        }
        PartitionImage partition = topic.partitions().get(name.partition());
        int at = partition.replicas().indexOf(brokerId);
        List<Uuid> directories = partition.directories();
        return at >= 0
                && at < directories.size()
                && !directories.get(at).equals(log.directory().id());
    }

    @SuppressWarnings("FutureReturnValueIgnored") // told again at the next start
    private void tell(List<Assignment> assignments) {
        registration.assign(assignments).exceptionally(failure -> {
            LOG.warn("the metadata were not told of directories; replicas={}", assignments.size(), failure);
            return -1L;
        });
    }
}
